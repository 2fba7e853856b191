"""What the classifier learns from and is judged on: HateXplain posts as a whole, Toxic Spans comments sentence by sentence.

Nearly every Toxic Spans comment is toxic, so a whole comment teaches a model only to know the source. Its sentences differ: those that hold
a marked character count as toxic, those that hold none as normal. HateXplain's rationales are never read here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from workbench.corpora import find, read
from workbench.corpora.readers.marked_tokens import part_of
from workbench.document import Document

LABELS = ("normal", "toxic")
SENTENCE_END = regex.compile(r"(?<=[.!?])\s+|\s*\n\s*")
OWN = {"train": 0.95, "validation": 0.05}
"""Comments kept apart from the published training part to choose the best pass."""
SHORTEST = 2
"""Sentences of fewer words say too little to be labelled."""


@dataclass(frozen=True)
class Post:
    """One labelled text: `label` is an index into LABELS, `toxic` the share of annotators who found it toxic."""

    text: str
    label: int
    toxic: float


def use_mirror(mirror: Path) -> None:
    """Read corpora from this folder."""
    os.environ["WORKBENCH_MIRROR"] = str(mirror)


def hatexplain(part: str) -> list[Post]:
    """HateXplain posts of a part; hate speech and offensive are both toxic."""
    return [judged(document) for document in read(find("hatexplain-validation"), f"{part}:clean")]


def judged(document: Document) -> Post:
    """A HateXplain post with its majority and the share of its annotators who did not call it normal."""
    labels = document.metadata["labels"]
    votes = [label != "normal" for label in labels] if isinstance(labels, list) else []
    return Post(document.segments["text"], int(document.label != "normal"), sum(votes) / len(votes))


def toxic_spans(part: str) -> list[Post]:
    """Sentences of Toxic Spans comments: of the published training part, split by identifier into train and validation, or of `trial`."""
    source = part if part == "trial" else "train"
    documents = [
        document for document in read(find("toxic-spans"), f"{source}:clean") if part in ("trial", part_of(document.identifier, OWN))
    ]
    return [post for document in documents for post in sentences(document)]


def sentences(document: Document) -> Iterator[Post]:
    """The sentences of a comment (cut after . ! ? and at line ends), those of a single word left out."""
    text = document.segments["text"]
    spans = document.metadata["rationale"]
    marked = [(start, end) for start, end in spans] if isinstance(spans, list) else []
    for begin, end in pieces(text):
        sentence = text[begin:end]
        if len(sentence.split()) >= SHORTEST:
            toxic = any(min(end, last) > max(begin, first) for first, last in marked)
            yield Post(sentence, int(toxic), float(toxic))


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text."""
    begin = 0
    for gap in SENTENCE_END.finditer(text):
        if gap.start() > begin:
            yield begin, gap.start()
        begin = gap.end()
    if begin < len(text):
        yield begin, len(text)
