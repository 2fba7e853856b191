"""An independent, slow matcher over lists of words: patterns are built from small functions, never parsed, and every way is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

Spans = Mapping[str, tuple[int, int]]
#: From a place and the captures so far to every place where a part can end.
Part = Callable[[list[Any], int, Spans], Iterator[tuple[int, Spans]]]
Test = Callable[[Any], bool]
Words = list[Any]

UNBOUNDED = 10


@dataclass(frozen=True)
class Text:
    """One text explained for one class."""

    document: str
    role: str
    explained: str | None
    words: list[SimpleNamespace]


def word(test: Test | None = None, *, captured: bool = False) -> Part:
    """One word; a word that the model did not see meets no condition, and is no capture."""

    def step(words: Words, place: int, spans: Spans) -> Iterator[tuple[int, Spans]]:
        if place < len(words):
            here = words[place]
            if (test is None and not captured) or (here.seen and (test is None or test(here))):
                yield place + 1, spans

    return step


def sequence(*parts: Part) -> Part:
    def step(words: Words, place: int, spans: Spans) -> Iterator[tuple[int, Spans]]:
        if not parts:
            yield place, spans
            return
        for middle, found in parts[0](words, place, spans):
            yield from sequence(*parts[1:])(words, middle, found)

    return step


def either(*parts: Part) -> Part:
    def step(words: Words, place: int, spans: Spans) -> Iterator[tuple[int, Spans]]:
        for part in parts:
            yield from part(words, place, spans)

    return step


def times(part: Part, least: int, most: int | None) -> Part:
    last = max(UNBOUNDED, least) if most is None else most
    return either(*(sequence(*[part] * count) for count in range(least, last + 1)))


def capture(name: str, part: Part) -> Part:
    def step(words: Words, place: int, spans: Spans) -> Iterator[tuple[int, Spans]]:
        for end, found in part(words, place, spans):
            yield end, {**found, name: (place, end - 1)} if end > place else found

    return step


Constraint = Callable[[Words, int, int, Spans], bool]


def hits(texts: list[Text], part: Part, *, sentence: bool = False, constraint: Constraint | None = None) -> dict[tuple[Any, ...], float]:
    """Every match (document, role, class, first and last word, captures) with the sum of its relevance."""
    found: dict[tuple[Any, ...], float] = {}
    for text in texts:
        for start in range(len(text.words)):
            for after, spans in part(text.words, start, {}):
                end = after - 1
                if end < start or not (text.words[start].seen and text.words[end].seen):
                    continue
                inside = text.words[start : end + 1]
                if sentence and len({word.sentence for word in inside}) > 1:
                    continue
                if constraint is not None and not constraint(text.words, start, end, spans):
                    continue
                key = (text.document, text.role, text.explained, start, end, *sorted(spans.items()))
                found[key] = sum(word.relevance for word in inside if word.seen)
    return found


def equal(value: Any, wanted: Any) -> bool:
    """What is missing equals nothing."""
    return value is not None and wanted is not None and value == wanted


def less(value: Any, wanted: Any) -> bool:
    return value is not None and wanted is not None and value < wanted


def feature(word: Any, name: str) -> str | None:
    pairs = dict(pair.split("=") for pair in (word.features or "").split("|") if pair)
    return pairs.get(name)
