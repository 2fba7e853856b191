"""From a row of an answer to what stands behind it: rows of the store, documents, and words in their context.

A question in SQL says it in its header, an answer computed in Python gives an `Evidence`:

    -- rows word_relevance: kind = 'word' AND lemma = {term} AND label IS NOT DISTINCT FROM {label} AND model = {model}
    -- pattern [lemma={term} & explained={label}$also]

`{column}` stands for a value of the answer's row, `$parameter` for a parameter of the question. In `rows` they become SQL literals (a
missing value is NULL: compare by IS NOT DISTINCT FROM where it may be missing), in `pattern` texts of CQL, taken letter by letter; `$also`
becomes the question's choice of corpus and split, and of label in pairs. In a question, `rows` may name one of its own table expressions
instead of a view (`rows placed of relevance: …`: the column that is summed); of a view only what its `chosen` leaves is taken. In
`pattern`, `{column!}` is the pattern that the column holds.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import InputError
from workbench.store.connection import registered
from workbench.store.literal import quoted

if TYPE_CHECKING:
    from workbench.patterns import Hits
    from workbench.store import Store

PLACE = re.compile(r"\{(?P<column>\w+)(?P<ready>!?)\}")
#: What stands where there is no word: no pattern of words finds it.
NO_WORD = frozenset({"none", "special", "uncovered", "rest"})
#: Columns and parameters of an answer that are options of `workbench find`.
OPTIONS = ("model", "composite", "role")
#: Parameters that narrow an answer in a way no pattern can say.
BEYOND_PATTERNS = ("predicted", "languages")
#: Views whose rows have a relevance that can be summed.
SUMMED = (
    "word_relevance", "token_relevance", "position_relevance", "position_layers", "layer_relevance", "component_relevance", "interactions",
    "contributions", "word_contributions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows of `view` that satisfy `where` stand behind a row of an answer; `pattern`, where there is one, finds its words in CQL.

    `value` is the column that is summed by document (relevance, in views that have it); `ctes` are table expressions to read before
    (`WITH … AS (…)`), of which `view` may be one; `instead` has other patterns for values of a parameter (name, value, pattern).
    """

    view: str
    where: str
    pattern: str | None = None
    value: str | None = None
    ctes: str = ""
    instead: tuple[tuple[str, str, str], ...] = ()

    def lead(self, row: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Lead:
        """What stands behind one row."""
        given = dict(parameters or {})
        before = with_parameters(self.ctes, given)
        rows = f"SELECT * FROM {self.view} WHERE {literal(self.where, row, given)}"
        value = self.value or ("relevance" if self.view in SUMMED else None)
        total, by = (f", sum(x.{value}::DOUBLE) AS {value}", f"abs(sum(x.{value}::DOUBLE))") if value else ("", "count(*)")
        documents = (
            f"{before + ',' if before else 'WITH'} behind AS (\n    {rows}\n)\n"
            f"SELECT d.corpus, d.identifier, d.label, count(*) AS occurrences{total}\n"
            f"FROM behind x JOIN documents d ON d.document = x.document\nGROUP BY ALL ORDER BY {by} DESC, d.corpus, d.identifier"
        )
        options = {name: str(found) for name in OPTIONS if (found := row.get(name, given.get(name))) is not None}
        return Lead(dict(row), f"{before}\n{rows}".strip(), documents, self.words(row, given), options)

    def strongest(self, store: Store, frame: pl.DataFrame, parameters: Mapping[str, Any], most: int = 3) -> list[list[str]]:
        """At most `most` identifiers of the documents behind each row of an answer, those first that hold most: one pass for all rows."""
        given = dict(parameters)
        before = with_parameters(self.ctes, given)
        columns = dict.fromkeys(match["column"] for match in PLACE.finditer(self.where))
        rows = frame.select(pl.col(name).alias(f"of_{name}") for name in columns).with_row_index("of_row")
        where = PLACE.sub(lambda match: f"of_{match['column']}", with_parameters(self.where, given))
        value = self.value or ("relevance" if self.view in SUMMED else None)
        held = f"abs(sum({value}::DOUBLE))" if value else "count(*)"
        with registered(store.connection, "src_behind", rows):
            found = store.sql(f"""{before + "," if before else "WITH"} behind AS (
    SELECT of_row, document, {held} AS held FROM src_behind JOIN {self.view} ON {where} GROUP BY ALL
), first AS (SELECT * FROM behind QUALIFY row_number() OVER (PARTITION BY of_row ORDER BY held DESC, document) <= {most:d})
SELECT of_row, list(d.identifier ORDER BY held DESC, document) AS documents FROM first JOIN documents d USING (document) GROUP BY of_row""")
        held_by = dict(found.iter_rows())
        return [held_by.get(row, []) for row in range(len(frame))]

    def words(self, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
        """The pattern of one row; none where the row is of what is no word, or the question narrower than a pattern can say."""
        pattern = next((other for name, value, other in self.instead if parameters.get(name) == value), self.pattern)
        beyond = any(parameters.get(name) for name in BEYOND_PATTERNS) or ":" in str(parameters.get("split") or "")
        if pattern is None or beyond:
            return None
        named = [row.get(match["column"]) for match in PLACE.finditer(pattern)]
        if any(value is None or str(value) in NO_WORD for value in named):
            return None
        narrowed = ("corpus", "split", "label") if "~>" in pattern else ("corpus", "split")
        also = "".join(f" & {name}={cql(str(parameters[name]))}" for name in narrowed if parameters.get(name) is not None)
        filled = PLACE.sub(
            lambda match: str(row[match["column"]]) if match["ready"] else cql(str(row[match["column"]])), pattern.replace("$also", "\0")
        )
        return filled.replace("\0", also)


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

    def command(self, store: Path) -> str:
        """The command that shows all its words in context; of a lead with a pattern."""
        options = "".join(f" --{name} {shlex.quote(value)}" for name, value in self.options.items())
        return f"workbench find {shlex.quote(str(self.pattern))} --store {shlex.quote(str(store))}{options}"

    def hits(self, store: Store, limit: int) -> Hits:
        """Its words, the most relevant first; of a lead with a pattern."""
        from workbench.patterns import find  # the room of patterns brings a parser along

        model, composite, role = (self.options.get(name) for name in OPTIONS)
        return find(store, str(self.pattern), model=model, composite=composite, role=role, limit=limit)


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
