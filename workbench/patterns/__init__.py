"""FIND: patterns over words and their relevance (CQL), compiled to SQL, and what they match in its context."""

from workbench.patterns.bare import as_pattern
from workbench.patterns.concordance import concordance
from workbench.patterns.find import Hits, find, sql_of
from workbench.patterns.where import where

__all__ = ["Hits", "as_pattern", "concordance", "find", "sql_of", "where"]
