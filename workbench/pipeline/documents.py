"""The documents that a pipeline names."""

from __future__ import annotations

from workbench import corpora
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.pipeline.declaration import Pipeline


def documents(pipeline: Pipeline) -> tuple[Declaration, list[Document], Report]:
    """The documents that a pipeline names, and what was met in reading them; splits one after another, the limit counts all of them."""
    choice = pipeline.corpus
    declaration = corpora.find(choice.name)
    found: list[Document] = []
    report = Report()
    for split in choice.splits or (choice.split,):
        left = None if choice.limit is None else choice.limit - len(found)
        reading = corpora.read(declaration, split, left, choice.languages or None)
        found += reading
        report.add(reading.report)
    return declaration, found, report
