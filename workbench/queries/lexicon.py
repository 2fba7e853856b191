"""Lexica: terms and their categories, by which words are classed without case."""

from __future__ import annotations

import polars as pl

from workbench.errors import InputError
from workbench.patterns.lexicon import REMEDY, Given, entries_of


def read_lexicon(given: Given) -> pl.DataFrame:
    """Terms (without case, in NFC) and categories of a frame or a file of lines term<TAB>category; a term may have several.

    Raises InputError for a file that cannot be read, a line that is not two columns, by its number, and for a lexicon without terms.
    """
    entries = sorted({(" ".join(term.lower().split()), category) for term, category in entries_of(given)})
    if not entries:
        raise InputError("use the lexicon", "no terms", REMEDY)
    return pl.DataFrame(entries, schema={"term": pl.String, "category": pl.String}, orient="row")
