"""Bootstrap over pairs of texts, one draw for all classes: shares of a sum and means, with the intervals that belong together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench.queries.statistics import CELLS_AT_ONCE, GROUPS, LEVEL, MANY

Numbers = NDArray[np.float64]


def weights(pairs: int, resamples: int, seed: int) -> Iterator[Numbers]:
    """How often each pair is drawn, `(resample pair)`, a few resamples at a time; nothing where there is nothing to resample."""
    if pairs < 2:
        return
    generator = np.random.default_rng(seed)
    step = max(1, CELLS_AT_ONCE // pairs)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(0, pairs, size=(size, pairs), dtype=np.int64)
        drawn += np.arange(size)[:, None] * pairs
        yield np.bincount(drawn.ravel(), minlength=size * pairs).reshape(size, pairs).astype(np.float64)


def resampled(values: sparse.csr_array, resamples: int, seed: int) -> Numbers:
    """Sums `(resample class)` of `values (pair class)` over resampled pairs; the same draws for the same number of pairs and seed.

    Very many pairs are drawn in groups.
    """
    pairs = values.shape[0]
    if pairs > MANY:
        places = np.arange(pairs)
        values = sparse.csr_array((np.ones(pairs), (places % GROUPS, places)), shape=(GROUPS, pairs)) @ values
    sums = [values.T.dot(drawn.T).T for drawn in weights(values.shape[0], resamples, seed)]
    return np.concatenate(sums) if sums else np.zeros((0, values.shape[1]))


def interval(draws: Numbers, level: float = LEVEL) -> tuple[Numbers, Numbers]:
    """Percentile interval of each column of `draws (resample class)`; NaN for a column without a finite value.

    Draws that are not finite (a class that was not drawn) are left out. Efron and Tibshirani 1993, chapter 13.
    """
    low, high = np.full(draws.shape[1], np.nan), np.full(draws.shape[1], np.nan)
    known = np.isfinite(draws)
    whole = known.all(0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    if len(draws) and whole.any():
        low[whole], high[whole] = np.quantile(draws[:, whole], ends, axis=0)
    for column in np.flatnonzero(~whole & known.any(0)):
        low[column], high[column] = np.quantile(draws[known[:, column], column], ends)
    return low, high


def divided(numerators: Numbers, denominators: Numbers) -> Numbers:
    """Quotients, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(numerators.shape, denominators.shape)
    known = np.broadcast_to(denominators != 0, shape)
    quotients: Numbers = np.divide(numerators, denominators, out=np.full(shape, np.nan), where=known)
    return quotients


def share_of(sums: Numbers) -> Numbers:
    """Shares `(resample class)` of the sum over all classes; NaN for all where that sum is not positive in some resample.

    A share of a sum that may be zero or negative has no interval.
    """
    wholes = sums.sum(1, keepdims=True)
    shares: Numbers = sums / wholes if len(sums) and bool((wholes > 0).all()) else np.full(sums.shape, np.nan)
    return shares
