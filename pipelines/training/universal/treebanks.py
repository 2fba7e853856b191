"""CoNLL-U in, spaCy's words out: a multiword token is one word where spaCy's tokenizer keeps it in one piece."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from pipelines.training.universal.languages import Material


@dataclass(frozen=True)
class Token:
    """A word of a treebank; `head` is a place in its sentence, its own for the root."""

    form: str
    lemma: str
    upos: str
    xpos: str
    features: str
    head: int
    relation: str
    space: bool


Sentence = tuple[Token, ...]


def letters(sentence: Sentence) -> str:
    """Letters and numbers alone: equal for the same sentence however it is spaced and punctuated."""
    return "".join(character for token in sentence for character in token.form.casefold() if character.isalnum())


def read(material: Material, mirror: Path) -> list[Sentence]:
    """Sentences of a treebank's file, or of the named part of it."""
    sentences = [_sentence(block) for block in _blocks(material.path(mirror))]
    if material.part == "whole":
        return sentences
    return [sentence for sentence in sentences if _held_out(sentence) == (material.part == "held out")]


def _held_out(sentence: Sentence) -> bool:
    return hashlib.sha256(letters(sentence).encode()).digest()[0] < 256 // 5


def _blocks(path: Path) -> Iterator[list[list[str]]]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        if lines := [line.split("\t") for line in block.splitlines() if line and not line.startswith("#")]:
            yield lines


def _sentence(lines: Sequence[Sequence[str]]) -> Sentence:
    words = [line for line in lines if line[0].isdigit()]  # no empty nodes (8.1), no multiword tokens (8-9)
    tokens = [_token(line) for line in words]
    groups = [[place] for place in range(len(tokens))]
    surface = {place: (token.form, token.space) for place, token in enumerate(tokens)}
    for line in reversed([line for line in lines if "-" in line[0]]):
        first, last = map(int, line[0].split("-"))
        form, space = line[1], "SpaceAfter=No" not in line[9]
        if "".join(token.form for token in tokens[first - 1 : last]) == form and _apart(form):
            # don't: do + n't, where the parts say nothing of the space between them: there is none
            surface |= {place: (tokens[place].form, place == last - 1 and space) for place in range(first - 1, last)}
        else:
            groups[first - 1 : last] = [list(range(first - 1, last))]
            surface[first - 1] = (form, space)
    return _merged(tokens, groups, surface)


def _apart(form: str) -> bool:
    """Whether spaCy's tokenizers divide such a token too: at an apostrophe (don't, John's), and a few English contractions."""
    return "'" in form or "’" in form or form.casefold() in {"cannot", "gonna", "gotta", "wanna"}


def _merged(tokens: Sequence[Token], groups: Sequence[Sequence[int]], surface: dict[int, tuple[str, bool]]) -> Sentence:
    """One word a group, with what the first part says whose head is outside the group (du: de; dárselo: dar)."""
    where = {place: number for number, group in enumerate(groups) for place in group}
    merged = []
    for number, group in enumerate(groups):
        chief = next(place for place in group if tokens[place].head == place or where[tokens[place].head] != number)
        form, space = surface[group[0]]
        merged.append(replace(tokens[chief], form=form, space=space, head=where[tokens[chief].head]))
    return tuple(merged)


def _token(line: Sequence[str]) -> Token:
    form, lemma, upos, xpos, features = ("" if value == "_" and line[3] != "PUNCT" else value for value in line[1:6])
    if upos == "PROPN" and lemma.casefold() == form.casefold() and lemma.islower():
        lemma = form
    place = int(line[0]) - 1
    head = int(line[6]) - 1
    features = "" if features == "_" else features
    return Token(form or line[1], lemma, upos, xpos, features, place if head < 0 else head, line[7], "SpaceAfter=No" not in line[9])


def as_doc(nlp: Language, sentences: Sequence[Sentence]) -> Doc:
    """Consecutive sentences as one gold Doc."""
    starts = [sum(map(len, sentences[:number])) for number in range(len(sentences))]
    tokens = [token for sentence in sentences for token in sentence]
    return Doc(
        nlp.vocab,
        words=[token.form for token in tokens],
        spaces=[token.space for token in tokens],
        pos=[token.upos for token in tokens],
        tags=[token.xpos for token in tokens],
        morphs=[token.features for token in tokens],
        lemmas=[token.lemma for token in tokens],
        heads=[start + token.head for start, sentence in zip(starts, sentences, strict=True) for token in sentence],
        deps=[token.relation if token.relation != "root" else "ROOT" for token in tokens],
        sent_starts=[place == 0 for sentence in sentences for place in range(len(sentence))],
    )


def as_example(nlp: Language, sentences: Sequence[Sentence], *, gold_words: bool = False) -> Example:
    """A text as the tokenizer of the pipeline divides it (or in gold words), beside what the treebank says."""
    reference = as_doc(nlp, sentences)
    words = [token.text for token in reference]
    spaces = [bool(token.whitespace_) for token in reference]
    return Example(Doc(nlp.vocab, words=words, spaces=spaces) if gold_words else nlp.make_doc(reference.text), reference)


def texts(sentences: Sequence[Sentence], chance: random.Random | None = None, *, longest: int = 10) -> Iterator[Sequence[Sentence]]:
    """Runs of consecutive sentences: `longest` each, or by chance from one to `longest`, short ones more often."""
    start = 0
    while start < len(sentences):
        size = longest if chance is None else min(chance.randint(1, longest), chance.randint(1, longest))
        yield sentences[start : start + size]
        start += size
