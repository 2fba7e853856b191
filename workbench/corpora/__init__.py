"""Corpora: a text file says where texts come from and under which terms; reading gives documents and counts every trap met."""

from workbench.corpora.actions import add, fetch, list_corpora, show
from workbench.corpora.catalogue import catalogue, find
from workbench.corpora.declaration import Declaration
from workbench.corpora.reading import Reading, read
from workbench.corpora.report import Rejected, Report

__all__ = ["Declaration", "Reading", "Rejected", "Report", "add", "catalogue", "fetch", "find", "list_corpora", "read", "show"]
