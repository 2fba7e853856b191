"""The interactions of any two texts of a store, whether or not they stand in a pair: a product of their factors."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import polars as pl

from workbench.errors import StoreError
from workbench.queries.factors import chosen, matrix, one_of, stored_models
from workbench.queries.question import Value, describe
from workbench.store import Store

UNITS = """
SELECT f.kind, f.word, f.precision, f.vector, w.form, w.lemma, w.upos, w.relation
FROM factors f LEFT JOIN words w ON w.document = f.document AND w.role = f.role AND w.word = f.word
WHERE f.explanation = $explanation AND (w.document IS NULL OR w.document = $document)"""

ANNOTATION = ("form", "lemma", "upos", "relation")


def pair_interactions(
    store: Store | str | os.PathLike[str],
    left: str,
    right: str,
    model: str | None = None,
    *,
    composite: str | None = None,
    measure: str | None = None,
) -> pl.DataFrame:
    """Interactions of two stored texts, given as they are written or as `identifier:role`; the strongest first.

    Columns are those of the store's view `interactions`, without `explanation`; all cells sum to the similarity. Raises StoreError for a
    text that is not stored, that has no factors, or whose factors are of several models of which none is chosen.
    """
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return pair_interactions(opened, left, right, model, composite=composite, measure=measure)
    values = chosen("pair_interactions", left=left, right=right, model=model, composite=composite, measure=measure)
    found = store.sql(describe("pair_interactions").statement, values)
    return of_found(store, found, values)


def of_found(store: Store, found: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The same from the explanations of both texts."""
    asked = "interactions of two texts"
    if len(found):
        one_of(found, asked)
    sides = []
    for side in ("left", "right"):
        of_side = found.filter(pl.col(f"is_{side}"))
        units = pl.DataFrame()
        for explanation, document in of_side.select("explanation", "document").iter_rows():
            units = store.sql(UNITS, {"explanation": explanation, "document": document})
            if len(units):
                break
        if units.is_empty():
            name = str(values[side])
            said = f"no factors of the {side} text {name[:60]!r}; the store has those of {', '.join(stored_models(store)) or 'no model'}"
            raise StoreError(asked, said, "give a stored text as it is written, or identifier:role")
        sides.append(units)
    return cells(sides[0], sides[1])


def cells(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """All products of the factors of two texts, with the annotation of both ends, the strongest first."""
    one, other = matrix(left).astype(np.float64), matrix(right).astype(np.float64)
    if one.shape[1] != other.shape[1]:
        found = f"factors of {one.shape[1]} and {other.shape[1]} dimensions"
        raise StoreError("interactions of two texts", found, "make the store again with one version of the model")
    product = (one @ other.T).ravel()
    order = np.argsort(-np.abs(product), kind="stable")
    rows, columns = np.divmod(order, len(right))
    ends = [
        side.select(pl.col("kind", "word", *ANNOTATION).name.prefix(f"{name}_"))[places]
        for name, side, places in (("left", left, rows), ("right", right, columns))
    ]
    both = pl.concat(ends, how="horizontal")
    names = {side: pl.coalesce(f"{side}_lemma", f"{side}_form").str.to_lowercase() for side in ("left", "right")}
    matched = (
        pl.when((pl.col("left_kind") != "word") | (pl.col("right_kind") != "word")).then(None)
        .when(pl.col("left_form").str.to_lowercase() == pl.col("right_form").str.to_lowercase()).then(pl.lit("identical"))
        .when(names["left"] == names["right"]).then(pl.lit("lemma"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip
    return both.with_columns(matched.alias("matched"), pl.Series("relevance", product[order]))
