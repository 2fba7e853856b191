"""From a row of an answer to what stands behind it: rows of the store, documents, and words in their context.

A question in SQL says it in its header, an answer computed in Python gives an `Evidence`:

    -- rows word_relevance: kind = 'word' AND lemma = {term} AND label IS NOT DISTINCT FROM {label} AND model = {model}
    -- pattern [lemma={term} & explained={label}]

`{column}` stands for a value of the answer's row, `$parameter` for a parameter of the question. In `rows` they become SQL literals (a
missing value is NULL: compare by IS NOT DISTINCT FROM where it may be missing), in `pattern` texts of CQL, taken letter by letter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.patterns.comparing import quoted

PLACE = re.compile(r"\{(?P<column>\w+)\}")
#: What stands where there is no word: no pattern of words finds it.
NO_WORD = frozenset({"none", "special", "uncovered", "rest"})
#: Columns and parameters of an answer that are options of `workbench find`.
OPTIONS = ("model", "composite", "role")
#: Views whose rows have a relevance that can be summed.
WITHOUT_RELEVANCE = frozenset({"documents", "explanations", "pairs", "predictions", "words", "tokens", "faithfulness", "qualities"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows of `view` that satisfy `where` stand behind a row of an answer; `pattern`, where there is one, finds its words in CQL."""

    view: str
    where: str
    pattern: str | None = None

    def lead(self, row: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Lead:
        """What stands behind one row."""
        given = dict(parameters or {})
        condition = literal(self.where, row, given)
        rows = f"SELECT * FROM {self.view} WHERE {condition}"
        relevance = self.view not in WITHOUT_RELEVANCE
        total, by = (", sum(x.relevance::DOUBLE) AS relevance", "abs(sum(x.relevance::DOUBLE))") if relevance else ("", "count(*)")
        documents = (
            f"SELECT d.corpus, d.identifier, d.label, count(*) AS occurrences{total}\n"
            f"FROM ({rows}) x JOIN documents d ON d.document = x.document\nGROUP BY ALL ORDER BY {by} DESC, d.corpus, d.identifier"
        )
        options = {name: str(value) for name in OPTIONS if (value := row.get(name, given.get(name))) is not None}
        return Lead(dict(row), rows, documents, self.words(row), options)

    def words(self, row: Mapping[str, Any]) -> str | None:
        """The pattern of one row; none where the row is of what is no word."""
        if self.pattern is None:
            return None
        named = [row.get(match["column"]) for match in PLACE.finditer(self.pattern)]
        if any(value is None or str(value) in NO_WORD for value in named):
            return None
        return PLACE.sub(lambda match: cql(str(row[match["column"]])), self.pattern)


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands behind one row: SQL of its `rows` and of its `documents`, the strongest first, and a CQL `pattern` of its words.

    `options` (model, composite, role) are those with which `workbench find` looks for the pattern.
    """

    values: dict[str, Any]
    rows: str
    documents: str
    pattern: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def literal(template: str, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """A template with the row's and the question's values as SQL literals."""

    def of_row(match: re.Match[str]) -> str:
        if match["column"] not in row:
            raise InputError("say what stands behind a row", f"no column {match['column']}", f"it has {', '.join(row)}")
        return value_as_sql(row[match["column"]])

    return PLACE.sub(of_row, with_parameters(template, parameters))


def with_parameters(statement: str, parameters: Mapping[str, Any]) -> str:
    """A statement with its parameters `$name` as SQL literals, so that any DuckDB client runs it."""
    if not parameters:
        return statement
    place = re.compile(rf"\$(?P<name>{'|'.join(map(re.escape, sorted(parameters, key=len, reverse=True)))})\b")
    return place.sub(lambda match: value_as_sql(parameters[match["name"]]), statement)


def value_as_sql(value: object) -> str:
    """A value as an SQL literal: nothing in it can end the literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value!r}::DOUBLE" if math.isfinite(value) else f"'{value}'::DOUBLE"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_as_sql(item) for item in value) + "]"
    return quoted(str(value))


def cql(text: str, flags: str = "") -> str:
    """A text of a pattern that is taken letter by letter; the flags c and d leave out case and accents."""
    if text.isalnum():
        return f'"{text}"' + (f"%{flags}" if flags else "")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + f'"%l{flags}'
