"""One planted model: train it, prove that it relies on the signal, ask every method where the signal is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from transformers import BertForSequenceClassification

from workbench.evaluation.methods import METHODS, explanations
from workbench.evaluation.perturbation import ORDERINGS, Ordering, ranking
from workbench.evaluation.planted_model import Reliance, reliance, train
from workbench.evaluation.planted_texts import MARKER_A, MARKER_B, MASK, PlantedTexts, Task, planted_text, planted_texts
from workbench.evaluation.removal import Text
from workbench.evaluation.significance import significant_words, words_apart_from_zero
from workbench.evaluation.subject import Subject, subject

#: Rules whose position readings are judged as well: `<rules>.v1`.
POSITION_RULES = ("attnlrp", "cplrp", "gradient_x_input")
RELIANCE_TEXTS = 500
#: More steps than for faithfulness: a model that knows its answer for sure changes in a small part of the integrated path.
INTEGRATION_STEPS = 50
#: Times that the true labels are drawn again by chance, to see how often the word test is wrong at least once.
REDRAWS = 20
REDRAW_PERMUTATIONS = 2_499

FOUND = {
    "task": pl.String(), "seed": pl.Int64(), "method": pl.String(), "reading": pl.String(), "ordering": pl.String(),
    "precision_at_k": pl.Float64(), "mean_rank": pl.Float64(), "texts": pl.Int64(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How many texts are asked: for precision@k, and for the test of words (0 leaves the test out)."""

    ranked: int = 150
    tested: int = 400
    most_steps: int | None = None


@dataclass(frozen=True, slots=True)
class WordTest:
    """What the test of significant words says where the truth is known: words tested, rightly and wrongly called significant.

    `naive_wrong` is the same for the t-test against zero; `families` and `families_wrong` count label redraws, and those with a wrong call.
    """

    tested: int
    right: int
    wrong: int
    naive_wrong: int
    families: int
    families_wrong: int


@dataclass(frozen=True, slots=True)
class PlantedRun:
    """One model: does it rely on the signal, what did each method find (columns `FOUND`), what does the word test say, CPU seconds."""

    task: Task
    seed: int
    reliance: Reliance
    found: pl.DataFrame
    words: WordTest | None
    seconds: float


def planted_run(task: Task, seed: int, size: Size) -> PlantedRun:
    """Trains and judges one model; a model that does not rely on the signal is not asked (its frame is empty), only flagged."""
    started = time.process_time()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model, steps = train(task, seed, size.most_steps)
        relies = reliance(model, task, planted_texts(task, RELIANCE_TEXTS, np.random.default_rng([seed, 1])), steps)
        found, words = pl.DataFrame(schema=FOUND), None
        if relies.holds:
            if task != "random_labels":
                found = find(model, task, seed, planted_texts(task, size.ranked, np.random.default_rng([seed, 2])))
            if size.tested and task in ("single_token", "random_labels"):
                words = judge_words(model, seed, planted_texts(task, size.tested, np.random.default_rng([seed, 3])))
    finally:
        torch.set_num_threads(threads)
    return PlantedRun(task, seed, relies, found, words, time.process_time() - started)


def find(model: BertForSequenceClassification, task: Task, seed: int, texts: PlantedTexts) -> pl.DataFrame:
    """Precision@k and mean rank of every method's tokens, and of the position readings; target: true minus other logit."""
    asked: Subject = subject([model], [MASK], target="contrast", seed=seed)
    asked.steps = INTEGRATION_STEPS
    removable = [planted_text(row) for row in texts.ids]
    labels: list[int] = texts.labels.tolist()
    scores: dict[tuple[str, str], Sequence[NDArray[np.floating]]] = {
        (name, "tokens"): method(asked, removable, labels) for name, method in METHODS.items()
    }
    encodings = [text.encodings[0] for text in removable]
    for rules in POSITION_RULES:
        explained = explanations(model, encodings, labels, f"{rules}.v1", "contrast")
        scores[rules, "positions"] = [explanation.positions[1:-1] for explanation in explained]
    planted = texts.planted[:, 1:-1]
    rows = [
        (task, seed, method, reading, ordering, *_precision_and_rank(values, planted, ordering), len(labels))
        for (method, reading), values in scores.items()
        for ordering in ORDERINGS
    ]
    return pl.DataFrame(rows, schema=FOUND, orient="row")


def _precision_and_rank(scores: Sequence[NDArray[np.floating]], planted: NDArray[np.bool_], ordering: Ordering) -> tuple[float, float]:
    """Mean over texts of the share of planted tokens among the k highest, and of their mean rank (1 is the top), k = planted tokens."""
    precisions, ranks = [], []
    for values, truth in zip(scores, planted, strict=True):
        hits = truth[list(ranking(values, ordering))]
        precisions.append(hits[: hits.sum()].mean())
        ranks.append(np.flatnonzero(hits).mean() + 1)
    return float(np.mean(precisions)), float(np.mean(ranks))


def judge_words(model: BertForSequenceClassification, seed: int, texts: PlantedTexts) -> WordTest:
    """The corpus-level test on AttnLRP relevance of held-out texts, towards label 1 (label 0 is its mirror image in a contrast of two)."""
    removable = [planted_text(row) for row in texts.ids]
    scores = METHODS["attnlrp"](subject([model], [MASK], target="contrast"), removable, [1] * len(removable))
    frame = relevance_frame(removable, scores, texts.labels)
    called = significant_words(frame, seed=seed)
    carriers = {f"w{MARKER_A}", f"w{MARKER_B}"} if texts.planted.any() else set()
    right = called.filter("significant", pl.col("word").is_in(carriers)).height
    random = np.random.default_rng([seed, 4])
    redrawn = [relevance_frame(removable, scores, random.permutation(texts.labels)) for _ in range(0 if carriers else REDRAWS)]
    alarms = [significant_words(labels, permutations=REDRAW_PERMUTATIONS, seed=seed)["significant"].any() for labels in redrawn]
    return WordTest(
        tested=called.height,
        right=right,
        wrong=called.filter("significant").height - right,
        naive_wrong=words_apart_from_zero(frame).filter("significant", ~pl.col("word").is_in(carriers)).height,
        families=len(alarms),
        families_wrong=sum(alarms),
    )


def relevance_frame(texts: Sequence[Text], scores: Sequence[NDArray[np.floating]], labels: NDArray[np.int64]) -> pl.DataFrame:
    """Word relevance towards label 1 as `significant_words` takes it."""
    lengths = [len(text.words) for text in texts]
    return pl.DataFrame({
        "document": np.repeat(np.arange(len(texts)), lengths),
        "gold": [str(label) for label in np.repeat(labels, lengths).tolist()],
        "label": ["1"] * sum(lengths),
        "word": [word.form for text in texts for word in text.words],
        "relevance": np.concatenate(scores),
    })  # fmt: skip
