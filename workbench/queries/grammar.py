"""Grammar of relevance: how much of it parts of speech, relations, features and places hold, beside their share of the words."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from workbench.queries.question import Value
from workbench.queries.semantics.shares import ENDS, WHO, of_items
from workbench.store import Store

NUMBERS = ("lift", *ENDS["lift"], "share", *ENDS["share"], "mean", *ENDS["mean"], "documents", "occurrences")


def of_class(frame: pl.DataFrame, values: Mapping[str, Value], name: str, *, ordered: bool) -> pl.DataFrame:
    """The answer of a question whose rows are sums by document and item; `name` is the class of words, in its own order where `ordered`."""
    found = of_items(frame, values).select(*WHO, pl.col("item").alias(name), *NUMBERS)
    return found.sort(*WHO, name) if ordered else found


def by_upos(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Parts of speech: shares of everything, special and uncovered tokens too; lifts among words."""
    every = of_items(with_whole(frame), values)
    words = of_items(with_whole(frame.filter("word")), values).select(*WHO, "item", "lift", *ENDS["lift"])
    size = (pl.col("size").sum() / pl.col("occurrences").sum()).alias("mean_size")
    sizes = frame.group_by(*WHO, "item").agg(size)
    key = [*WHO, "item"]
    found = every.drop("lift", *ENDS["lift"]).join(words, on=key, how="left", nulls_equal=True, maintain_order="left")
    found = found.join(sizes, on=key, how="left", nulls_equal=True, maintain_order="left")
    first = ("mean", *ENDS["mean"], "mean_size", "share", "lift", *ENDS["lift"], "documents", "occurrences", *ENDS["share"])
    return found.select(*WHO, pl.col("item").alias("upos"), *first)


def with_whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of items, and one without an item for each document, which holds all of them."""
    rows = frame.drop("word")
    whole = rows.group_by(*WHO, "document").agg(
        pl.lit(None, pl.String).alias("item"), pl.col("size", "relevance", "occurrences").sum(), pl.col("documents").max()
    )
    return pl.concat([rows, whole.select(rows.columns)]).sort(*WHO, "document", "item", nulls_last=True)
