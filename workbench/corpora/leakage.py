"""Texts that stand twice: which documents of a later split repeat a text of an earlier one, and so measure memory instead of skill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workbench.corpora.comparison import digest
from workbench.corpora.report import Report
from workbench.document import Document


def key(document: Document) -> bytes:
    """Equal for documents whose texts differ only in encoding, punctuation, spacing or case."""
    return digest(*document.segments.values())


def first_places(documents: Iterable[Document], order: Sequence[str]) -> dict[bytes, tuple[int, str]]:
    """For each text the rank of the earliest split it stands in and the identifier of its first document there."""
    rank = {name: place for place, name in enumerate(order)}
    places: dict[bytes, tuple[int, str]] = {}
    for document in documents:
        here = (rank.get(document.split or "", len(order)), document.identifier)
        text = key(document)
        if text not in places or here[0] < places[text][0]:
            places[text] = here
    return places


@dataclass(slots=True)
class Repetition:
    """Marks documents against the first places of their texts and counts duplicates among those marked."""

    order: Sequence[str]
    places: Mapping[bytes, tuple[int, str]]
    seen: Counter[bytes] = field(default_factory=Counter)
    labels: dict[bytes, set[str | None]] = field(default_factory=dict)

    def marked(self, document: Document, report: Report) -> Document:
        """The document with `clean` in its metadata (false: its text stands in an earlier split) and `repeats`, the first with its text."""
        text = key(document)
        rank, first = self.places[text]
        own = self.order.index(document.split) if document.split in self.order else len(self.order)
        self.seen[text] += 1
        self.labels.setdefault(text, set()).add(document.label)
        clean = rank >= own
        metadata = {**document.metadata, "clean": clean}
        if first != document.identifier:
            metadata["repeats"] = first
        if not clean:
            report.met(f"{document.split} text that stands in an earlier split", f"kept and marked; '{document.split}:clean' leaves it out")
        return replace(document, metadata=metadata)

    def finish(self, report: Report) -> None:
        """Count what only the whole shows."""
        kept = "all are kept; `repeats` in their metadata names the first"
        if groups := sum(count > 1 for count in self.seen.values()):
            report.met("text that stands more than once (encoding, punctuation, spacing and case ignored)", kept, groups)
            report.met("document that repeats an earlier text", kept, sum(self.seen.values()) - len(self.seen))
        if conflicts := sum(len(labels) > 1 for labels in self.labels.values()):
            report.met("text with contradicting labels", "all are kept", conflicts)
