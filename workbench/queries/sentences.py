"""Means of what is measured at the steps of translations, with intervals over sentences: effects are small, so none goes without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from sacrebleu.metrics.bleu import BLEU
from scipy import sparse

from workbench.errors import StoreError
from workbench.queries.question import Value
from workbench.queries.resampling import Numbers, divided, interval, resampled, weights
from workbench.store import Store

#: Who translates what, whose text is explained, and how: answers never add numbers of two.
SYSTEM = ("corpus", "languages", "model", "role", "composite", "target")


def means(
    frame: pl.DataFrame, values: Mapping[str, Value], classes: Sequence[str], group: Sequence[str] = SYSTEM, counted: str = ""
) -> pl.DataFrame:
    """One row a class: `mean`, `low`, `high`, `sentences`, and the number of what a mean is of (`counted`; none where it is a sentence).

    `frame` has for each sentence and class the sum of a measure (`part`) and of how many (`number`). Sentences of a group are resampled
    together, so that its classes vary as they do from corpus to corpus; a class that only one sentence has gets no interval.
    """
    kept = ["mean", "low", "high", "sentences", *([counted] if counted else [])]
    parts = [of_group(part, values, classes, counted or "number") for _, part in frame.group_by(group, maintain_order=True)]
    if not parts:
        kinds = {name: pl.Float64 if name in ("mean", "low", "high") else pl.Int64 for name in kept}
        return frame.select(*group, *classes).with_columns(pl.lit(None, kind).alias(name) for name, kind in kinds.items())
    found = pl.concat(parts).sort(*group, *classes)
    return found.filter(pl.col("sentences") >= int(str(values.get("minimum_sentences", 1)))).select(*group, *classes, *kept)


def of_group(frame: pl.DataFrame, values: Mapping[str, Value], classes: Sequence[str], counted: str) -> pl.DataFrame:
    """The rows of one group."""
    owner = [name for name in frame.columns if name not in ("sentence", "part", "number")]
    names = frame.select(owner).unique(maintain_order=True).with_row_index("class")
    coded = frame.join(names, on=list(classes), how="left", nulls_equal=True)
    sums, numbers = by_sentence(frame["sentence"].to_numpy(), coded, len(names))
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    low, high = interval(divided(resampled(sums, resamples, seed), resampled(numbers, resamples, seed)))
    sentences = np.bincount(coded["class"].to_numpy(), minlength=len(names))
    low[sentences < 2] = high[sentences < 2] = np.nan
    found = {"mean": divided(sums.sum(0), numbers.sum(0)), "low": low, "high": high, "sentences": sentences, counted: numbers.sum(0)}
    ends = pl.DataFrame(found).with_columns(pl.col("mean", "low", "high").fill_nan(None), pl.col("sentences", counted).cast(pl.Int64))
    return names.drop("class").hstack(ends)


def by_sentence(sentence: Numbers, coded: pl.DataFrame, classes: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Sums and numbers `(sentence, class)`."""
    known, rows = np.unique(sentence, return_inverse=True)
    places, shape = (rows, coded["class"].to_numpy()), (len(known), classes)
    columns = (coded[name].cast(pl.Float64).fill_null(0).to_numpy() for name in ("part", "number"))
    sums, numbers = (sparse.csr_array((column, places), shape=shape) for column in columns)
    return sums, numbers


def qualities(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Means of sentences' scores, and BLEU over all sentences of a system (which is no mean of sentences)."""
    classes = ["identifier", "metric"]
    sentences = means(frame.filter(pl.col("metric") != "corpus_bleu"), values, classes)
    texts = frame.filter(pl.col("metric") == "corpus_bleu")
    rows = [{**dict(zip((*SYSTEM, *classes), key, strict=True)), **bleu(part, values)}
            for key, part in texts.group_by(*SYSTEM, *classes, maintain_order=True)]  # fmt: skip
    whole = pl.DataFrame(rows, schema=sentences.schema)
    return pl.concat([sentences, whole]).sort(*SYSTEM, "identifier", pl.col("metric") != "corpus_bleu", "metric")


def bleu(frame: pl.DataFrame, values: Mapping[str, Value]) -> dict[str, float | int | None]:
    """BLEU of a corpus as sacrebleu counts it, and its interval over sentences. Sources: Papineni et al. 2002, Koehn 2004, Post 2018."""
    metric = BLEU(effective_order=True)  # of one sentence, so that it does not warn; counts and totals are the same
    scores = [metric.sentence_score(str(text), [str(reference)]) for text, reference in frame.select("text", "reference_text").iter_rows()]
    counts = np.array([(*one.counts, *one.totals, one.sys_len, one.ref_len) for one in scores], dtype=np.int64)
    order = len(scores[0].counts)

    def corpus(sums: Numbers) -> float:
        told = [int(value) for value in sums]
        return float(BLEU.compute_bleu(told[:order], told[order : 2 * order], told[-2], told[-1], smooth_method="exp").score)

    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    draws = [corpus(sums) for drawn in weights(len(counts), resamples, seed) for sums in drawn @ counts]
    low, high = interval(np.array(draws)[:, None]) if draws else (np.array([np.nan]), np.array([np.nan]))
    ends = [None if np.isnan(end[0]) else float(end[0]) for end in (low, high)]
    return {"mean": corpus(counts.sum(0)), "low": ends[0], "high": ends[1], "sentences": len(counts)}


def difference(store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """One row a measure: both systems, and the difference with its interval. StoreError where no sentence is translated by both."""
    asked, pair = "compare two systems", (values["model"], values["other"])
    if pair[0] == pair[1]:
        raise StoreError(asked, f"{pair[0]} twice", "name two systems")
    if frame.is_empty():
        counted = "SELECT model || ' (' || count(*) || ' translations)' AS model FROM translations GROUP BY model ORDER BY 1"
        known = ", ".join(store.sql(counted)["model"]) or "no translations"
        raise StoreError(asked, f"no sentence that {pair[0]} and {pair[1]} both explain; the store has {known}", "run both on one corpus")
    group = [name for name in SYSTEM if name != "model"]
    rows = []
    for key, part in frame.group_by(*group, "measure", maintain_order=True):
        coded = part.with_columns(pl.col("model").replace_strict({pair[0]: 0, pair[1]: 1}, return_dtype=pl.Int32).alias("class"))
        sums, numbers = by_sentence(part["sentence"].to_numpy(), coded, 2)
        resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
        draws = divided(resampled(sums, resamples, seed), resampled(numbers, resamples, seed))
        low, high = interval(draws[:, :1] - draws[:, 1:])
        first, second = divided(sums.sum(0), numbers.sum(0))
        rows.append((*key, first, second, first - second, low[0], high[0], sums.shape[0]))
    names = [*group, "measure", "first", "second", "difference", "low", "high", "sentences"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
