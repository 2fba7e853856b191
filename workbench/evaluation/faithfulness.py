"""Faithfulness of every method on a model's own texts: methods x orderings x metrics, by document, with intervals and against random order.

A faithfulness figure says how well a ranking predicts what the model does when words leave; it is no proof that the relevance is true
(texts without their words are unlike any text the model has seen). It is shown beside the planted control (`planted`), where the truth is
known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.batch import SCHEMAS
from workbench.errors import InputError
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.methods import METHODS
from workbench.evaluation.perturbation import METRICS, ORDERINGS, STEPS, Ordering, Value, measure, ranking, remainders_needed
from workbench.evaluation.removal import Kept, Text
from workbench.evaluation.subject import Subject

#: Documents measured together: their remainders share batches, their predictions are then forgotten.
CHUNK = 64

#: Told after each chunk: documents done, documents in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Scores by document (columns of `SCHEMAS['score']`), texts that had no word, sequences predicted, by all members together.

    `convergence` is the median of what integrated gradients left unexplained (see `Subject`), None where they were not asked.
    """

    scores: pl.DataFrame
    without_words: int
    predictions: int
    convergence: float | None


def faithfulness(
    subject: Subject,
    texts: Sequence[Text],
    labels: Sequence[int] | None = None,
    *,
    model: str,
    documents: Sequence[int] | None = None,
    role: str = "text",
    methods: Sequence[str] = tuple(METHODS),
    orderings: Sequence[Ordering] = ORDERINGS,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> Faithfulness:
    """Measures every method on every text for the given labels, or the labels that the ensemble's mean probability predicts.

    `documents` gives the document number of each text (0, 1, 2 … if None). Raises InputError for an unknown method.
    """
    if unknown := set(methods) - set(METHODS):
        raise InputError(f"measure the methods {', '.join(sorted(unknown))}", "no such method", f"choose among {', '.join(METHODS)}")
    numbers = range(len(texts)) if documents is None else documents
    usable = [index for index, text in enumerate(texts) if text.words]
    rows: list[tuple[int, str, str, str, str, str, float]] = []
    for start in range(0, len(usable), CHUNK):
        chosen = usable[start : start + CHUNK]
        part = [texts[index] for index in chosen]
        explained = _predicted(subject, part) if labels is None else [labels[index] for index in chosen]
        rankings = _rankings(subject, part, explained, methods, orderings)
        values = _values(subject, part, explained, rankings, steps)
        for index, value, by_name in zip(chosen, values, rankings, strict=True):
            measured = {order: measure(order, value, steps) for order in set(by_name.values())}
            for (method, ordering), order in by_name.items():
                rows.extend((numbers[index], role, model, method, ordering, metric, measured[order][metric]) for metric in METRICS)
        subject.remainders.forget()
        if progress is not None:
            progress(start + len(chosen), len(usable))
    return Faithfulness(
        scores=pl.DataFrame(rows, schema=dict(SCHEMAS["score"]), orient="row"),
        without_words=len(texts) - len(usable),
        predictions=sum(member.computed for member in subject.remainders.members),
        convergence=float(np.median(subject.convergence)) if subject.convergence else None,
    )


def _predicted(subject: Subject, texts: Sequence[Text]) -> list[int]:
    rows = subject.remainders.rows([(text, text.everything) for text in texts])
    return [int(label) for label in rows.argmax(axis=1)]


def _rankings(
    subject: Subject, texts: Sequence[Text], labels: Sequence[int], methods: Sequence[str], orderings: Sequence[Ordering]
) -> list[dict[tuple[str, Ordering], tuple[int, ...]]]:
    """For each text the ranking of its words by method and ordering."""
    scores = {method: METHODS[method](subject, texts, labels) for method in methods}
    return [
        {(method, ordering): ranking(scores[method][index], ordering) for method in methods for ordering in orderings}
        for index in range(len(texts))
    ]


def _values(
    subject: Subject,
    texts: Sequence[Text],
    labels: Sequence[int],
    rankings: Sequence[dict[tuple[str, Ordering], tuple[int, ...]]],
    steps: int,
) -> list[Value]:
    """For each text the probability of its label by remainder, all needed ones predicted together."""
    needed = [sorted({kept for order in set(orders.values()) for kept in remainders_needed(order, steps)}) for orders in rankings]
    predicted = subject.remainders.rows([(text, kept) for text, wanted in zip(texts, needed, strict=True) for kept in wanted])
    parts = np.split(predicted, np.cumsum([len(wanted) for wanted in needed])[:-1])
    return [_lookup(wanted, part[:, label]) for wanted, part, label in zip(needed, parts, labels, strict=True)]


def _lookup(wanted: Sequence[Kept], probabilities: NDArray[np.floating]) -> Value:
    return dict(zip(wanted, probabilities.tolist(), strict=True)).__getitem__


def summary(scores: pl.DataFrame, *, reference: str = "random", seed: int = 0) -> pl.DataFrame:
    """Mean by model, method, ordering and metric with a 95 % bootstrap interval, and the paired difference from the `reference` method.

    Columns: model, role, method, ordering, metric, documents, mean, low, high, difference, difference_low, difference_high. The difference
    is taken document by document; null where the reference was not measured. Null bounds for a single document.
    """
    keys = ["model", "role", "ordering", "metric"]
    paired = scores.join(
        scores.filter(pl.col("method") == reference).select("document", *keys, pl.col("value").alias("reference")),
        on=["document", *keys],
        how="left",
    ).sort("document")
    found = [
        dict(zip(("model", "role", "method", "ordering", "metric"), names, strict=True)) | _line(part, seed)
        for names, part in paired.group_by("model", "role", "method", "ordering", "metric", maintain_order=True)
    ]
    columns = ("mean", "low", "high", "difference", "difference_low", "difference_high")
    names = ("model", "role", "method", "ordering", "metric")
    schema = dict.fromkeys(names, pl.String()) | {"documents": pl.Int64()} | dict.fromkeys(columns, pl.Float64())
    return pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.col(columns).fill_nan(None)).sort(names)


def _line(part: pl.DataFrame, seed: int) -> dict[str, float | int | None]:
    values = part["value"].to_numpy()
    line: dict[str, float | int | None] = {"documents": len(values), "mean": float(values.mean())}
    line["low"], line["high"] = mean_interval(values, seed)
    differences = (part["value"] - part["reference"]).drop_nulls().to_numpy()
    if len(differences):
        line["difference"] = float(differences.mean())
        line["difference_low"], line["difference_high"] = mean_interval(differences, seed)
    return line
