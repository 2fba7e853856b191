"""Perturbation metrics at word level: what happens to the probability of the explained class when words leave the text.

f(kept) is the probability of the explained class for the text with only the words `kept` left. A ranking lists the words from most to least
relevant, by signed relevance (towards the class first) or by absolute relevance. Words are removed from the text (see `removal`); special
tokens stay, so that the empty text is the special tokens alone.

* comprehensiveness (DeYoung et al. 2020, ERASER, eq. 1): f(all) - f(all without the rationale), higher is better;
* sufficiency (eq. 2): f(all) - f(the rationale alone), lower is better, may be negative;
* both as the mean over rationales of the top 1, 5, 10, 20 and 50 % of the words, rounded up, at least one word. The paper divides the sum
  over bins by |B| + 1 (an empty bin 0 counted); its published code and this one take the plain mean;
* MoRF and LeRF curves (Samek et al. 2017): f while words leave, most or least relevant first; least-first is the same ranking read
  backwards;
* area between them (Achtibat et al. 2024, AttnLRP): area under LeRF minus area under MoRF, share of removed words on the x-axis from 0
  to 1, trapezoids; random order gives 0 on average, higher is better. (AttnLRP flips tokens and takes logits; here: words, probability.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.evaluation.removal import Kept, first

Ordering: TypeAlias = Literal["signed", "absolute"]
ORDERINGS: tuple[Ordering, ...] = get_args(Ordering)
METRICS = ("comprehensiveness", "sufficiency", "morf_lerf_area")

#: Rationale sizes of ERASER, in per cent of the words.
BINS = (1, 5, 10, 20, 50)
#: Steps of a removal curve: texts of more words lose several at once.
STEPS = 10

#: From a remainder to the probability of the explained class.
Value: TypeAlias = Callable[[Kept], float]


def ranking(scores: NDArray[np.floating], ordering: Ordering) -> tuple[int, ...]:
    """Words from most to least relevant; equal scores keep the order of the text. Raises InputError for scores that are not finite."""
    if not np.isfinite(scores).all():
        raise InputError("rank words", "a relevance that is not finite", "compute the explanation again, or leave the document out")
    keys = np.abs(scores) if ordering == "absolute" else scores
    return tuple(int(word) for word in np.argsort(-keys, kind="stable"))


def rationale_sizes(words: int, bins: Sequence[int] = BINS) -> list[int]:
    """Words in each rationale: bins in per cent, rounded up (in integers, so 10 % of 30 is 3), at least one."""
    return [max(1, -(-percent * words // 100)) for percent in bins]


def comprehensiveness(order: Sequence[int], value: Value, bins: Sequence[int] = BINS) -> float:
    """Mean over bins of f(all) - f(all without the top words)."""
    everything = first(order, len(order))
    without = [value(everything & ~first(order, size)) for size in rationale_sizes(len(order), bins)]
    return value(everything) - float(np.mean(without))


def sufficiency(order: Sequence[int], value: Value, bins: Sequence[int] = BINS) -> float:
    """Mean over bins of f(all) - f(the top words alone)."""
    alone = [value(first(order, size)) for size in rationale_sizes(len(order), bins)]
    return value(first(order, len(order))) - float(np.mean(alone))


def removal_curve(order: Sequence[int], value: Value, steps: int = STEPS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of words removed (0 to 1) and f after removing them in this order.

    At most `steps` + 1 points at round(step * words / steps) words: a text of at most `steps` words loses them one by one.
    """
    everything = first(order, len(order))
    counts = sorted({round(step * len(order) / steps) for step in range(steps + 1)})
    shares = np.array([count / len(order) for count in counts])
    return shares, np.array([value(everything & ~first(order, count)) for count in counts])


def morf_lerf_area(order: Sequence[int], value: Value, steps: int = STEPS) -> float:
    """Area under the least-relevant-first curve minus area under the most-relevant-first curve."""
    most, least = (np.trapezoid(values, shares) for shares, values in (removal_curve(o, value, steps) for o in (order, order[::-1])))
    return float(least - most)


def measure(order: Sequence[int], value: Value, steps: int = STEPS) -> Mapping[str, float]:
    """All metrics of `METRICS` for one ranking of at least one word."""
    if not order:
        raise InputError("measure faithfulness", "a text without words", "leave out texts in which the annotator finds no word")
    return {
        "comprehensiveness": comprehensiveness(order, value),
        "sufficiency": sufficiency(order, value),
        "morf_lerf_area": morf_lerf_area(order, value, steps),
    }


def remainders_needed(order: Sequence[int], steps: int = STEPS) -> set[Kept]:
    """Every remainder that `measure` will ask for, so that all can be predicted in batches beforehand."""
    asked: set[Kept] = set()

    def note(kept: Kept) -> float:
        asked.add(kept)
        return 0.0

    measure(order, note, steps)
    return asked
