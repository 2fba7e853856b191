"""How much relevance classes of words hold: shares, lift over their share of the words, means; intervals by bootstrap over documents."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import sparse

from workbench.queries.question import Value
from workbench.queries.resampling import Numbers, divided, interval, resampled

WHO = ("model", "composite", "label")
#: From rows of one document (or block of them) and item: the size |relevance|, the relevance with its sign, and the words that have it.
ROWS = (*WHO, "document", "item", "size", "relevance", "occurrences")
NUMBERS = ("share", "share_low", "share_high", "lift", "mean", "low", "high")
ENDS = {"share": ("share_low", "share_high"), "lift": ("lift_low", "lift_high"), "mean": ("low", "high")}
COLUMNS = (*WHO, "item", *NUMBERS, "documents", "occurrences", *ENDS["lift"])


def of_items(frame: pl.DataFrame, values: Mapping[str, Value], *, least: int = 1) -> pl.DataFrame:
    """A row for each item of each model, composite and class, the largest share first; `frame` has the columns `ROWS`.

    Rows without an item hold all words of a document: shares are of these. Items in fewer than `least` documents are left out; of blocks
    the column `documents` says how many have the item. Columns: `COLUMNS`. `share` is of the sum of |relevance|, `lift` that share over the
    share of the words, `mean` the relevance of one word.
    """
    counted = frame if "documents" in frame.columns else frame.with_columns(documents=pl.lit(1))
    parts = [of_group(part, values, least) for _, part in counted.group_by(WHO, maintain_order=True)]
    if not parts:
        kinds = dict.fromkeys((*NUMBERS, *ENDS["lift"]), pl.Float64) | dict.fromkeys(("documents", "occurrences"), pl.Int64)
        return pl.DataFrame(schema={name: kinds.get(name, pl.String) for name in COLUMNS})
    return pl.concat(parts).sort(*WHO, "share", "item", descending=[False] * 3 + [True, False], nulls_last=True)


def of_group(frame: pl.DataFrame, values: Mapping[str, Value], least: int) -> pl.DataFrame:
    """The rows of one class."""
    whole = frame.filter(pl.col("item").is_null()).sort("document")
    items = frame.drop_nulls("item").join(whole.select("document").with_row_index("row"), on="document")
    names = items.group_by(*WHO, "item").agg(pl.col("documents").sum().cast(pl.Int64), pl.col("occurrences").sum().cast(pl.Int64))
    names = names.filter(pl.col("documents") >= least).sort("item").with_row_index("column")
    rows = items.join(names.select("item", "column"), on="item")
    at = rows["row"].to_numpy().astype(np.int64), rows["column"].to_numpy().astype(np.int64)
    columns = ("size", "relevance", "occurrences")
    parts = [sparse.csr_array((rows[name].cast(pl.Float64).to_numpy(), at), shape=(len(whole), len(names))) for name in columns]
    wholes = sparse.csr_array(whole.select(pl.col("size", "occurrences").cast(pl.Float64)).to_numpy())
    sizes, relevance, occurrences, all_ = (np.atleast_2d(part.sum(0)) for part in (*parts, wholes))
    exact = measures(sizes, relevance, occurrences, all_)
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    sizes, relevance, occurrences, all_ = (resampled(part, resamples, seed) for part in (*parts, wholes))
    draws = measures(sizes, relevance, occurrences, all_)
    found: dict[str, Numbers] = {}
    for name, (low, high) in ENDS.items():
        found[name] = exact[name][0]
        found[low], found[high] = interval(draws[name])
    alone = names["documents"].to_numpy() < 2
    for name in ("low", "high"):  # a mean from a single document has no spread over documents
        found[name][alone] = np.nan
    numbers = pl.DataFrame(found).with_columns(pl.all().fill_nan(None))
    return names.drop("column").hstack(numbers).select(COLUMNS)


def measures(sizes: Numbers, relevance: Numbers, occurrences: Numbers, wholes: Numbers) -> dict[str, Numbers]:
    """Share, lift and mean `(draw item)` from sums `(draw item)` and the sums of all words `(draw 2)`."""
    share = divided(sizes, wholes[:, :1])
    return {"share": share, "lift": divided(share, divided(occurrences, wholes[:, 1:])), "mean": divided(relevance, occurrences)}
