"""How well an estimate of patching agrees with patching: Pearson correlation over components and positions, with an interval over pairs.

Pairs are what was drawn, so pairs are resampled (bootstrap, Efron 1979), all components and positions of a pair together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from workbench.evaluation.intervals import CONFIDENCE, RESAMPLES
from workbench.evaluation.patching import METHODS, Method

FULL: Method = "activation_patching"
ESTIMATES: tuple[Method, ...] = tuple(method for method in METHODS if method != FULL)

#: Pearson correlation with activation patching published for GPT-2 small on indirect objects (RelP, arXiv 2508.21258): by kind
#: attribution patching, relevance patching.
PUBLISHED: dict[tuple[str, str], float] = {
    ("residual", "attribution_patching"): 0.753, ("residual", "relevance_patching"): 0.968,
    ("attention", "attribution_patching"): 0.979, ("attention", "relevance_patching"): 0.962,
    ("mlp", "attribution_patching"): 0.195, ("mlp", "relevance_patching"): 0.992,
}  # fmt: skip


def pearson(effects: pl.DataFrame, by: Sequence[str] = ("kind",), *, seed: int = 0, resamples: int = RESAMPLES) -> pl.DataFrame:
    """Agreement of each estimate with activation patching, over all pairs, layers and positions of each group.

    Columns: those of `by`, method, pairs, points, pearson, low, high (95 % bootstrap over pairs), slope (of the estimate on the effect: 1
    is the right size), differing (the correlation only where the prompts can differ: elsewhere all are 0).
    """
    keys = [name for name in effects.columns if name not in ("method", "effect")]
    wide = effects.pivot(on="method", index=keys, values="effect", maintain_order=True)
    rows = []
    for names, part in wide.group_by(*by, maintain_order=True):
        for method in ESTIMATES:
            if method in wide.columns:
                rows.append(dict(zip(by, names, strict=True)) | line(part, method, seed, resamples))
    return pl.DataFrame(rows)


def line(part: pl.DataFrame, method: Method, seed: int, resamples: int) -> dict[str, str | int | float | None]:
    """The figures of one estimate in one group."""
    sums = sums_by_pair(part, method)
    differing = sums_by_pair(part.filter("differs"), method)
    low, high = interval(sums, seed, resamples)
    return {
        "method": method, "pairs": sums.shape[1], "points": part.height, "pearson": known(correlation(*sums)), "low": low, "high": high,
        "slope": known(slope(*sums.sum(1))), "differing": known(correlation(*differing)),
    }  # fmt: skip


def sums_by_pair(part: pl.DataFrame, method: Method) -> NDArray[np.float64]:
    """Count, sums and sums of products of effect x and estimate y for each pair: all that a correlation needs. Shape `(6, pair)`."""
    x, y = pl.col(FULL), pl.col(method)
    sums = part.group_by("pair", maintain_order=True).agg(
        pl.len().cast(pl.Float64).alias("n"), x.sum().alias("x"), y.sum().alias("y"),
        (x * x).sum().alias("xx"), (y * y).sum().alias("yy"), (x * y).sum().alias("xy"),
    )  # fmt: skip
    return sums.drop("pair").to_numpy().T


def correlation(
    n: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], xx: NDArray[np.float64], yy: NDArray[np.float64],
    xy: NDArray[np.float64], axis: int = -1,
) -> NDArray[np.float64]:  # fmt: skip
    """Pearson correlation from sums by pair, summed along `axis`; nan where either side does not vary."""
    n, x, y, xx, yy, xy = (part.sum(axis) for part in (n, x, y, xx, yy, xy))
    spread = np.clip(n * xx - x * x, 0, None) * np.clip(n * yy - y * y, 0, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(spread > 0, (n * xy - x * y) / np.sqrt(spread), np.nan)
    return found


def slope(n: float, x: float, y: float, xx: float, yy: float, xy: float) -> float:  # noqa: ARG001 - the same sums as `correlation`
    """Least-squares slope of the estimate on the effect."""
    spread = n * xx - x * x
    return (n * xy - x * y) / spread if spread > 0 else float("nan")


def interval(sums: NDArray[np.float64], seed: int, resamples: int) -> tuple[float | None, float | None]:
    """95 % percentile interval of the correlation over pairs; none for a single pair or where it is not defined."""
    if sums.shape[1] < 2 or not np.isfinite(correlation(*sums)):
        return None, None
    found = stats.bootstrap(
        tuple(sums), correlation, paired=True, vectorized=True, confidence_level=CONFIDENCE, n_resamples=resamples, method="percentile",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return known(found.confidence_interval.low), known(found.confidence_interval.high)


def known(value: NDArray[np.float64] | float) -> float | None:
    """A number, or nothing where it is not defined."""
    return float(value) if np.isfinite(value) else None
