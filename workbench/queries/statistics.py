"""Intervals that a query cannot give: bootstrap over documents, seeded."""

from __future__ import annotations

import zlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEVEL = 0.95
CELLS_AT_ONCE = 4_000_000
#: From so many documents on, groups of them are drawn: 5,000 groups say as much of the spread as their members (Wolter 2007, chapter 2).
MANY, GROUPS = 20_000, 5_000


def ratio_interval(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], *, resamples: int, seed: int | list[int], level: float = LEVEL
) -> tuple[float, float]:
    """Percentile bootstrap interval of sum(numerators) / sum(denominators); one entry a document, documents are resampled.

    Efron and Tibshirani 1993, chapter 13. With a single document there is nothing to resample: both ends are NaN. Very many documents are
    drawn in groups.
    """
    if len(numerators) > MANY:
        groups = np.arange(len(numerators)) % GROUPS
        numerators, denominators = (np.bincount(groups, part).astype(np.float64) for part in (numerators, denominators))
    count = len(numerators)
    if count < 2 or resamples < 1:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, CELLS_AT_ONCE // count)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(0, count, size=(size, count), dtype=np.uint32)
        means[start : start + size] = numerators[drawn].sum(axis=1) / denominators[drawn].sum(axis=1)
    drawn_means = pl.Series(means)
    low, high = (drawn_means.quantile(share, "linear") for share in ((1 - level) / 2, (1 + level) / 2))
    assert low is not None
    assert high is not None
    return low, high


def with_intervals(frame: pl.DataFrame, *, resamples: int, seed: int) -> pl.DataFrame:
    """Replace the columns relevance_by_document and occurrences_by_document by `low` and `high`, after `mean`.

    Each row draws from its own generator (seed and the row's text columns), so that its interval does not depend on what else is shown.
    """
    names = [column for column, kind in frame.schema.items() if kind == pl.String]
    ends = []
    for row in frame.iter_rows(named=True):
        key = zlib.crc32("\x1f".join(str(row[name]) for name in names).encode())
        numerators = np.asarray(row["relevance_by_document"], dtype=np.float64)
        denominators = np.asarray(row["occurrences_by_document"], dtype=np.float64)
        ends.append(ratio_interval(numerators, denominators, resamples=resamples, seed=[seed, key]))
    kept = frame.drop("relevance_by_document", "occurrences_by_document")
    low = pl.Series("low", [end[0] for end in ends], dtype=pl.Float64).fill_nan(None)
    high = pl.Series("high", [end[1] for end in ends], dtype=pl.Float64).fill_nan(None)
    place = kept.columns.index("mean") + 1
    return kept.insert_column(place, low).insert_column(place + 1, high)
