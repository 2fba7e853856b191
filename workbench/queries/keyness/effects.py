"""Sizes of effects with intervals: shares of relevance, lift over the share of the words, log ratio of two sides; documents are resampled.

* share: relevance of the item over the relevance of all words of the side;
* lift: share of the relevance over share of the words; 1 is what the number of occurrences alone would give;
* log ratio: log2 of the share in the focus over the share in the reference, with the relevance of one occurrence shared out between both;
* difference: share in the focus minus share in the reference, for relevance with a sign, whose shares have no ratio.

Where occurrences are compared, log ratio and difference are of the mean relevance of one occurrence instead of shares.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from workbench.queries.keyness.frequency import log_likelihood, log_ratio, per_million, simple_maths
from workbench.queries.keyness.permutation import Expected, ratio, shuffled
from workbench.queries.keyness.table import Numbers, Table
from workbench.queries.resampling import divided, interval, resampled

RESAMPLES = 1_000
#: Permutations that show how far the effect goes where labels are shuffled.
NULLS = 500
SIDES = ("reference", "focus")
#: Items that are drawn at once: a thousand draws of eight numbers each are 64 MB.
AT_ONCE = 1_000


def effects(
    table: Table,
    shown: NDArray[np.int64],
    *,
    signed: bool,
    expected: Expected = "share",
    resamples: int = RESAMPLES,
    seed: int = 0,
    added: float = 1.0,
) -> pl.DataFrame:
    """A row for each item of `shown` (places in the table): counts, shares, effects with 95 % intervals, classical keyness beside them."""
    parts = [shown[start : start + AT_ONCE] for start in range(0, max(len(shown), 1), AT_ONCE)]
    of_items = partial(of_part, table, signed=signed, expected=expected, resamples=resamples, seed=seed, added=added)
    return pl.concat([of_items(part) for part in parts])


def of_part(
    table: Table, shown: NDArray[np.int64], *, signed: bool, expected: Expected, resamples: int, seed: int, added: float
) -> pl.DataFrame:
    """The rows of some items; the draws are the same for all of them."""
    mass, counts = (tuple(sparse.csr_array(side[shown]) for side in both) for both in (table.mass, table.counts))
    sums, occurrences = ([np.asarray(side.sum(1), dtype=np.float64) for side in both] for both in (mass, counts))
    totals, words = ([float(side.sum()) for side in both] for both in (table.total, table.words))
    rows = [np.concatenate([sums[side], occurrences[side], [totals[side], words[side]]]) for side in (0, 1)]
    exact = of_sums(*(row[None] for row in rows), signed=signed, expected=expected)
    blocks = [sparse.vstack([mass[side], counts[side], table.total[side][None], table.words[side][None]]).tocsr() for side in (0, 1)]
    draws = of_sums(*drawn(blocks, table, resamples, seed), signed=signed, expected=expected)
    names = ("lift", "reference_lift", "log_ratio", "difference")
    ends = {name: interval(draws[name]) for name in names}
    frequency = [per_million(occurrences[side], words[side]) for side in (0, 1)]
    columns: dict[str, object] = {"item": pl.Series([table.items[place] for place in shown], dtype=pl.String)}
    columns |= {"documents": table.any_documents[shown]}
    for side in (1, 0):
        columns |= {f"{SIDES[side]}_documents": table.documents[side][shown], f"{SIDES[side]}_count": occurrences[side].astype(np.int64)}
    columns |= {"share": exact["share"][0], "reference_share": exact["reference_share"][0]}
    for name in names:
        columns |= {name: exact[name][0], f"{name}_low": ends[name][0], f"{name}_high": ends[name][1]}
    columns |= {"mean": divided(sums[1], occurrences[1]), "reference_mean": divided(sums[0], occurrences[0])}
    columns |= {
        "frequency": frequency[1], "reference_frequency": frequency[0],
        "simple_maths": simple_maths(frequency[1], frequency[0], added=added),
        "log_likelihood": log_likelihood(occurrences[1], occurrences[0], words[1], words[0]),
        "frequency_log_ratio": log_ratio(occurrences[1], occurrences[0], words[1], words[0], added=1.0),
    }  # fmt: skip
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def of_sums(reference: Numbers, focus: Numbers, *, signed: bool, expected: Expected) -> dict[str, Numbers]:
    """Effects `(draw item)` from sums `(draw mass…count…total words)` of both sides."""
    items = (focus.shape[1] - 2) // 2
    parts = [(side[:, :items], side[:, items : 2 * items], side[:, -2:-1], side[:, -1:]) for side in (reference, focus)]
    shares = [divided(mass, total) for mass, _, total, _ in parts]
    lifts = [divided(share, divided(count, words)) for share, (_, count, _, words) in zip(shares, parts, strict=True)]
    compared = [(mass, total if expected == "share" else count, count) for mass, count, total, _ in parts]
    found = contrast(compared[0], compared[1], signed=signed)
    return {"share": shares[1], "reference_share": shares[0], "lift": lifts[1], "reference_lift": lifts[0], **found}


Part: TypeAlias = tuple[Numbers, Numbers, Numbers]


def contrast(reference: Part, focus: Part, *, signed: bool) -> dict[str, Numbers]:
    """Log ratio and difference of two sides, each `mass`, the `whole` that it is a part of, and the occurrences it comes from."""
    (mass_0, whole_0, count_0), (mass_1, whole_1, count_1) = reference, focus
    difference = divided(mass_1, whole_1) - divided(mass_0, whole_0)
    if signed:
        return {"log_ratio": np.full(difference.shape, np.nan), "difference": difference}
    one = divided(mass_0 + mass_1, count_0 + count_1)
    return {"log_ratio": log_ratio(mass_1, mass_0, whole_1, whole_0, added=one), "difference": difference}


def drawn(blocks: list[sparse.csr_array], table: Table, resamples: int, seed: int) -> list[Numbers]:
    """Sums of both sides over resampled units `(draw class)`; units of both sides are drawn at once where they are the same."""
    own = [np.arange(len(present)) if table.paired else np.flatnonzero(present) for present in table.present]
    seeds = (seed, seed) if table.paired else (seed, seed + 1)
    return [resampled(sparse.csr_array(blocks[side][:, own[side]].T), resamples, seeds[side]) for side in (0, 1)]


def null_range(table: Table, shown: NDArray[np.int64], *, signed: bool, expected: Expected, seed: int) -> tuple[Numbers, Numbers]:
    """Between which values 95 % of the effects lie when the labels of documents are shuffled."""
    mass, counts = (tuple(sparse.csr_array(side[shown]) for side in both) for both in (table.mass, table.counts))
    sides = shuffled(ratio(table, expected), NULLS, np.random.default_rng([seed, 3]))
    if table.paired:  # a document whose sides are exchanged
        moved = [(side_1 - side_0, side_0.sum(1)[:, None]) for side_0, side_1 in (mass, counts)]
        totals = (table.total[1] - table.total[0], table.total[0].sum())
    else:
        moved = [(side_0 + side_1, 0.0) for side_0, side_1 in (mass, counts)]
        totals = (table.total[0] + table.total[1], 0.0)
    focus = [changed @ sides + fixed for changed, fixed in (*moved, totals)]
    whole = [(side_0.sum(1) + side_1.sum(1))[:, None] for side_0, side_1 in (mass, counts)] + [table.total[0].sum() + table.total[1].sum()]
    reference = [every - own for every, own in zip(whole, focus, strict=True)]
    parts = [(of[0], of[2][None] if expected == "share" else of[1], of[1]) for of in (reference, focus)]
    values = contrast(parts[0], parts[1], signed=signed)["difference" if signed else "log_ratio"]
    return interval(values.T)
