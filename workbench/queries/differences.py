"""Two models on the same pairs of texts: differences of means and shares, with intervals over pairs drawn for both at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import sparse

from workbench.errors import StoreError
from workbench.queries.question import Value
from workbench.queries.resampling import interval, resampled, share_of
from workbench.queries.shares import complete
from workbench.store import Store

GROUP = ("composite", "target", "what")
ORDER = ("similarity", "account", "match", "upos")


def model_difference(store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """One row a class: what both models say of it and the difference. StoreError where no pair is explained by both."""
    if values["model"] == values["other"]:
        raise StoreError("compare two models", f"{values['model']} twice", "name two models")
    if frame.is_empty():
        known = store.sql("SELECT model || ' (' || count(*) || ' pairs)' AS model FROM pairs GROUP BY model ORDER BY 1")["model"].to_list()
        found = f"no pair that {values['model']} and {values['other']} both explain; the store has {', '.join(known) or 'no pairs'}"
        raise StoreError("compare two models", found, "run the same corpus with both models into one store")
    complete(frame.filter(pl.col("what") == "account"), ["name"], values)
    rows = [of_group(part, values) for _, part in frame.group_by(GROUP, maintain_order=True)]
    place = pl.col("what").replace_strict({name: index for index, name in enumerate(ORDER)}, return_dtype=pl.Int32)
    joined = pl.concat(rows)
    ordered = joined.sort("composite", "target", place, pl.col("difference").abs(), "name", descending=[False, False, False, True, False])
    return ordered.group_by(GROUP, maintain_order=True).head(int(str(values["limit"]))).select(joined.columns)


def of_group(frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The rows of one kind of class."""
    names = frame.select(*GROUP, "name").unique(maintain_order=True).with_row_index("class")
    coded = frame.join(names, on="name", how="left")
    pairs, rows = np.unique(frame["pair"].to_numpy(), return_inverse=True)
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    mean = frame["what"][0] == "similarity"
    exact, drawn = [], []
    for side in (True, False):
        chosen = (coded["first"] == side).to_numpy()
        parts = coded["part"].to_numpy()[chosen], (rows[chosen], coded["class"].to_numpy()[chosen])
        sums = sparse.csr_array(parts, shape=(len(pairs), len(names)))
        total, draws = np.atleast_2d(sums.sum(0)), resampled(sums, resamples, seed)
        exact.append(total[0] / len(pairs) if mean else share_of(total)[0])
        drawn.append(draws / len(pairs) if mean else share_of(draws))
    low, high = interval(drawn[0] - drawn[1])
    numbers = pl.DataFrame({"first": exact[0], "second": exact[1], "difference": exact[0] - exact[1], "low": low, "high": high})
    return names.drop("class").hstack(numbers).with_columns(pl.col(pl.Float64).fill_nan(None), pl.lit(len(pairs), pl.Int64).alias("pairs"))
