"""A pattern as it was read: what words are asked for, how they follow each other, and what must hold between them.

Every part knows its place in the pattern's text, so that a mistake can be pointed at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["sentence", "document"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: float
    place: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, a regular expression unless `flags` has l; c leaves case out, d leaves accents out."""

    value: str
    flags: str
    place: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the word at hand, or of the capture `owner`."""

    owner: str | None
    name: str
    place: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    name: str
    arguments: tuple[Expression, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers joined by + - * or /; a minus sign alone is 0 - x."""

    operator: str
    left: Expression
    right: Expression
    place: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared by = != < <= > or >=."""

    operator: str
    left: Expression
    right: Expression
    place: int


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    inner: Expression
    place: int


@dataclass(frozen=True, slots=True)
class All:
    """What must hold together."""

    parts: tuple[Expression, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Any:
    """Of which one must hold."""

    parts: tuple[Expression, ...]
    place: int


Expression: TypeAlias = Number | Text | Attribute | Call | Arithmetic | Comparison | Not | All | Any


@dataclass(frozen=True, slots=True)
class Word:
    """One word; without a condition any word."""

    condition: Expression | None
    place: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts that follow each other."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    """Of which one stands there."""

    options: tuple[Pattern, ...]
    place: int = 0


@dataclass(frozen=True, slots=True)
class Repetition:
    """A part that stands there `least` to `most` times; `most` None was written without an end."""

    body: Pattern
    least: int
    most: int | None
    place: int


@dataclass(frozen=True, slots=True)
class Capture:
    """A part under a name."""

    name: str
    body: Pattern
    place: int


Pattern: TypeAlias = Word | Sequence | Alternation | Repetition | Capture


@dataclass(frozen=True, slots=True)
class Arc:
    """A dependency between two words of `Arcs`, by their numbers; `relation` None is any, several are alternatives."""

    head: int
    dependent: int
    relation: Text | tuple[str, ...] | None
    absent: bool
    place: int


@dataclass(frozen=True, slots=True)
class Arcs:
    """Words joined by dependency arcs, in any order of the text."""

    words: tuple[Word | Capture, ...]
    arcs: tuple[Arc, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A pattern on each of the two texts of a pair."""

    left: Pattern
    right: Pattern
    place: int


@dataclass(frozen=True, slots=True)
class Query:
    """A whole pattern with its text, its scope (None: not said) and the constraint that its captures must meet."""

    text: str
    body: Pattern | Arcs | Pair
    within: Scope | None = None
    constraint: Expression | None = field(default=None)


def span(pattern: Pattern, unbounded: int) -> tuple[int, int]:
    """Fewest and most words that a pattern covers, repetition without an end counted as `unbounded` times."""
    if isinstance(pattern, Word):
        return 1, 1
    if isinstance(pattern, Capture):
        return span(pattern.body, unbounded)
    if isinstance(pattern, Repetition):
        low, high = span(pattern.body, unbounded)
        most = max(unbounded, pattern.least) if pattern.most is None else pattern.most
        return low * pattern.least, high * most
    if isinstance(pattern, Sequence):
        spans = [span(part, unbounded) for part in pattern.parts]
        return sum(low for low, _ in spans), sum(high for _, high in spans)
    spans = [span(option, unbounded) for option in pattern.options]
    return min(low for low, _ in spans), max(high for _, high in spans)


def filled(pattern: Pattern) -> Pattern:
    """A pattern without its empty match, so far as that can be said without other words: a sequence keeps it."""
    if isinstance(pattern, Repetition):
        if span(pattern.body, 1)[0]:
            return replace(pattern, least=max(1, pattern.least))
        return replace(pattern, body=filled(pattern.body), least=1)
    if isinstance(pattern, Alternation):
        return replace(pattern, options=tuple(filled(option) for option in pattern.options))
    return replace(pattern, body=filled(pattern.body)) if isinstance(pattern, Capture) else pattern


def captures(pattern: Pattern | Arcs | Pair) -> list[Capture]:
    """All captures of a pattern, in the order of its text."""
    if isinstance(pattern, Capture):
        return [pattern, *captures(pattern.body)]
    if isinstance(pattern, Repetition):
        return captures(pattern.body)
    if isinstance(pattern, Word):
        return []
    if isinstance(pattern, Pair):
        return [*captures(pattern.left), *captures(pattern.right)]
    parts = pattern.words if isinstance(pattern, Arcs) else pattern.parts if isinstance(pattern, Sequence) else pattern.options
    return [found for part in parts for found in captures(part)]


def attributes(expression: Expression) -> list[Attribute]:
    """All attributes that an expression names."""
    if isinstance(expression, Attribute):
        return [expression]
    if isinstance(expression, Number | Text):
        return []
    if isinstance(expression, Not):
        return attributes(expression.inner)
    if isinstance(expression, Call):
        return [found for part in expression.arguments for found in attributes(part)]
    inner = expression.parts if isinstance(expression, All | Any) else (expression.left, expression.right)
    return [found for part in inner for found in attributes(part)]
