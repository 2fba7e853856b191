"""The nouns of a corpus: documents with segments, and the words an annotator finds in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench import fingerprint
from workbench.fingerprint import Json


@dataclass(frozen=True, slots=True)
class Document:
    """One unit of a corpus: its texts by role and what is known of it.

    Roles: `text`; `text_a`, `text_b` of a pair; `source`, `reference`, `hypothesis` of a translation; `query`, `passage`.
    """

    corpus: str
    identifier: str
    segments: Mapping[str, str]
    label: str | None = None
    split: str | None = None
    language: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the texts alone: relevance depends on nothing else of a document."""
        return fingerprint.of_json(dict(self.segments))


@dataclass(frozen=True, slots=True)
class Word:
    """A linguistic word: its span in code points of the segment (end exclusive) and its annotation, None where the annotator gives none."""

    index: int
    char_start: int
    char_end: int
    form: str
    lemma: str | None = None
    upos: str | None = None
    xpos: str | None = None
    features: str | None = None
    head: int | None = None
    relation: str | None = None
    entity: str | None = None
    sentence: int = 0
