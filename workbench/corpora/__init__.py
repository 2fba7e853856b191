"""Corpora: a text file says where texts come from and under which terms; reading gives documents and counts every trap met."""

from workbench.corpora.actions import add, fetch, list_corpora, show
from workbench.corpora.catalogue import catalogue, find
from workbench.corpora.declaration import Declaration
from workbench.corpora.languages import language_of
from workbench.corpora.reading import Reading, read
from workbench.corpora.report import Rejected, Report
from workbench.corpora.retrieval import Collection, Judgement, collection

__all__ = [
    "Collection",
    "Declaration",
    "Judgement",
    "Reading",
    "Rejected",
    "Report",
    "add",
    "catalogue",
    "collection",
    "fetch",
    "find",
    "language_of",
    "list_corpora",
    "read",
    "show",
]
