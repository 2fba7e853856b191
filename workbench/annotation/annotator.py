"""Texts in, words out: any spaCy pipeline behind one small interface."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import regex

from workbench import fingerprint
from workbench.annotation import bengali, lexicon, pipelines, sentences
from workbench.annotation.lexicon import Lexicon
from workbench.document import Word
from workbench.errors import AnnotationError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

#: Named in fingerprints: raise it when this file changes what it makes of a spaCy Doc.
READING = "words.v1"

#: Where a mirror of data keeps lemmas, by language; used when the environment variable WORKBENCH_MIRROR names one.
MIRRORED = {"bn": "bengali/lemma_isi/Bengali_Dataset.txt"}
_SURROGATES = regex.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Annotator:
    """A spaCy pipeline that gives words. `name` says which, and which lexicon its lemmas come from first; `fingerprint` covers both."""

    name: str
    fingerprint: str
    pipeline: Language
    lemmas: Lexicon | None = None

    def annotate(self, texts: Sequence[str], *, batch_size: int = 256) -> list[list[Word]]:
        """Words of each text, in the order of the texts; spans count code points of the untouched text.

        White space, control and format characters alone are no words; a text without anything to see gives an empty list. `head` is the
        place of the head in the same list, None for a root. A lone surrogate is read as U+FFFD. Raises AnnotationError for a text that is
        longer than the pipeline's `max_length`, or on which the pipeline fails.
        """
        for number, text in enumerate(texts):
            self._check(number, text)
        wanted = [number for number, text in enumerate(texts) if bengali.visible(text)]
        words: list[list[Word]] = [[] for _ in texts]
        readable = (_SURROGATES.sub("\ufffd", texts[number]) for number in wanted)
        for number, doc in zip(wanted, self._pipe(readable, batch_size), strict=True):
            words[number] = _words(doc, self.lemmas)
        return words

    def _check(self, number: int, text: str) -> None:
        limit = self.pipeline.max_length
        if len(text) > limit:
            found = f"{len(text)} characters, more than the {limit} it takes"
            remedy = f"split the text, or raise the limit for this annotator: annotator.pipeline.max_length = {len(text)}"
            raise AnnotationError(f"annotate text {number} with {self.name}", found, remedy)

    def _pipe(self, texts: Iterator[str], batch_size: int) -> Iterator[Doc]:
        try:
            yield from self.pipeline.pipe(texts, batch_size=batch_size)
        except (ValueError, KeyError, IndexError, TypeError, MemoryError) as error:
            found = str(error).strip().split("\n", maxsplit=1)[0][:200] or type(error).__name__
            raise AnnotationError(f"annotate with {self.name}", found, "try a smaller batch_size, or another pipeline") from error


def annotator(name: str, *, lemmas: Path | str | None = None) -> Annotator:
    """Load an annotator: an embedded pipeline (`bengali`), `blank:xx`, a pipeline's folder, or an installed spaCy package.

    `lemmas` is a lexicon (form, tab, lemma) that is asked before the pipeline; without it the data mirror's lexicon for the language is
    used, where there is one. A lexicon shows in the name (`bengali+Bengali_Dataset-1a2b3c4d`) and in the fingerprint.
    """
    nlp, identity = pipelines.load(name)
    source = Path(lemmas) if lemmas else _mirrored(nlp.lang or "")
    chosen = lexicon.read_lexicon(source) if source else None
    whole = fingerprint.of_json({"pipeline": identity, "lemmas": chosen.fingerprint if chosen else None, "reading": READING})
    return Annotator(f"{name}+{chosen.name}-{chosen.fingerprint[:8]}" if chosen else name, whole, nlp, chosen)


def _mirrored(language: str) -> Path | None:
    mirror = os.environ.get("WORKBENCH_MIRROR")
    path = Path(mirror, MIRRORED[language]) if mirror and language in MIRRORED else None
    return path if path and path.is_file() else None


def _words(doc: Doc, lemmas: Lexicon | None) -> list[Word]:
    tokens = [token for token in doc if bengali.visible(token.text)]
    places = {token.i: index for index, token in enumerate(tokens)}
    numbers = _sentences(doc, tokens)
    parsed = doc.has_annotation("DEP")
    return [_word(index, token, numbers[index], places if parsed else None, lemmas) for index, token in enumerate(tokens)]


def _sentences(doc: Doc, tokens: Sequence[Token]) -> list[int]:
    if doc.has_annotation("SENT_START"):
        numbers = list(accumulate(bool(token.is_sent_start) and token.i > 0 for token in doc))
        return [int(numbers[token.i]) for token in tokens]
    return sentences.number_sentences([token.text for token in tokens], [(token.idx, token.idx + len(token)) for token in tokens])


def _word(index: int, token: Token, sentence: int, places: dict[int, int] | None, lemmas: Lexicon | None) -> Word:
    listed = lemmas.get(token.text) if lemmas else None
    return Word(
        index=index,
        char_start=token.idx,
        char_end=token.idx + len(token),
        form=token.text,
        lemma=listed or lexicon.key(token.lemma_) or None,
        upos=token.pos_ or None,
        xpos=token.tag_ or None,
        features=str(token.morph) or None,
        head=places.get(token.head.i) if places and token.head.i != token.i else None,
        relation=(token.dep_ or None) if places else None,
        entity=token.ent_type_ or None,
        sentence=sentence,
    )
