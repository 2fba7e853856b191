"""Whose relevance: the model, composite and role that a pattern is matched for, from what the store holds."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from workbench.errors import StoreError
from workbench.patterns.source import Source
from workbench.store import Store

#: Stands between the two roles of a pair: text_a~text_b.
PAIR = "~"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `source` is where words are read, `pair` the role of pairs, None where a pattern is of one text."""

    model: str | None
    composite: str | None
    role: str | None
    source: Source


def choose(
    store: Store,
    *,
    model: str | None,
    composite: str | None,
    role: str | None,
    run: int | None = None,
    pair: bool = False,
    asked: str = "find a pattern",
) -> Choice:
    """The choice for a pattern; StoreError where the store has several and none is named, or has not what is named.

    Without a model: the only one that is no mere member of an ensemble. Without a role: all texts of a document; for pairs the only pair.
    """
    held = store.sql(
        "SELECT model, composite, role, run, bool_and(member_of IS NOT NULL) AS member FROM explanations LEFT JOIN batches USING (batch) "
        "GROUP BY ALL ORDER BY ALL"
    )
    held = held.filter(pl.col("role").str.contains(PAIR, literal=True) == pair)
    if held.is_empty():
        if pair:
            raise StoreError("find pairs", "no interactions in this store", "explain pairs of texts first: workbench run")
        if model is not None or composite is not None or run is not None:
            raise StoreError(asked, "no relevance in this store", "ask without model, composite and run: words alone are searched")
        roles = store.sql("SELECT DISTINCT role FROM words ORDER BY role")["role"].to_list()
        if role is not None:
            one("role", roles, role, None, asked)
        return Choice(None, None, role, Source(relevance=False, chosen=(("role", role),) if role and len(roles) > 1 else ()))
    every = held
    if run is not None and (held := held.filter(pl.col("run") == run)).is_empty():
        runs = ", ".join(str(number) for number in sorted(every["run"].drop_nulls().unique()))
        raise StoreError(asked, f"no relevance of run {run} in this store", f"choose one of {runs}")
    model = one("model", names(held, "model"), model, names(held.filter(~pl.col("member")), "model"), asked)
    held = held.filter(pl.col("model") == model)
    composite = one("composite", names(held, "composite"), composite, names(held, "composite"), asked)
    held = held.filter(pl.col("composite") == composite)
    if role is not None or pair:
        role = one("role", names(held, "role"), role, names(held, "role"), asked)
    given = {"model": model, "composite": composite, "role": role}
    chosen = tuple((column, value) for column, value in given.items() if value is not None and every[column].n_unique() > 1)
    return Choice(model, composite, role, Source(chosen=chosen, run=run if run is not None and every["run"].n_unique() > 1 else None))


def names(frame: pl.DataFrame, column: str) -> list[str]:
    """The values of a column."""
    return sorted(frame[column].unique().to_list())


def one(what: str, held: list[str], wanted: str | None, candidates: list[str] | None, asked: str = "find a pattern") -> str:
    """The value that is meant."""
    listed = ", ".join(held)
    if wanted is not None:
        if wanted not in held:
            raise StoreError(asked, f"no {what} {wanted} with relevance in this store", f"choose one of {listed}")
        return wanted
    if not candidates or len(candidates) > 1:
        choices = ", ".join(candidates or held)
        raise StoreError(asked, f"several {what}s and none chosen: {choices}", f"choose one: {what}=…, or --{what} on the command line")
    return candidates[0]
