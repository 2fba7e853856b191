"""Shares of classes of interactions in a sum over pairs of texts, with intervals over pairs; cells that were not kept are never hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from scipy import sparse

from workbench.errors import StoreError
from workbench.interaction import REST
from workbench.queries.question import Value
from workbench.queries.resampling import divided, interval, resampled, share_of

#: Who explains: answers never add numbers of two models, composites or measures.
EXPLAINED = ("model", "composite", "target")
COLUMNS = ("share", "low", "high", "interactions", "lift", "mean", "mean_low", "mean_high", "pairs", "sum", "lift_low", "lift_high")


def of_interactions(frame: pl.DataFrame, values: Mapping[str, Value], classes: Sequence[str], group: Sequence[str] = ()) -> pl.DataFrame:
    """Shares of classes in the sum over their group, and the mean of one interaction, from rows `pair`, `part`, `cells` by class."""
    complete(frame, classes, values)
    return by_class(frame, [*group, *EXPLAINED] if group else list(EXPLAINED), classes, values)


def complete(frame: pl.DataFrame, classes: Sequence[str], values: Mapping[str, Value]) -> None:
    """Refuses pairs of which only the strongest cells were kept, unless they are to be reported as the class `rest`."""
    left_out = frame.filter(pl.col(classes[0]) == REST)["pair"].n_unique()
    if left_out and values.get("rest", "refuse") != "report":
        everything = frame["pair"].n_unique()
        raise StoreError(
            "share out interactions",
            f"{left_out:,} of {everything:,} pairs of which only the strongest cells were kept: shares of classes would be wrong",
            "set rest=report (what was not kept becomes a class of its own), or run the pipeline with strongest = 0",
        )


def by_class(
    frame: pl.DataFrame, group: Sequence[str], classes: Sequence[str], values: Mapping[str, Value], *, per_pair: bool = False
) -> pl.DataFrame:
    """One row a group and class; `mean` is of one interaction, with `per_pair` of one pair of texts. Columns: `COLUMNS`.

    Groups are sorted by name, the classes of one by their size.
    """
    parts = [of_group(part, group, classes, values, per_pair=per_pair) for _, part in frame.group_by(group, maintain_order=True)]
    if not parts:
        kinds = {name: pl.Int64 if name in ("interactions", "pairs") else pl.Float64 for name in COLUMNS}
        return frame.select(*group, *classes).with_columns(pl.lit(None, kind).alias(name) for name, kind in kinds.items())
    order = [pl.col(name) for name in group]
    return pl.concat(parts).sort(*order, pl.col("sum").abs(), *classes, descending=[False] * len(group) + [True] + [False] * len(classes))


def of_group(
    frame: pl.DataFrame, group: Sequence[str], classes: Sequence[str], values: Mapping[str, Value], *, per_pair: bool
) -> pl.DataFrame:
    """The rows of one group."""
    names = frame.select(*group, *classes).unique(maintain_order=True).with_row_index("class")
    coded = frame.join(names, on=list(classes), how="left", nulls_equal=True)
    pairs, rows = np.unique(frame["pair"].to_numpy(), return_inverse=True)
    shape = len(pairs), len(names)
    places = rows, coded["class"].to_numpy()
    sums = sparse.csr_array((frame["part"].cast(pl.Float64).to_numpy(), places), shape=shape)
    cells = sparse.csr_array((frame["cells"].fill_null(0).cast(pl.Float64).to_numpy(), places), shape=shape)
    total, counted = sums.sum(0), cells.sum(0)
    present = np.bincount(places[1], minlength=len(names))
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    draws = resampled(sums, resamples, seed)
    low, high = interval(share_of(draws))
    share = total / total.sum() if total.sum() > 0 else np.full(len(total), np.nan)
    drawn_cells = resampled(cells, resamples, seed)
    if per_pair:
        mean, means = total / len(pairs), draws / max(len(pairs), 1)
    else:
        mean, means = divided(total, counted), divided(draws, drawn_cells)
    mean_low, mean_high = interval(means)
    if not per_pair:  # a mean from a single pair of texts has no spread over pairs
        mean_low[present < 2] = mean_high[present < 2] = np.nan
    lift = divided(share, counted / max(counted.sum(), 1))
    lift_low, lift_high = interval(divided(share_of(draws), divided(drawn_cells, drawn_cells.sum(1, keepdims=True))))
    found = {
        "share": share, "low": low, "high": high, "interactions": counted.astype(np.int64), "lift": lift, "mean": mean,
        "mean_low": mean_low, "mean_high": mean_high, "pairs": present, "sum": total, "lift_low": lift_low, "lift_high": lift_high,
    }  # fmt: skip
    numbers = pl.DataFrame(found).with_columns(pl.col(pl.Float64).fill_nan(None), pl.col("pairs").cast(pl.Int64))
    return names.drop("class").hstack(numbers)
