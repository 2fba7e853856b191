"""The documents that a pipeline names."""

from __future__ import annotations

from workbench import corpora
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.pipeline.declaration import Pipeline


def documents(pipeline: Pipeline) -> tuple[Declaration, list[Document], Report]:
    """The documents that a pipeline names, and what was met in reading them."""
    choice = pipeline.corpus
    declaration = corpora.find(choice.name)
    reading = corpora.read(declaration, choice.split, choice.limit, choice.languages or None)
    return declaration, list(reading), reading.report
