"""What a reader sees as one letter: extended grapheme clusters, Bengali and other Indic conjuncts kept whole."""

from __future__ import annotations

import regex

_CLUSTER = regex.compile(r"\X")


def graphemes(text: str) -> list[tuple[int, int]]:
    """Spans of the letters that a view must never cut.

    Spans count code points (end exclusive), in order, and cover the text without a gap. Source: Unicode Standard Annex 29, rule GB9c
    (conjuncts).
    """
    return [match.span() for match in _CLUSTER.finditer(text)]


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The smallest span of whole letters that contains `text[start:end]`; an empty span stays where it is."""
    if start >= end:
        return start, end
    touched = [span for span in graphemes(text) if span[0] < end and span[1] > start]
    return touched[0][0], touched[-1][1]
