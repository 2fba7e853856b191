"""Signs in one translation's contributions that it left its source; the same as the question `hallucination_signals` reads from a store.

Sources: Ferrando et al. 2022 and Dale et al. 2023 (mean and least source contribution, the largest single one, shares of steps under
thresholds, source tokens that gave nothing), Guerreiro et al. 2023 (log-probability of the sequence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.attribution.contributions import Contributions

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
#: A source token that no step took this much from is omitted.
OMITTED = 0.01
#: Which way each signal points: 1 where a high value is suspicious, -1 where a low one is.
SUSPICIOUS: Mapping[str, int] = {
    "mean_share": -1, "min_share": -1, "top_mean": -1, "top_min": -1, **{f"under_{100 * value:.0f}": 1 for value in THRESHOLDS},
    "omitted": 1, "least_total": -1, "source_entropy": 1, "log_probability": -1, "similarity": -1,
}  # fmt: skip
#: Signals that no method of contributions takes part in.
PLAIN = ("log_probability", "similarity")


def signals(found: Contributions, special: Sequence[bool], first: int = 0) -> dict[str, float]:
    """All signals of the steps from `first` on; `special` are the source's special tokens, which are not looked for when omitted.

    A step without a prefix (the very first) has no share and is left out of those; NaN where nothing is left.
    """
    source, prefix = np.abs(found.source), np.abs(found.prefix)
    sizes = source.sum(1) + prefix.sum(1)
    shares: NDArray[np.float64] = np.divide(source, sizes[:, None], out=np.zeros_like(source), where=sizes[:, None] > 0)
    later = shares[max(first, 1) :]
    given = shares[first:, ~np.array(special, dtype=bool)]
    answer = {"log_probability": float(found.log_probability[first:].mean()), "source_entropy": spread(source[first:])}
    if given.size:
        answer |= {"omitted": float((given.max(0) < OMITTED).mean()), "least_total": float(given.sum(0).min())}
    if len(later):
        total, top = later.sum(1), later.max(1)
        answer |= {"mean_share": total.mean(), "min_share": total.min(), "top_mean": top.mean(), "top_min": top.min()}
        answer |= {f"under_{100 * value:.0f}": (total < value).mean() for value in THRESHOLDS}
    return {name: float(answer.get(name, np.nan)) for name in SUSPICIOUS}


def spread(source: NDArray[np.float64]) -> float:
    """Mean entropy of the steps' source contributions over the logarithm of their number; NaN for a single source token."""
    total = source.sum(1, keepdims=True)
    rows = source[total[:, 0] > 0] / total[total[:, 0] > 0]
    if source.shape[1] < 2 or not len(rows):
        return float("nan")
    logarithms = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
    return float(-(rows * logarithms).sum(1).mean() / np.log(source.shape[1]))
