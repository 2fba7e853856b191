"""A text laid out for a view: words and what stands between them, joined again they are the text; no letter is ever cut."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import polars as pl

from workbench.errors import InputError
from workbench.graphemes import graphemes

#: Columns of `words`; one row a word, and one row each (without span) for all special tokens and for all tokens that touch no word.
WORD_COLUMNS = ("kind", "char_start", "char_end", "relevance")
#: Columns of `tokens`: every model's tokens with their spans in code points; special tokens have none.
TOKEN_COLUMNS = ("model", "piece", "char_start", "char_end", "special", "relevance")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: a word with its relevance (None where the model saw nothing of it), or what stands between words (`words` is 0).

    `words` above 1: words that share a letter are shown as one and their relevance is summed.
    """

    start: int
    end: int
    relevance: float | None
    words: int


def pieces(text: str, words: pl.DataFrame) -> list[Piece]:
    """Words and gaps in order; spans are widened to whole letters. Raises InputError for missing columns and spans outside of the text."""
    require(words, WORD_COLUMNS, "words")
    found: list[Piece] = []
    position = 0
    for start, end, relevance, number in _whole_words(text, words):
        if start > position:
            found.append(Piece(position, start, None, 0))
        found.append(Piece(start, end, relevance, number))
        position = end
    if position < len(text):
        found.append(Piece(position, len(text), None, 0))
    return found


def letter_starts(text: str) -> list[int]:
    """Where each letter (grapheme cluster) of the text starts."""
    return [start for start, _ in graphemes(text)]


def widened(starts: list[int], length: int, start: int, end: int) -> tuple[int, int]:
    """The span of whole letters around `start`-`end` (not empty, inside the text of `length` characters)."""
    after = bisect_left(starts, end)
    return starts[bisect_right(starts, start) - 1], starts[after] if after < len(starts) else length


def sums(words: pl.DataFrame) -> dict[str, float | None]:
    """Relevance by kind (`word`, `special`, `uncovered`), None where a kind has no row; NaN stays NaN."""
    found: dict[str, float | None] = {"word": None, "special": None, "uncovered": None}
    for kind, relevance in words.select(pl.col("kind").cast(pl.String), "relevance").iter_rows():
        if relevance is not None:
            found[kind] = (found.get(kind) or 0.0) + relevance
    return found


def require(frame: pl.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Raises InputError where `frame` lacks one of `columns`."""
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(
            f"show {name}", f"no column {', '.join(missing)} among {', '.join(frame.columns) or 'none'}", f"give {', '.join(columns)}"
        )


def _whole_words(text: str, words: pl.DataFrame) -> list[tuple[int, int, float | None, int]]:
    starts = letter_starts(text)
    rows = (
        words.filter(pl.col("kind").cast(pl.String) == "word").select("char_start", "char_end", "relevance").sort("char_start", "char_end")
    )
    merged: list[tuple[int, int, float | None, int]] = []
    for start, end, relevance in rows.iter_rows():
        if start is None or end is None or not 0 <= start <= end <= len(text):
            raise InputError("show a text", f"a word at {start}-{end} in a text of {len(text)} characters", "give spans of this very text")
        if start == end:
            continue
        start, end = widened(starts, len(text), start, end)
        if merged and start < merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], end), _add(before[2], relevance), before[3] + 1))
        else:
            merged.append((start, end, relevance, 1))
    return merged


def _add(left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return left if right is None else right
    return math.nan if math.isnan(left) or math.isnan(right) else left + right
