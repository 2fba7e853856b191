"""Contributions judged where the answer is known: which source token made a content word, and that the prefix made a function word.

1. Train a small Marian for each seed on the lexicon task (`lexicon_task`, about three minutes on one core).
2. Verify that it has learnt it: 99 % of the tokens of sentences that it has not seen.
3. Contributions to every step of other sentences, by every method and target; the cross-attention of the last layer beside them.
4. Alignment error rate of content words (source token of largest size, the end left out), as read, corrected, and by the other
   convention; area under the curve of the source share of content words against that of function words, without each sentence's
   first step, which has no prefix. Intervals are bootstrapped over sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from transformers import MarianMTModel

from workbench.attribution.alignment import alignment_error_rate, best_links, scores
from workbench.attribution.alti_capture import capture
from workbench.attribution.contributions import SHARES, contributions
from workbench.attribution.translations import Translation, step_inputs
from workbench.errors import InputError
from workbench.evaluation.bars import Bar
from workbench.evaluation.lexicon_model import Shape, accuracy, train
from workbench.evaluation.lexicon_task import Example, examples, is_function, lexicon
from workbench.evaluation.threads import one_thread

#: What is compared: methods with the targets that each of them can explain.
COMPARED = (
    ("attnlrp", "argmax"), ("attnlrp", "log_probability"), ("attnlrp", "contrast"), ("cplrp", "argmax"), ("cplrp", "log_probability"),
    ("gradient_x_input", "argmax"), ("gradient_x_input", "log_probability"), ("gradient_x_input_l2", "argmax"),
    ("gradient_x_input_l2", "log_probability"), ("alpha_beta", "argmax"), ("alti_plus", "argmax"),
)  # fmt: skip
ATTENTION = "cross_attention"
ACCURACY_BAR, ERROR_BAR, AREA_BAR = 0.99, 0.02, 0.93
RESAMPLES = 300

#: Told while models are trained and explained: stage, done, total.
Progress = Callable[[str, int, int], None]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Read:
    """What one method says of one sentence: source contributions by step, and each step's source share (NaN where it has none)."""

    source: Array
    share: Array


def synthetic(
    seeds: Sequence[int] = (0,), progress: Progress | None = None, *, sentences: int = 60, shape: Shape | None = None
) -> pl.DataFrame:
    """One row for each seed, method and target: error rates, area under the curve with its interval, shares, gap, seconds a sentence.

    `accuracy` is that of the seed's model on sentences that it has not seen: below .99 its rows say nothing. Raises InputError where
    nothing is asked.
    """
    if not seeds or sentences < 2:
        raise InputError("measure contributions on synthetic translations", f"{len(seeds)} seeds and {sentences} sentences",
                         "ask for one seed and two sentences at least")  # fmt: skip
    rows: list[dict[str, object]] = []
    with one_thread():
        for seed in seeds:
            rows += measured(seed, sentences, shape or Shape(), progress)
    return pl.DataFrame(rows)


def measured(seed: int, sentences: int, shape: Shape, progress: Progress | None) -> list[dict[str, object]]:
    """The rows of one seed."""
    words = lexicon(seed)
    model = train(words, seed, shape, None if progress is None else lambda done, total: progress(f"train seed {seed}", done, total))
    held_out = examples(words, sentences, np.random.default_rng([seed, 2]))
    right = accuracy(model, held_out)
    rows = []
    for done, (method, target) in enumerate((*COMPARED, (ATTENTION, ""))):
        before = process_time()
        found, gap = attended(model, held_out) if method == ATTENTION else contributed(model, held_out, method, target)
        seconds = (process_time() - before) / sentences
        rows.append({"seed": seed, "method": method, "target": target, **figures(held_out, found, seed), "gap": gap, "seconds": seconds,
                     "accuracy": right})  # fmt: skip
        if progress is not None:
            progress(f"explain seed {seed}", done + 1, len(COMPARED) + 1)
    return rows


def contributed(model: MarianMTModel, sentences: Sequence[Example], method: str, target: str) -> tuple[list[Read], float]:
    """Readings of all sentences by a method of contributions, and its largest gap."""
    found = contributions(model, translations(sentences), method, target)
    return [Read(one.source, one.source_share) for one in found], max(one.relative_gap for one in found)


def attended(model: MarianMTModel, sentences: Sequence[Example]) -> tuple[list[Read], float]:
    """Cross-attention of the last layer, mean over heads: it knows no prefix, so it has no share."""
    found = []
    for sentence in translations(sentences):
        seen, _ = capture(model, step_inputs(model, [sentence]))
        weights = seen.decoder[-1][1].weights[0].mean(0).double().numpy()
        found.append(Read(weights, np.full(len(weights), np.nan)))
    return found, 0.0


def translations(sentences: Sequence[Example]) -> list[Translation]:
    """The sentences with their own translations."""
    return [Translation(one.source, one.target) for one in sentences]


def figures(sentences: Sequence[Example], found: Sequence[Read], seed: int) -> dict[str, float]:
    """Error rates, shares and area under the curve of one method."""
    area, low, high = area_under_curve(sentences, found, seed)
    content, function = pooled(sentences, found)
    spread = [entropy(one.source) for one in found]
    return {
        "error_rate": error_rate(sentences, found), "corrected": error_rate(sentences, found, corrected=True),
        "input": error_rate(sentences, found, convention="input"), "area": area, "area_low": low, "area_high": high,
        "content_share": float(content.mean()), "function_share": float(function.mean()), "entropy": float(np.concatenate(spread).mean()),
    }  # fmt: skip


def error_rate(sentences: Sequence[Example], found: Sequence[Read], *, corrected: bool = False, convention: str = "predicted") -> float:
    """Alignment error rate of the content words of all sentences together."""
    links, sure = set(), set()
    for number, (sentence, one) in enumerate(zip(sentences, found, strict=True)):
        gold = {target: source for target, source in enumerate(sentence.aligned) if source is not None}
        best = best_links(scores(one.source[:, :-1], corrected=corrected, convention=convention))
        links |= {(number, source, target) for source, target in best if target in gold}
        sure |= {(number, source, target) for target, source in gold.items()}
    return alignment_error_rate(links, sure)


def by_sentence(sentences: Sequence[Example], found: Sequence[Read]) -> list[tuple[Array, Array]]:
    """Source shares of each sentence's content and function words, its first step and its end left out."""
    pairs = []
    for sentence, one in zip(sentences, found, strict=True):
        functions = np.array([is_function(token) for token in sentence.target[1:-1]])
        shares = one.share[1:-1]
        pairs.append((shares[~functions], shares[functions]))
    return pairs


def pooled(sentences: Sequence[Example], found: Sequence[Read]) -> tuple[Array, Array]:
    """Source shares of all content and of all function words."""
    content, function = zip(*by_sentence(sentences, found), strict=True)
    return np.concatenate(content), np.concatenate(function)


def area_under_curve(sentences: Sequence[Example], found: Sequence[Read], seed: int) -> tuple[float, float, float]:
    """Probability that a content word has the larger source share, with its 95 % interval; NaN without shares."""
    pairs = by_sentence(sentences, found)
    if any(np.isnan(shares).any() for pair in pairs for shares in pair):
        return (float("nan"),) * 3

    def area(chosen: NDArray[np.int64]) -> float:
        content = np.concatenate([pairs[place][0] for place in chosen])
        function = np.concatenate([pairs[place][1] for place in chosen])
        ranks = stats.rankdata(np.concatenate([content, function]))[: len(content)]
        return float((ranks.sum() - len(content) * (len(content) + 1) / 2) / (len(content) * len(function)))

    every = np.arange(len(pairs))
    interval = stats.bootstrap(
        (every,), area, vectorized=False, method="percentile", n_resamples=RESAMPLES, rng=np.random.default_rng([seed, 3])
    ).confidence_interval
    return area(every), float(interval.low), float(interval.high)


def entropy(source: Array) -> Array:
    """Entropy of each step's source contributions over the log of their number: 1 is uniform."""
    rows = scores(source)
    found: Array = np.array([stats.entropy(row) for row in rows[rows.sum(1) > 0]]) / np.log(source.shape[1])
    return found


def bars(frame: pl.DataFrame) -> list[Bar]:
    """The figures that must be reached in every seed, by AttnLRP with the one target that does best over all of them."""
    models = frame.select("seed", "accuracy").unique()
    worst = (
        frame.filter(method="attnlrp").group_by("target", maintain_order=True)
        .agg(pl.col("error_rate").max(), pl.col("area").min()).sort("error_rate", pl.col("area") * -1)
    )  # fmt: skip
    target, error, area = worst.row(0)
    relevance = frame.filter(pl.col("method") != ATTENTION)
    shares = relevance.filter(pl.col("method").is_in(SHARES))
    return [
        Bar("accuracy of the models", min(models["accuracy"].to_list()), ACCURACY_BAR, needed=True),
        Bar(f"AttnLRP ({target}): alignment error rate", error, ERROR_BAR, at_most=True, needed=True),
        Bar(f"AttnLRP ({target}): area under the curve", area, AREA_BAR, needed=True),
        Bar("largest gap of a ledger", max(relevance["gap"].to_list()), 1e-4, at_most=True, needed=True),
        Bar("shares: largest distance of their sum from 1", max(shares["gap"].to_list()), 1e-4, at_most=True, needed=True),
    ]
