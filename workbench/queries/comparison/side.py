"""The two sides of a comparison: which store, model, composite and run each one is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from workbench.errors import StoreError
from workbench.store import Store

HELD = """
SELECT e.model, e.composite, b.run, bool_and(e.member_of IS NOT NULL) AS member, count(*) AS explanations
FROM explanations e LEFT JOIN batches b USING (batch) WHERE NOT contains(e.role, '~') GROUP BY ALL ORDER BY ALL"""
KEYS = ("store", "model", "composite", "run")
EXPLAINED = """
SELECT e.explanation, e.document, d.corpus, d.identifier, e.role, e.label, e.target, e.target_value, e.tokens, d.label AS gold
FROM explanations e JOIN documents d USING (document) LEFT JOIN batches b ON b.batch = e.batch
WHERE e.model = $model AND e.composite = $composite AND ($run::INTEGER IS NULL OR b.run = $run) AND NOT contains(e.role, '~')
ORDER BY e.explanation"""


@dataclass(frozen=True, slots=True)
class Side:
    """One side: the explanations of one model under one composite in one store, of one run where `run` is named."""

    store: Store
    model: str
    composite: str
    run: int | None = None

    @property
    def shown(self) -> str:
        """The side in words."""
        return f"{self.model} by {self.composite}" + ("" if self.run is None else f" in run {self.run}")

    @property
    def explanations(self) -> pl.DataFrame:
        """explanation, document, corpus, identifier, role, label, target, target_value, tokens, gold."""
        return self.store.sql(EXPLAINED, {"model": self.model, "composite": self.composite, "run": self.run})


def parsed(text: str) -> dict[str, str]:
    """What a person wrote for a side, as keys and values: `model=…,composite=…,run=…,store=…`, or one bare value, told by what it is.

    A bare value is a run where it is a number, a store where it is a file, a model or composite otherwise (key `name`).
    """
    if "=" not in text:
        if text.isdigit():
            return {"run": text}
        return {"store": text} if Path(text).is_file() else {"name": text}
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or key.strip() not in KEYS or not value.strip():
            raise StoreError(f"compare {text}", f"{part!r}", f"write {', '.join(f'{name}=…' for name in KEYS)}, joined by commas")
        found[key.strip()] = value.strip()
    return found


def side(store: Store, *, name: str | None = None, model: str | None = None, composite: str | None = None, run: int | None = None) -> Side:
    """The side that is meant; `name` is a model or a composite. StoreError where not exactly one thing is meant, with what is there."""
    asked = "choose a side of the comparison"
    held = every = store.sql(HELD)
    if every.is_empty():
        raise StoreError(asked, f"no relevance of words in {store.path}", "explain documents first: workbench run")
    if name is not None:
        models, composites = set(held["model"]), set(held["composite"])
        if name not in models | composites:
            raise StoreError(asked, f"no model or composite {name} in {store.path}", f"it holds {listed(every)}")
        model, composite = (name, composite) if name in models else (model, name)
    given = {"model": model, "composite": composite, "run": run}
    for column, value in given.items():
        if value is not None:
            held = held.filter(pl.col(column) == value)
    if held.is_empty():
        wanted = ", ".join(f"{column} {value}" for column, value in given.items() if value is not None)
        raise StoreError(asked, f"nothing of {wanted} in {store.path}", f"it holds {listed(every)}")
    if model is None and not held["member"].all():
        held = held.filter(~pl.col("member"))
    kinds = held.select("model", "composite").unique(maintain_order=True)
    if len(kinds) > 1:
        remedy = "choose one by model=…,composite=…"
        raise StoreError(asked, f"several in {store.path}: {listed(held)}", remedy)
    model, composite = kinds.row(0)
    return Side(store, str(model), str(composite), run)


def listed(held: pl.DataFrame) -> str:
    """What a store holds, in words."""
    kinds = held.group_by("model", "composite", maintain_order=True).agg(pl.col("run").drop_nulls().unique().sort())
    said = []
    for model, composite, runs in kinds.iter_rows():
        numbers = f" (run {', '.join(map(str, runs))})" if len(runs) else ""
        said.append(f"{model} by {composite}{numbers}")
    return "; ".join(said)


def of_side(side: Side, pairs: pl.DataFrame, name: str, statement: str) -> pl.DataFrame:
    """Rows of a statement over the table `compared`: the pairs with the explanation and document of the side called `name`."""
    chosen = pairs.select("pair", pl.col(f"{name}_explanation").alias("explanation"), pl.col(f"{name}_document").alias("document"), "role")
    connection = side.store.connection
    connection.register("compared", chosen)
    try:
        return side.store.sql(statement)
    finally:
        with suppress(duckdb.Error):
            connection.unregister("compared")
