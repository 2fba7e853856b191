"""Lexica: files of terms and their categories, by which words are classed."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from workbench.errors import InputError


def read_lexicon(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Terms (without case) and categories of a file of lines term<TAB>category; a term may have several. Empty lines are left out.

    Raises InputError for a file that cannot be read, and for a line without exactly one tab, by its number.
    """
    asked = f"read the lexicon {path}"
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(asked, str(error), "give a UTF-8 file of lines term<TAB>category") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 2 or not all(parts):
            raise InputError(asked, f"line {number}: {line[:60]!r}", "write term<TAB>category in every line")
        rows.append((parts[0].lower(), parts[1]))
    if not rows:
        raise InputError(asked, "no terms", "write term<TAB>category in every line")
    return pl.DataFrame(rows, schema={"term": pl.String, "category": pl.String}, orient="row").unique(maintain_order=True)
