"""Relevance keyness: what carries more relevance in one group of documents than in another, and how sure that is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from workbench.errors import InputError
from workbench.patterns.lexicon import Given
from workbench.queries.answer import Answer
from workbench.queries.keyness.effects import RESAMPLES, effects, null_range
from workbench.queries.keyness.groups import Groups, Values, groups
from workbench.queries.keyness.items import MEASURES, Items, items
from workbench.queries.keyness.leads import evidence
from workbench.queries.keyness.permutation import PERMUTATIONS, SHUFFLES, Expected, Judged, judge
from workbench.queries.keyness.table import Table, entries_sql, table
from workbench.queries.opening import opened
from workbench.queries.trust import trust
from workbench.store import Store
from workbench.viz.figures import interval

if TYPE_CHECKING:
    from altair import LayerChart

Side: TypeAlias = Literal["focus", "reference", "both"]
Order: TypeAlias = Literal["certainty", "effect", "lift"]
LEVEL = 0.05
ASKED = "find key items"
#: Heads of a page, and the columns that stand under them.
KEY_COLUMNS = {"docs": "documents", "maths": "simple_maths", "G2": "log_likelihood"}


@dataclass(frozen=True, slots=True)
class Keyness(Answer):
    """Key items of a focus against a reference, the most certain first; `tested` counts the items that were tested.

    `frame` has the columns of `workbench.queries.keyness.effects` and side (where the item is key), statistic, p_value, q_value,
    significant, reading. `significant` counts the items of both sides with q <= 0.05, `null` those called significant with shuffled labels,
    one number for each shuffle.
    """

    groups: Groups | None = None
    tested: int = 0
    significant: int = 0
    null: tuple[int, ...] = ()

    @property
    def control(self) -> str:
        """The null control in words."""
        found = f"{self.significant:,} of {self.tested:,} significant (q <= {LEVEL})"
        if not self.null:
            return f"{found}; no null control"
        alarms, mean = sum(number > 0 for number in self.null), sum(self.null) / len(self.null)
        return f"{found}; with shuffled labels {mean:.2g} on average, any in {alarms} of {len(self.null)} shuffles"

    @property
    def brief(self) -> Answer:
        """The same with the columns that a terminal has room for: effects with intervals, the null control and the classical measures."""
        return replace(self, frame=brief(self.frame))

    @property
    def chart(self) -> LayerChart:
        """Lift by frequency: rare and decisive stands upper left, frequent and idle lower right."""
        from workbench.viz.keyness_charts import key_items

        return key_items(self.frame, self.title)


def brief(frame: pl.DataFrame, null: str = "shuffled", besides: Mapping[str, str] = KEY_COLUMNS) -> pl.DataFrame:
    """The columns of a page, intervals in one column each, the item last; `null` heads the range of the null control."""
    signed = frame["log_ratio"].null_count() == len(frame)
    effect = "difference" if signed else "log_ratio"

    def both(low: str, high: str) -> pl.Series:
        return pl.Series([interval(start, end, 2) for start, end in frame.select(low, high).iter_rows()], dtype=pl.String)

    columns = {
        "q": frame["q_value"], effect: frame[effect], "95 %": both(f"{effect}_low", f"{effect}_high"), null: both("null_low", "null_high"),
        "lift": frame["lift"], **{head: frame[name] for head, name in besides.items()}, "item": frame["item"],
    }  # fmt: skip
    return pl.DataFrame(columns)


def keyness(
    store: Store | str | os.PathLike[str],
    focus: Values | None,
    reference: Values | None = None,
    *,
    by: str = "label",
    what: str = "lemma",
    n: int = 1,
    relevance: str = "positive",
    expected: Expected = "share",
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    where: Mapping[str, Values] | None = None,
    lexicon: Given | None = None,
    punctuation: bool = False,
    case: bool = False,
    minimum_documents: int = 5,
    minimum_occurrences: int = 5,
    side: Side = "focus",
    order: Order = "certainty",
    limit: int | None = 50,
    permutations: int = PERMUTATIONS,
    shuffles: int = SHUFFLES,
    resamples: int = RESAMPLES,
    added: float = 1.0,
    seed: int = 0,
) -> Keyness:
    """What carries more relevance for `focus` than for `reference` (values of `by`; without a reference everything else).

    `by` is label, split, language, corpus, role, explained, predicted, correct, model, composite, run or metadata.FIELD; a value a..b is a
    span (a period); `where` keeps only what has these values of such attributes. `what` is form, lemma, upos, xpos, relation, entity,
    feature or lexicon, in sequences of `n`. `relevance` counts what speaks for the target (positive), against it (negative), both
    (absolute), or the sum with its sign (signed, by difference instead of log ratio); `expected` is in proportion to an item's share of all
    relevance, or to its occurrences. Documents are the unit of test and interval. Raises StoreError and InputError for what is not there or
    cannot be compared.
    """
    counted = items(what, n, lexicon=lexicon, punctuation=punctuation, case=case, asked=ASKED)
    refuse(ASKED, relevance, expected, side, order, limit, permutations)
    with opened(store) as reader:
        sides = groups(reader, by, focus, reference, model=model, composite=composite, role=role, where=where, seed=seed, asked=ASKED)
        held = table(reader, sides, counted, relevance, minimum_documents=minimum_documents, minimum_occurrences=minimum_occurrences)
        stands = {name: value for name, value in (where or {}).items() if name in ("corpus", "split") and isinstance(value, str)}
        trusted = trust(reader, model=sides.model, composite=sides.composite, **stands)
    found = judge(held, expected=expected, permutations=permutations, shuffles=shuffles, level=LEVEL, seed=seed)
    signed = relevance == "signed"
    frame = framed(held, found, side, order, limit, signed=signed, expected=expected, resamples=resamples, added=added, seed=seed)
    shown = {"focus": found.statistic > 0, "reference": found.statistic < 0}.get(side, np.ones(len(held.items), np.bool_))
    answer = Keyness(
        title=f"{counted.plural}: more relevance ({relevance}) in {by} {sides.names[0]} than in {sides.names[1]}, by {expected}",
        frame=frame,
        trust=trusted,
        sql=entries_sql(sides, counted, relevance, minimum_documents, minimum_occurrences),
        method=f"{permutations:,} permutations and {resamples:,} bootstrap resamples of documents, in Python (workbench.queries.keyness)",
        evidence=evidence(counted, sides),
        total=int(shown.sum()),
        parameters={"model": sides.model, "composite": sides.composite, "role": role},
        groups=sides,
        tested=len(held.items),
        significant=int((found.q_values <= LEVEL).sum()),
        null=tuple(map(int, found.discoveries)),
    )
    return replace(answer, notices=(answer.control, *sides.notices, *missing(counted, held, minimum_documents, minimum_occurrences)))


def missing(counted: Items, held: Table, minimum_documents: int, minimum_occurrences: int) -> list[str]:
    """Sentences about what was not counted."""
    notices = []
    if counted.lexicon is not None and counted.lexicon.phrases:
        notices.append(f"{counted.lexicon.phrases:,} lexicon terms of several words match no single word")
    if not held.items:
        notices.append(f"no {counted.name} stands in {minimum_documents} documents and {minimum_occurrences} times")
    return notices


def refuse(asked: str, relevance: str, expected: str, side: str, order: str, limit: int | None, permutations: int) -> None:
    """InputError for a choice that is none."""
    choices = (
        ("measure", relevance, tuple(MEASURES)), ("expectation", expected, ("share", "occurrences")),
        ("side", side, ("focus", "reference", "both")), ("order", order, ("certainty", "effect", "lift")),
    )  # fmt: skip
    for what, given, among in choices:
        if given not in among:
            raise InputError(asked, f"the {what} {given!r}", f"choose one of {', '.join(among)}")
    if limit is not None and limit < 0:
        raise InputError(asked, f"the limit {limit}", "give a number of items, 0 for all")
    if permutations < 1:
        raise InputError(asked, f"{permutations} permutations", "give at least 1; 9,999 find significance among thousands of items")


def framed(
    held: Table,
    found: Judged,
    side: Side,
    order: Order,
    limit: int | None,
    *,
    signed: bool,
    expected: Expected,
    resamples: int,
    added: float,
    seed: int,
) -> pl.DataFrame:
    """The rows that are shown."""
    chosen = np.arange(len(held.items))
    if side != "both":
        chosen = chosen[found.statistic > 0] if side == "focus" else chosen[found.statistic < 0]
    places = chosen[np.lexsort((-np.abs(found.statistic[chosen]), found.q_values[chosen]))]
    if order == "certainty" and limit:
        places = places[:limit]
    frame = effects(held, places, signed=signed, expected=expected, resamples=resamples, seed=seed, added=added)
    null = null_range(held, places, signed=signed, expected=expected, seed=seed)
    frame = frame.with_columns(
        pl.Series("null_low", null[0], pl.Float64, nan_to_null=True),
        pl.Series("null_high", null[1], pl.Float64, nan_to_null=True),
        pl.Series("side", np.where(found.statistic[places] > 0, "focus", "reference"), pl.String),
        pl.Series("statistic", found.statistic[places], pl.Float64),
        pl.Series("p_value", found.p_values[places], pl.Float64),
        pl.Series("q_value", found.q_values[places], pl.Float64),
        pl.Series("significant", found.q_values[places] <= LEVEL, pl.Boolean),
    )
    frame = frame.with_columns(reading(frame))
    if order != "certainty":
        by = pl.col("lift") if order == "lift" else pl.col("difference" if signed else "log_ratio").abs()
        frame = frame.sort(~pl.col("significant"), -by, "item", nulls_last=True, maintain_order=True).head(limit or len(frame))
    return frame


def reading(frame: pl.DataFrame) -> pl.Expr:
    """How relevance and frequency go together, on the side where the item is key.

    Decisive: each occurrence carries more than a word does on average (the interval of the lift lies above 1); idle: less. Frequent and
    rare are apart at the middle (median frequency) of the items that are shown.
    """
    there = pl.col("side") == "focus"
    low, high = (pl.when(there).then(f"lift_{end}").otherwise(f"reference_lift_{end}") for end in ("low", "high"))
    frequency = pl.when(there).then("frequency").otherwise("reference_frequency")
    middle = frame.select(frequency.median()).item() if len(frame) else 0.0
    how = pl.when(low > 1).then(pl.lit("decisive")).when(high < 1).then(pl.lit("idle")).otherwise(pl.lit("average"))
    often = pl.when(frequency >= middle).then(pl.lit("frequent, ")).otherwise(pl.lit("rare, "))
    return (often + how).alias("reading")
