"""Whether similarity falls where the meaning flips: contrasts beside pairs whose meaning is kept and pairs that are unrelated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.queries.question import Value
from workbench.queries.resampling import interval, weights
from workbench.queries.shares import EXPLAINED

GROUP = ("corpus", "languages", *EXPLAINED)
#: The order in which the meanings of a group are shown.
ORDER = ("flipped", "kept", "unrelated", "other")
NUMBERS = ("mean", "low", "high", "nearness", "near_low", "near_high", "above")


def insensitivity(frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """One row a contrast: mean similarity, how near it comes to paraphrases, and how often it lies above one, with intervals over pairs.

    Each contrast is resampled by itself: the numbers of pairs of a contrast are given, not drawn.
    """
    rows = [row for _, part in frame.group_by(GROUP, maintain_order=True) for row in of_group(part, values)]
    kinds: dict[str, pl.DataType] = {name: pl.String() for name in (*GROUP, "contrast", "meaning")}
    kinds |= {"pairs": pl.Int64(), **{name: pl.Float64() for name in NUMBERS}}
    found = pl.DataFrame(rows, schema=kinds, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
    place = pl.col("meaning").replace_strict({name: index for index, name in enumerate(ORDER)}, return_dtype=pl.Int32)
    return found.sort(*GROUP, place, "mean", "contrast", descending=[False] * len(GROUP) + [False, True, False])


def of_group(frame: pl.DataFrame, values: Mapping[str, Value]) -> list[dict[str, object]]:
    """The rows of one corpus."""
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    named = {name: frame[name][0] for name in GROUP}
    kept, unrelated = (frame.filter(pl.col("meaning") == meaning)["similarity"].to_numpy() for meaning in ("kept", "unrelated"))
    draws = {"kept": means(kept, resamples, seed + 1), "unrelated": means(unrelated, resamples, seed + 2)}
    rows = []
    for (contrast, meaning), part in frame.group_by("contrast", "meaning", maintain_order=True):
        own = part["similarity"].to_numpy()
        drawn = means(own, resamples, seed)
        low, high = interval(drawn[:, None])
        near, ends = np.nan, (np.array([np.nan]), np.array([np.nan]))
        if meaning in ("flipped", "other") and len(kept) and len(unrelated) and kept.mean() > unrelated.mean():
            near = float((own.mean() - unrelated.mean()) / (kept.mean() - unrelated.mean()))
            sizes = [len(one) for one in (drawn, draws["kept"], draws["unrelated"])]
            if min(sizes):
                with np.errstate(divide="ignore", invalid="ignore"):
                    ends = interval(((drawn - draws["unrelated"]) / (draws["kept"] - draws["unrelated"]))[:, None])
        rows.append(
            {
                **named, "contrast": contrast, "meaning": meaning, "pairs": len(own), "mean": float(own.mean()), "low": float(low[0]),
                "high": float(high[0]), "nearness": near, "near_low": float(ends[0][0]), "near_high": float(ends[1][0]),
                "above": above(own, kept) if meaning != "kept" and len(kept) else np.nan,
            }
        )  # fmt: skip
    return rows


def means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Means over resampled values; empty where there is nothing to resample."""
    found = [drawn @ values / len(values) for drawn in weights(len(values), resamples, seed)]
    return np.concatenate(found) if found else np.zeros(0)


def above(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How often a value of `one` is larger than one of `other`, ties counted half (Mann and Whitney 1947, as a share)."""
    ordered = np.sort(other)
    below = np.searchsorted(ordered, one, "left") + np.searchsorted(ordered, one, "right")
    return float(below.sum() / (2 * len(one) * len(other)))
