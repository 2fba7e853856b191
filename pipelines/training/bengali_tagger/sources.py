"""The annotated Bengali corpora of the mirror, read as they are, and split by sentence so that no text stands on both sides."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.annotation import bengali


@dataclass(frozen=True)
class Token:
    """A word as a corpus annotates it; None where the corpus says nothing."""

    form: str
    tag: str | None = None
    features: str | None = None
    lemma: str | None = None


@dataclass(frozen=True)
class Sentence:
    """A sentence of one corpus."""

    corpus: str
    tokens: tuple[Token, ...]

    @property
    def key(self) -> str:
        """The letters and numbers alone: equal keys are the same sentence, whatever its punctuation, spacing or encoding."""
        return "".join(character for token in self.tokens for character in bengali.norm(token.form) if character.isalnum())

    @property
    def part(self) -> str:
        """`train` (80 %), `development` (10 %) or `held-out` (10 %), by a hash of the key: the same for copies in other corpora."""
        share = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") / 2**32
        return "train" if share < 0.8 else "development" if share < 0.9 else "held-out"


def columns(path: Path) -> Iterator[list[list[str]]]:
    """Blocks of tab-separated lines, divided by empty lines."""
    block: list[list[str]] = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.strip():
            block.append([field.strip().strip("\ufeff") for field in line.split("\t")])
        elif block:
            yield block
            block = []
    if block:
        yield block


def tagged(path: Path, corpus: str) -> list[Sentence]:
    """Sentences of `form<TAB>tag` lines; a line without a tag is a word whose tag is not known, a line without a form is left out."""
    return [
        Sentence(corpus, tuple(Token(line[0], line[1] if len(line) > 1 and line[1] else None) for line in block if line[0]))
        for block in columns(path)
    ]


def slashed(path: Path, corpus: str) -> list[Sentence]:
    r"""Sentences of `form\TAG.attribute.attribute` words, one sentence a line; the attributes are kept as they are."""
    sentences = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        pairs = [word.rsplit("\\", 1) for word in line.split() if "\\" in word]
        parted = [(form.strip("\ufeff"), *tag.partition(".")[::2]) for form, tag in pairs]
        if tokens := tuple(Token(form, tag, attributes) for form, tag, attributes in parted if form):
            sentences.append(Sentence(corpus, tokens))
    return sentences


def lemmas(path: Path, corpus: str) -> list[Sentence]:
    """Sentences of `form<TAB>lemma` lines."""
    complete = [[line for line in block if len(line) > 1 and all(line[:2])] for block in columns(path)]
    return [Sentence(corpus, tuple(Token(line[0], lemma=line[1]) for line in block)) for block in complete]


def underscored(archive: Path, member: str, corpus: str) -> list[Sentence]:
    """Sentences of `form_TAG` words in a file of an archive (another tag set; read only to count how much of it is elsewhere)."""
    text = zipfile.ZipFile(archive).read(member).decode("utf-8-sig")
    found = re.findall(r"<Sentence id=\d+>\s*(.*?)\s*</Sentence>", text, flags=re.DOTALL)
    return [Sentence(corpus, tuple(Token(word.rsplit("_", 1)[0]) for word in sentence.split())) for sentence in found]


def universal(path: Path) -> list[list[list[str]]]:
    """Blocks of CoNLL-U word lines (ten columns), without comments, ranges and empty nodes."""
    return [[line for line in block if line[0].isdigit()] for block in columns(path)]


def distinct(sentences: Iterable[Sentence]) -> list[Sentence]:
    """The first of each group of sentences with one key; sentences without letters are left out."""
    seen: dict[str, Sentence] = {}
    for sentence in sentences:
        if sentence.key:
            seen.setdefault(sentence.key, sentence)
    return list(seen.values())
