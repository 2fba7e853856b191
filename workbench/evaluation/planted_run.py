"""One planted model: train it, prove that it relies on the signal, ask every method where the signal is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from workbench.evaluation.methods import COMPARED, METHODS, explanations
from workbench.evaluation.perturbation import ORDERINGS, Ordering, ranking
from workbench.evaluation.planted_encoders import PositionEncoding
from workbench.evaluation.planted_model import Reliance, answers, reliance, train
from workbench.evaluation.planted_texts import MASK, PlantedTexts, Task, carriers, planted_text, planted_texts
from workbench.evaluation.positions import AGGREGATIONS, by_place, from_first_token
from workbench.evaluation.removal import Text
from workbench.evaluation.significance import significant_words, words_apart_from_zero
from workbench.evaluation.subject import Subject, subject

#: Rules whose position readings are judged as well, `<rules>.v1`: those that give positions anything where they enter in this way.
POSITION_RULES: Mapping[PositionEncoding, tuple[str, ...]] = {
    "absolute": ("attnlrp", "cplrp", "gradient_x_input"), "rotary": ("palrp",), "relative": ("attnlrp", "gradient_x_input"),
}  # fmt: skip
RELIANCE_TEXTS = 500
#: More steps than for faithfulness: a model that knows its answer for sure changes in a small part of the integrated path.
INTEGRATION_STEPS = 50
#: Times that the true labels are drawn again by chance, to see how often the word test is wrong at least once.
REDRAWS = 20
REDRAW_PERMUTATIONS = 2_499

FOUND = {
    "task": pl.String(), "encoding": pl.String(), "seed": pl.Int64(), "method": pl.String(), "reading": pl.String(),
    "ordering": pl.String(), "precision_at_k": pl.Float64(), "mean_rank": pl.Float64(), "texts": pl.Int64(),
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
    With a source tag the test asks what drives the model's own answers: `rank` is the place of the first tag among all words (1 is the
    top, 0 not asked; a model may take the answer of the other tag for granted), `evidence` the number of tags that are called
    significant for the true labels of texts in which tags stand by chance.
    """

    tested: int
    right: int
    wrong: int
    naive_wrong: int
    families: int
    families_wrong: int
    rank: int = 0
    evidence: int = 0


@dataclass(frozen=True, slots=True)
class PlantedRun:
    """One model: does it rely on the signal, what did each method find (columns `FOUND`), what does the word test say, CPU seconds."""

    task: Task
    seed: int
    reliance: Reliance
    found: pl.DataFrame
    words: WordTest | None
    seconds: float
    encoding: PositionEncoding = "absolute"


def planted_run(task: Task, seed: int, size: Size, encoding: PositionEncoding = "absolute") -> PlantedRun:
    """Trains and judges one model; a model that does not rely on the signal is not asked (its frame is empty), only flagged."""
    started = time.process_time()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model, steps = train(task, seed, size.most_steps, encoding)
        relies = reliance(model, task, planted_texts(task, RELIANCE_TEXTS, np.random.default_rng([seed, 1])), steps)
        found, words = pl.DataFrame(schema=FOUND), None
        if relies.holds:
            if task != "random_labels":
                found = find(model, task, seed, planted_texts(task, size.ranked, np.random.default_rng([seed, 2])), encoding)
            if size.tested and task in ("single_token", "source_tag", "random_labels"):
                words = judge_words(model, task, seed, planted_texts(task, size.tested, np.random.default_rng([seed, 3])))
    finally:
        torch.set_num_threads(threads)
    return PlantedRun(task, seed, relies, found, words, time.process_time() - started, encoding)


def find(model: PreTrainedModel, task: Task, seed: int, texts: PlantedTexts, encoding: PositionEncoding) -> pl.DataFrame:
    """Precision@k and mean rank of every method's tokens, and of the position readings; target: true minus other logit.

    Only texts whose signal decides are asked; where there is none, the frame is empty.
    """
    chosen = decided(model, texts)
    if not chosen.any():
        return pl.DataFrame(schema=FOUND)
    asked: Subject = subject([model], [MASK], target="contrast", seed=seed)
    asked.steps = INTEGRATION_STEPS
    removable = [planted_text(row) for row in texts.ids[chosen]]
    labels: list[int] = texts.labels[chosen].tolist()
    scores: dict[tuple[str, str], Sequence[NDArray[np.floating]]] = {
        (name, "tokens"): method(asked, removable, labels) for name, method in COMPARED.items()
    }
    for rules in POSITION_RULES[encoding]:
        scores |= {(rules, reading): values for reading, values in position_scores(model, removable, labels, rules).items()}
    planted = texts.planted[chosen, 1:-1]
    rows = [
        (task, encoding, seed, method, reading, ordering, *_precision_and_rank(values, planted, ordering), len(labels))
        for (method, reading), values in scores.items()
        for ordering in ORDERINGS
    ]
    return pl.DataFrame(rows, schema=FOUND, orient="row")


def decided(model: PreTrainedModel, texts: PlantedTexts) -> NDArray[np.bool_]:
    """Texts in which the planted signal decides: with it the model answers right, without it wrong.

    A model may take one label for granted until a marker speaks for the other. In a text of the label taken for granted the marker is no
    reason for the answer, so that a method which passes it by is right; such texts have no known truth, nor have those without a signal.
    """
    right, still_right = (answers(model, ids) == texts.labels for ids in (texts.ids, texts.without))
    deciding: NDArray[np.bool_] = texts.planted.any(1) & right & ~still_right
    return deciding


def position_scores(
    model: PreTrainedModel, texts: Sequence[Text], labels: Sequence[int], rules: str
) -> dict[str, list[NDArray[np.floating]]]:
    """Readings of positions by name, without the first and last token; `positions` is the one that conserves relevance.

    Where layers are to be added up, the two other ways are readings of their own; biases on scores are read at their queries as well.
    """
    found = explanations(model, [text.encodings[0] for text in texts], labels, f"{rules}.v1", "contrast", position_layers=True)
    relative = any(layer.kind == "relative" for layer in found[0].position_layers)
    read = from_first_token if relative else by_place
    ways = AGGREGATIONS if len(found[0].position_layers) > 1 else AGGREGATIONS[:1]
    readings: dict[str, list[NDArray[np.floating]]] = {
        "positions" + f", {way}" * (way != "signed"): [read(explanation, way)[1:-1] for explanation in found] for way in ways
    }
    if relative:
        readings["positions of queries"] = [explanation.positions[1:-1] for explanation in found]
    return readings


def _precision_and_rank(scores: Sequence[NDArray[np.floating]], planted: NDArray[np.bool_], ordering: Ordering) -> tuple[float, float]:
    """Mean over texts of the share of planted tokens among the k highest, and of their mean rank (1 is the top), k = planted tokens."""
    precisions, ranks = [], []
    for values, truth in zip(scores, planted, strict=True):
        hits = truth[list(ranking(values, ordering))]
        precisions.append(hits[: hits.sum()].mean())
        ranks.append(np.flatnonzero(hits).mean() + 1)
    return float(np.mean(precisions)), float(np.mean(ranks))


def judge_words(model: PreTrainedModel, task: Task, seed: int, texts: PlantedTexts) -> WordTest:
    """The corpus-level test on AttnLRP relevance of held-out texts, towards label 1 (label 0 is its mirror image in a contrast of two)."""
    if task == "source_tag":
        return _judge_tag(model, seed, texts)
    removable = [planted_text(row) for row in texts.ids]
    scores = _towards_label_1(model, removable)
    frame = relevance_frame(removable, scores, texts.labels)
    called = significant_words(frame, seed=seed)
    right_words = forms(task)
    right = called.filter("significant", pl.col("word").is_in(right_words)).height
    random = np.random.default_rng([seed, 4])
    redrawn = [relevance_frame(removable, scores, random.permutation(texts.labels)) for _ in range(0 if right_words else REDRAWS)]
    alarms = [significant_words(labels, permutations=REDRAW_PERMUTATIONS, seed=seed)["significant"].any() for labels in redrawn]
    return WordTest(
        tested=called.height,
        right=right,
        wrong=called.filter("significant").height - right,
        naive_wrong=words_apart_from_zero(frame).filter("significant", ~pl.col("word").is_in(right_words)).height,
        families=len(alarms),
        families_wrong=sum(alarms),
    )


def _judge_tag(model: PreTrainedModel, seed: int, texts: PlantedTexts) -> WordTest:
    """Tags stand by chance here. Which words drive the model's answers, and which of them does the truth bear out?"""
    removable = [planted_text(row) for row in texts.control]
    scores = _towards_label_1(model, removable)
    frame = relevance_frame(removable, scores, answers(model, texts.control))
    driving = significant_words(frame, seed=seed)
    borne_out = significant_words(relevance_frame(removable, scores, texts.labels), seed=seed)
    # The marker is a reason as well, if a weaker one: it is neither right nor wrong.
    tags, reasons = forms("source_tag"), forms("single_token") | forms("source_tag")
    places = driving["word"].is_in(tags).arg_true()
    return WordTest(
        tested=driving.height,
        right=driving.filter("significant", pl.col("word").is_in(tags)).height,
        wrong=driving.filter("significant", ~pl.col("word").is_in(reasons)).height,
        naive_wrong=words_apart_from_zero(frame).filter("significant", ~pl.col("word").is_in(reasons)).height,
        families=0,
        families_wrong=0,
        rank=int(places[0]) + 1 if len(places) else driving.height + 1,
        evidence=borne_out.filter("significant", pl.col("word").is_in(tags)).height,
    )


def _towards_label_1(model: PreTrainedModel, texts: Sequence[Text]) -> list[NDArray[np.float64]]:
    return METHODS["attnlrp"](subject([model], [MASK], target="contrast"), texts, [1] * len(texts))


def forms(task: Task) -> frozenset[str]:
    """The words that carry the signal of a task, as they are written."""
    return frozenset(f"w{identifier}" for identifier in carriers(task))


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
