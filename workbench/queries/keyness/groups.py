"""What is set against what: two groups of documents, or one group as two models (composites, classes, texts) see it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.errors import StoreError
from workbench.patterns.choice import PAIR, choose
from workbench.store import Store
from workbench.store.literal import quoted

#: What documents and explanations can be told apart by, as SQL over the aliases e (explanation), d (document), b (predicted class).
ATTRIBUTES: Mapping[str, str] = {
    "label": "d.label",
    "split": "d.split",
    "language": f"coalesce(CASE WHEN NOT contains(e.role, '{PAIR}') THEN d.metadata -> 'languages' ->> e.role END, d.language)",
    "corpus": "d.corpus",
    "role": "e.role",
    "explained": "e.label",
    "predicted": "b.label",
    "correct": "CASE WHEN b.label = d.label THEN 'right' WHEN b.label <> d.label THEN 'wrong' END",
    "model": "e.model",
    "composite": "e.composite",
    "run": "t.run::VARCHAR",
}
METADATA = re.compile(r"metadata\.(?P<field>.+)")
SPAN = re.compile(r"(?P<low>.*)\.\.(?P<high>.*)")
#: Documents up to which each is a unit of its own; of more, documents are drawn together in blocks.
UNITS = 10_000
SHOWN_VALUES = 12

Values = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Groups:
    """Two groups, `focus` against `reference`, told apart `by` an attribute; without named values the reference is everything else.

    `chosen` is SQL with a row for each explanation: explanation, document, side (1 focus, 0 reference), unit. Where a document stands in
    both groups the comparison is `paired`: only such documents count, each a unit of its own, once on either side. Otherwise units are
    documents, or random blocks of `block` documents of one group where there are more than 10,000. `rows` is SQL of the explanations of
    reference and focus alone.
    """

    by: str
    focus: tuple[str, ...]
    reference: tuple[str, ...]
    model: str | None
    composite: str | None
    documents: tuple[int, int]
    paired: bool
    block: int
    chosen: str
    rows: tuple[str, str]
    notices: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """Focus and reference in words."""
        return " or ".join(self.focus), " or ".join(self.reference) or f"every other {self.by}"


def attribute(asked: str, name: str) -> str:
    """The SQL of an attribute; StoreError names those there are."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    if match := METADATA.fullmatch(name):
        return f"d.metadata ->> {quoted(match['field'])}"
    raise StoreError(asked, f"no attribute {name}", f"use one of {', '.join(ATTRIBUTES)}, or metadata.FIELD")


def listed(values: Values | None) -> list[str]:
    """One or several values as a list."""
    return [] if values is None else [values] if isinstance(values, str) else list(values)


def condition(expression: str, values: Sequence[str]) -> str:
    """SQL that is true where an expression is one of the values; `a..b` is a span, of numbers where its ends are numbers, else of texts."""
    parts = []
    if single := [value for value in values if not SPAN.fullmatch(value)]:
        parts.append(f"{expression} IN ({', '.join(map(quoted, single))})")
    for match in filter(None, map(SPAN.fullmatch, values)):
        numeric = all(number(end) for end in match.groups() if end) and any(match.groups())
        subject = f"try_cast({expression} AS DOUBLE)" if numeric else f"({expression})"
        ends = [f"{subject} {sign} {end if numeric else quoted(end)}" for sign, end in ((">=", match["low"]), ("<=", match["high"])) if end]
        parts.append("(" + " AND ".join(ends or [f"{subject} IS NOT NULL"]) + ")")
    return "(" + " OR ".join(parts) + ")"


def number(text: str) -> bool:
    """Whether a text is a number."""
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is not None


def groups(
    store: Store,
    by: str,
    focus: Values | None,
    reference: Values | None = None,
    *,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    where: Mapping[str, Values] | None = None,
    seed: int = 0,
    asked: str = "compare two groups",
) -> Groups:
    """The groups of a comparison; without a `reference` everything else that has the attribute is the reference.

    `where` keeps only what has these values of these attributes. Raises StoreError for an attribute, value, model or composite that is not
    there or not named where there are several, for a group without documents, and for several references of the same documents.
    """
    expression = attribute(asked, by)
    kept = dict(where or {})
    found_model, found_composite = whose(store, by, listed(focus), kept, model=model, composite=composite, role=role, asked=asked)
    named = {"model": found_model, "composite": found_composite, "role": role}
    kept |= {name: value for name, value in named.items() if value is not None}
    wanted, others = listed(focus), listed(reference)
    source, conditions = kept_rows(asked, kept, expression)
    valued = f"SELECT e.explanation, e.document, {expression} AS value\n    FROM {source}\n    WHERE {' AND '.join(conditions)}"
    held = store.sql(
        f"SELECT value, count(DISTINCT document) AS documents FROM ({valued}) WHERE value IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    if not wanted:
        raise StoreError(asked, f"no value of {by} in focus", f"name one: focus=…; there are {known(held)}")
    for values in (wanted, others):
        refuse_unknown(asked, by, held, values)
    in_focus = condition("value", wanted)
    in_reference = condition("value", others) if others else "value IS NOT NULL"
    sided = f"SELECT explanation, document, CASE WHEN {in_focus} THEN 1 WHEN {in_reference} THEN 0 END AS side\n    FROM ({valued})"
    facts = store.sql(f"""
    SELECT count(*) FILTER (focus) AS focus, count(*) FILTER (reference) AS reference, count(*) FILTER (focus AND reference) AS both,
           max(twice) AS twice
    FROM (SELECT document, bool_or(side = 1) AS focus, bool_or(side = 0) AS reference, count(*) FILTER (side = 0) AS twice
          FROM ({sided}) GROUP BY document)""").row(0, named=True)
    paired = bool(facts["both"])
    sizes = (facts["both"],) * 2 if paired else (facts["focus"], facts["reference"])
    if min(sizes) < 2:
        found = f"{sizes[0]:,} documents of {by} {' or '.join(wanted)}, {sizes[1]:,} of {' or '.join(others) or 'all others'}"
        raise StoreError(asked, found, f"choose groups of two documents at least; there are {known(held)}")
    if paired and by not in ("role",) and held.filter(pl.col("value").is_in(wanted).not_()).height > 1 and len(others) != 1:
        raise StoreError(asked, f"documents that stand in several of {known(held)}", f"name one {by} as the reference")
    notices = []
    if paired and (left := facts["focus"] + facts["reference"] - 2 * facts["both"]):
        notices.append(f"{left:,} documents stand in one group alone and are left out: the others are compared with themselves")
    largest = sizes[0] if paired else sum(sizes)
    block = -(-largest // UNITS)
    if block > 1:
        notices.append(f"documents are drawn together in random blocks of {block}")
    alone = [
        f"SELECT e.explanation FROM {source} WHERE {' AND '.join([*conditions, condition(expression, values)])}"
        if values
        else f"SELECT explanation FROM ({sided}) WHERE side = 0"
        for values in (others, wanted)
    ]
    statement = chosen(sided, paired=paired, block=block, seed=seed)
    rows = alone[0], alone[1]
    return Groups(by, tuple(wanted), tuple(others), found_model, found_composite, sizes, paired, block, statement, rows, tuple(notices))


def kept_rows(asked: str, kept: Mapping[str, Values], *expressions: str) -> tuple[str, list[str]]:
    """Tables and SQL conditions of the explanations of single texts that have these values; `expressions` may be read from them as well."""
    source = joined([attribute(asked, name) for name in kept] + list(expressions))
    return source, [f"NOT contains(e.role, '{PAIR}')", *(condition(attribute(asked, name), listed(value)) for name, value in kept.items())]


def whose(
    store: Store, by: str, focus: Sequence[str], kept: Mapping[str, Values], *, model: str | None, composite: str | None, role: str | None,
    asked: str,
) -> tuple[str | None, str | None]:  # fmt: skip
    """Whose relevance by which composite; None for what the groups themselves differ in."""
    if not store.sql("SELECT 1 FROM word_relevance LIMIT 1").height:
        raise StoreError(asked, "no relevance of words in this store", "explain the corpus first: workbench run")
    if by in ("model", "composite") and {"model": model, "composite": composite}[by] is not None:
        raise StoreError(asked, f"a {by} and groups that differ in it", f"name both in focus and reference, none as the {by}")
    found = model
    if by != "model" and "model" not in kept:
        found = choose(store, model=model, composite=composite or first(focus, by == "composite"), role=role, asked=asked).model
    if by == "composite" or "composite" in kept:
        return found, None
    of_model = found or first(focus, by == "model") or first(listed(kept.get("model")), True)
    return found, choose(store, model=of_model, composite=composite, role=role, asked=asked).composite


def first(values: Sequence[str], wanted: bool) -> str | None:
    """The first of several values, if one is wanted."""
    return values[0] if wanted and values else None


def joined(expressions: Sequence[str]) -> str:
    """The tables that expressions are read from."""
    text = " ".join(expressions)
    source = "explanations e JOIN documents d ON d.document = e.document"
    if "b.label" in text:
        best = "(SELECT document, role, model, arg_max(label, (coalesce(votes, 0), probability)) AS label FROM predictions GROUP BY ALL)"
        source += f"\n    LEFT JOIN {best} b ON b.document = e.document AND b.role = e.role AND b.model = e.model"
    if "t.run" in text:
        source += " LEFT JOIN batches t ON t.batch = e.batch"
    return source


def chosen(sided: str, *, paired: bool, block: int, seed: int) -> str:
    """Explanations with their side and unit."""
    both = "QUALIFY count(DISTINCT side) OVER (PARTITION BY document) = 2" if paired else ""
    order = f"row_number() OVER ({'' if paired else 'PARTITION BY side '}ORDER BY hash(document, {seed:d}), document) - 1"
    distinct = "SELECT DISTINCT document" + ("" if paired else ", side") + " FROM sided"
    number = f"({order}) // {block}" if paired else f"2 * (({order}) // {block}) + side"
    return f"""sided AS (
    {sided}
    WHERE side IS NOT NULL {both}
), unit AS (
    SELECT document, {number} AS unit FROM ({distinct})
), chosen AS MATERIALIZED (
    SELECT s.explanation, s.document, s.side, u.unit FROM sided s JOIN unit u ON u.document = s.document
)"""


def known(held: pl.DataFrame) -> str:
    """The values there are, with their documents."""
    shown = [f"{value} ({documents:,})" for value, documents in held.head(SHOWN_VALUES).iter_rows()]
    more = [f"and {len(held) - SHOWN_VALUES} more"] if len(held) > SHOWN_VALUES else []
    return ", ".join(shown + more) or "none"


def refuse_unknown(asked: str, by: str, held: pl.DataFrame, values: Sequence[str]) -> None:
    """StoreError for a value that no document has."""
    there = set(held["value"])
    if absent := [value for value in values if value not in there and not SPAN.fullmatch(value)]:
        raise StoreError(asked, f"no document of {by} {', '.join(absent)}", f"choose among {known(held)}")
