"""Conditions as SQL. Two-valued: what is missing equals nothing and is neither greater nor less, and `!` turns that around.

A negation is carried inwards to the comparisons, so that every comparison is one that the scan of a table can decide by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from workbench.patterns import tree
from workbench.patterns.attributes import ALIASES, KNOWN
from workbench.patterns.comparing import comparison
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Attribute, Call, Expression, Number, Text
from workbench.store.literal import quoted

Kind: TypeAlias = Literal["text", "real", "number", "lexicon", "constant"]
OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
LARGEST_REAL = 3e38


@dataclass(frozen=True, slots=True)
class Value:
    """SQL of a value and its kind; a lexicon has two columns in its SQL, form and lemma."""

    sql: str
    kind: Kind
    lemma: str = ""


class Scope(Protocol):
    """Where the names of an expression are looked up."""

    @property
    def text(self) -> str:
        """The pattern."""

    @property
    def lexicon(self) -> Lexicon | None:
        """The lexicon that comes with it."""

    def attribute(self, attribute: Attribute) -> Value:
        """The value of an attribute."""

    def call(self, call: Call) -> Value:
        """The value of a function, `abs` apart."""


def truth(expression: Expression, scope: Scope, *, wanted: bool = True) -> str:
    """SQL that is true exactly where the expression is (not, unless `wanted`)."""
    if isinstance(expression, tree.Not):
        return truth(expression.inner, scope, wanted=not wanted)
    if isinstance(expression, tree.All | tree.Any):
        together = isinstance(expression, tree.All) == wanted
        return "(" + (" AND " if together else " OR ").join(truth(part, scope, wanted=wanted) for part in expression.parts) + ")"
    if isinstance(expression, tree.Comparison):
        return compared(expression, scope, wanted=wanted)
    if isinstance(expression, Attribute | Call):
        found = value(expression, scope)
        if found.kind == "lexicon":
            return listed(found, "", wanted=wanted)
        return f"{found.sql} IS {'NOT ' if wanted else ''}NULL"
    raise mistake(scope.text, expression.place, "this is a value, no condition", 'compare it: lemma="good", relevance>0.1')


def compared(expression: tree.Comparison, scope: Scope, *, wanted: bool) -> str:
    """SQL of one comparison."""
    operator, left, right = expression.operator, expression.left, expression.right
    if isinstance(left, Text | Number) and not isinstance(right, Text | Number):
        operator, left, right = OPPOSITE[operator], right, left
    if operator == "!=":
        operator, wanted = "=", not wanted
    subject = value(left, scope)
    if isinstance(right, Text):
        return with_text(expression, subject, operator, right, scope, wanted=wanted)
    if subject.kind in ("text", "lexicon") and isinstance(right, Attribute) and is_bare(right):
        raise mistake(scope.text, right.place, f"{right.name} stands without quotes", f'write "{right.name}"')
    other = value(right, scope)
    if "lexicon" in (subject.kind, other.kind) or (subject.kind == "text") != (other.kind == "text"):
        texts = "a text with a number" if "text" in (subject.kind, other.kind) else "a lexicon with something else than a text"
        raise mistake(scope.text, expression.place, f"{texts} cannot be compared", 'compare text with "text" and numbers with numbers')
    if subject.kind == "text" and operator != "=":
        raise mistake(scope.text, expression.place, "texts are neither greater nor less", "compare texts by = or !=")
    kinds = {subject.kind, other.kind}
    if kinds == {"real", "constant"}:  # in the precision in which relevance is kept: 0.1 is 0.1
        subject, other = (narrowed(side) for side in (subject, other))
    positive = f"{subject.sql} {operator} {other.sql}"
    if wanted:
        return positive
    return f"{subject.sql} IS DISTINCT FROM {other.sql}" if operator == "=" and "constant" in kinds else f"NOT coalesce({positive}, false)"


def with_text(expression: tree.Comparison, subject: Value, operator: str, text: Text, scope: Scope, *, wanted: bool) -> str:
    """SQL of a comparison with a text in quotes."""
    if subject.kind not in ("text", "lexicon"):
        raise mistake(scope.text, text.place, "a number is compared with a text", "write the number without quotes")
    if operator != "=":
        raise mistake(scope.text, expression.place, "texts are neither greater nor less", "compare texts by = or !=")
    if subject.kind == "lexicon":
        assert scope.lexicon is not None
        if text.value.isalnum() and not text.flags and text.value not in scope.lexicon.categories:
            known = ", ".join(scope.lexicon.categories[:20])
            raise mistake(scope.text, text.place, f"{text.value} is no category of the lexicon", f"use one of {known}")
        return listed(subject, f" WHERE {comparison(scope.text, 'category', text)}", wanted=wanted)
    positive = comparison(scope.text, subject.sql, text)
    return positive if wanted else f"NOT coalesce({positive}, false)"


def listed(value: Value, condition: str, *, wanted: bool) -> str:
    """SQL that is true where form or lemma is a term of the lexicon."""
    parts = [f"coalesce({column} IN (SELECT term FROM lexicon{condition}), false)" for column in (value.sql, value.lemma)]
    return f"({' OR '.join(parts)})" if wanted else f"NOT ({' OR '.join(parts)})"


def value(expression: Expression, scope: Scope) -> Value:
    """SQL of a value."""
    if isinstance(expression, Number):
        whole = expression.value.is_integer() and abs(expression.value) < 2**31
        sql = str(int(expression.value)) if whole else f"{expression.value!r}::DOUBLE"
        return Value(f"({sql})" if expression.value < 0 else sql, "constant")
    if isinstance(expression, Attribute):
        return scope.attribute(expression)
    if isinstance(expression, Call):
        return absolute(expression, scope) if expression.name == "abs" else scope.call(expression)
    if isinstance(expression, tree.Arithmetic):
        left, right = (double(part, scope) for part in (expression.left, expression.right))
        return Value(
            f"({left} / nullif({right}, 0))" if expression.operator == "/" else f"({left} {expression.operator} {right})", "number"
        )
    found = "a text that is compared with nothing" if isinstance(expression, Text) else "a condition where a value should be"
    raise mistake(scope.text, expression.place, found, 'write, for example, lemma="good" or relevance>0.1')


def absolute(call: Call, scope: Scope) -> Value:
    """SQL of a number without its sign."""
    if len(call.arguments) != 1:
        raise mistake(scope.text, call.place, f"abs of {len(call.arguments)} values", "write abs(relevance)")
    inner = value(call.arguments[0], scope)
    if inner.kind in ("text", "lexicon"):
        raise mistake(scope.text, call.place, "abs of a text", "write abs(relevance)")
    return Value(f"abs({inner.sql})", inner.kind)


def double(expression: Expression, scope: Scope) -> str:
    """SQL of a number that is reckoned with."""
    inner = value(expression, scope)
    if inner.kind in ("text", "lexicon"):
        raise mistake(
            scope.text, expression.place, "a text cannot be reckoned with", "reckon with relevance, sensitivity, index, sentence or head"
        )
    return inner.sql if inner.sql.endswith("::DOUBLE") else f"{inner.sql}::DOUBLE"


def narrowed(side: Value) -> Value:
    """A constant in the four bytes of relevance, where it fits."""
    if side.kind != "constant":
        return side
    bare = side.sql.strip("()").removesuffix("::DOUBLE")
    return side if abs(float(bare)) > LARGEST_REAL else Value(f"({bare})::REAL" if bare.startswith("-") else f"{bare}::REAL", "constant")


def is_bare(attribute: Attribute) -> bool:
    """Whether a name is none of an attribute, so that quotes were meant."""
    return attribute.owner is None and ALIASES.get(attribute.name, attribute.name) not in KNOWN


def term(column: str, lexicon: Lexicon) -> str:
    """SQL of a column in the spelling of the lexicon's terms."""
    if all(entry.isascii() for entry, _ in lexicon.entries):
        return column
    joiners = quoted("\u200b\u200c\u200d\u2060\ufeff\u00ad")
    return f"translate(nfc_normalize({column}), {joiners}, '')"
