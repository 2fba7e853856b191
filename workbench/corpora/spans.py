"""Spans of tokens in a text that is its tokens joined by single blanks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate


def token_spans(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each token in code points of the joined text."""
    ends = accumulate((len(token) + 1 for token in tokens), initial=0)
    return [(start, start + len(token)) for start, token in zip(ends, tokens, strict=False)]


def joined_spans(tokens: Sequence[str], chosen: Iterable[int]) -> list[list[int]]:
    """The chosen tokens (numbers from 0) as spans [start, end]; neighbours are one span. IndexError for a number that is none."""
    spans: list[list[int]] = []
    places = token_spans(tokens)
    before = -2
    for number in sorted(set(chosen)):
        if not 0 <= number < len(places):
            raise IndexError(number)
        start, end = places[number]
        if number == before + 1 and spans:
            spans[-1][1] = end
        else:
            spans.append([start, end])
        before = number
    return spans
