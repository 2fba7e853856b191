"""The lexicon that comes with a query: which terms are of which category."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from workbench.errors import InputError
from workbench.store.literal import quoted

Given: TypeAlias = pl.DataFrame | str | os.PathLike[str]

_JOINERS = str.maketrans(dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""))
REMEDY = "give a frame, or a UTF-8 file of tabs, with the columns term and category"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Terms with their categories; `phrases` counts terms of several words, which no single word can match."""

    entries: tuple[tuple[str, str], ...]
    phrases: int

    @property
    def categories(self) -> list[str]:
        """All categories."""
        return sorted({category for _, category in self.entries})

    @property
    def sql(self) -> str:
        """The lexicon as a table expression."""
        rows = ", ".join(f"({quoted(term)}, {quoted(category)})" for term, category in self.entries)
        return f"lexicon(term, category) AS MATERIALIZED (VALUES {rows})"


def read(given: Given | None) -> Lexicon | None:
    """A lexicon from a frame with columns term and category, or a file of two tab-separated columns; InputError for anything else.

    In a file a first line `term<TAB>category`, empty lines and lines that start with `# ` are left out. Terms are compared in NFC.
    """
    if given is None:
        return None
    entries = entries_of(given)
    single = sorted(entry for entry in entries if not any(sign.isspace() for sign in entry[0]))
    if not single:
        raise InputError("use the lexicon", "no term of one word", REMEDY)
    return Lexicon(tuple(single), len(entries) - len(single))


def entries_of(given: Given) -> set[tuple[str, str]]:
    """Terms with their categories, terms of several words among them; a term may have several. InputError as for `read`."""
    if isinstance(given, pl.DataFrame):
        if not {"term", "category"} <= set(given.columns):
            raise InputError("use the lexicon", f"columns {', '.join(given.columns)}", REMEDY)
        rows = given.select(pl.col("term", "category").cast(pl.String)).drop_nulls().rows()
    else:
        rows = lines(Path(given))
    entries = {(key(term), key(category)) for term, category in rows if key(term) and key(category)}
    if any("\0" in text for entry in entries for text in entry):
        raise InputError("use the lexicon", "a term with the character U+0000", "leave it out: no word holds it")
    return entries


def lines(path: Path) -> list[tuple[str, str]]:
    """Rows of a file."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = f"byte {error.start} is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise InputError(f"read the lexicon {path}", found, REMEDY) from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("# ") or (number == 1 and line.split("\t")[:2] == ["term", "category"]):
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2:
            raise InputError(f"read the lexicon {path}", f"line {number} has {len(columns)} column(s): {line[:60]!r}", REMEDY)
        rows.append((columns[0], columns[1]))
    return rows


def key(text: str) -> str:
    """The spelling under which terms are compared: NFC, without joiners and blanks around it."""
    return unicodedata.normalize("NFC", text.translate(_JOINERS)).strip()
