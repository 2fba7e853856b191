"""What two sides of a comparison agree on: by document, by term, by part of speech; every interval is over documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from workbench.queries.resampling import divided, interval, resampled
from workbench.queries.statistics import ratio_interval

#: Words that both sides must have seen in a text for a correlation over them.
LEAST_WORDS = 3
#: Width of a normal interval in standard errors, to order terms before their bootstrap.
NORMAL = 1.96
SIDES = ("first", "second")


def scaled(frame: pl.DataFrame, scale: str) -> pl.DataFrame:
    """Aligned words that both sides saw, with relevance as it is, or as a share of the text's sum of |relevance| on its side."""
    words = frame.filter((pl.col("kind") == "word") & pl.col("first").is_not_null() & pl.col("second").is_not_null())
    if scale == "relevance":
        return words
    whole = [pl.col(name).abs().sum().over("pair") for name in SIDES]
    return words.with_columns(pl.when(size > 0).then(pl.col(name) / size).otherwise(0.0) for name, size in zip(SIDES, whole, strict=True))


def by_document(words: pl.DataFrame) -> pl.DataFrame:
    """For each pair: words, pearson, spearman, moved, signs, same_top (is the most relevant word the same).

    `moved` is the share of a text's |relevance| that lies on other words: half the sum of the differences of shares (total variation).
    `signs` is the share of its |relevance| (mean of both sides) on words whose sign differs.
    """
    first, second = pl.col("first"), pl.col("second")
    share = [pl.col(name).abs() / pl.col(name).abs().sum() for name in SIDES]
    both = (share[0] + share[1]) / 2
    enough = pl.len() >= LEAST_WORDS
    found = words.group_by("pair", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("words"),
        pl.when(enough).then(pl.corr(first, second)).alias("pearson"),
        pl.when(enough).then(pl.corr(first, second, method="spearman")).alias("spearman"),
        ((share[0] * first.sign() - share[1] * second.sign()).abs().sum() / 2).alias("moved"),
        both.filter(first.sign() * second.sign() < 0).sum().alias("signs"),
        (first.arg_max() == second.arg_max()).alias("same_top"),
    )
    return found.with_columns(pl.col(pl.Float64).fill_nan(None))


def mean_of(frame: pl.DataFrame, column: str, resamples: int, seed: int) -> dict[str, float | int | None]:
    """Mean of a column over documents with its interval, and of how many."""
    values = frame[column].cast(pl.Float64).drop_nulls().to_numpy()
    low, high = ratio_interval(values, np.ones(len(values)), resamples=resamples, seed=seed)
    known = [None if np.isnan(end) else float(end) for end in (low, high)]
    return {"mean": float(values.mean()) if len(values) else None, "low": known[0], "high": known[1], "documents": len(values)}


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of words that were asked for, and how many there are."""

    frame: pl.DataFrame
    counted: int


def by_class(words: pl.DataFrame, column: str, *, least: int, most: int | None, resamples: int, seed: int) -> Classes:
    """Mean relevance of one occurrence of each class of words on both sides, and its difference (second minus first) with interval.

    Classes in at least `least` documents, at most `most` of them (None: all), by how far the difference is surely from zero, most first.
    Columns: `column`, first, second, difference, low, high, documents, occurrences.
    """
    known = words.drop_nulls(column)
    sums = known.group_by("pair", column).agg(
        pl.col("first", "second").sum(), (pl.col("second") - pl.col("first")).sum().alias("difference"), pl.len().alias("occurrences")
    )
    change, count = pl.col("difference"), pl.col("occurrences")
    mean = change.sum() / count.sum()
    documents = pl.len()
    spread = ((change - mean * count) ** 2).sum().sqrt() / count.sum() * (documents / (documents - 1)).sqrt()
    found = sums.group_by(column).agg(
        pl.col("first").sum() / count.sum(), pl.col("second").sum() / count.sum(), mean.alias("difference"), spread.alias("spread"),
        documents.cast(pl.Int64).alias("documents"), count.sum().cast(pl.Int64).alias("occurrences"),
    ).filter(pl.col("documents") >= least)  # fmt: skip
    surely = pl.col("difference").abs() - NORMAL * pl.col("spread").fill_nan(None).fill_null(float("inf"))
    found = found.sort(surely.fill_nan(float("-inf")), pl.col("difference").abs(), column, descending=[True, True, False])
    shown = found if most is None else found.head(most)
    ends = bootstrapped(sums, shown[column], column, resamples, seed)
    return Classes(shown.select(column, "first", "second", "difference", *ends, "documents", "occurrences"), len(found))


def bootstrapped(sums: pl.DataFrame, classes: pl.Series, column: str, resamples: int, seed: int) -> list[pl.Series]:
    """Both ends of the interval of each class's mean difference, documents resampled once for all classes."""
    pairs = {pair: row for row, pair in enumerate(sums["pair"].unique().sort())}
    codes = {name: place for place, name in enumerate(classes)}
    rows = sums.filter(pl.col(column).is_in(classes.implode()))
    places = (
        np.array([pairs[pair] for pair in rows["pair"]], np.int64),
        np.array([codes[name] for name in rows[column]], np.int64),
    )
    shape = (len(pairs), len(codes))
    draws: list[NDArray[np.float64]] = [
        resampled(sparse.csr_array((rows[name].cast(pl.Float64).to_numpy(), places), shape=shape), resamples, seed)
        for name in ("difference", "occurrences")
    ]
    ends = interval(divided(*draws))
    present = np.bincount(places[1], minlength=len(codes))
    for end in ends:
        end[present < 2] = np.nan
    return [pl.Series(name, end).fill_nan(None) for name, end in zip(("low", "high"), ends, strict=True)]


def turned(words: pl.DataFrame) -> pl.DataFrame:
    """Words that speak for the class on one side and against it on the other, the strongest first: pair, word, form, first, second."""
    found = words.filter(pl.col("first") * pl.col("second") < 0)
    strength = pl.min_horizontal(pl.col("first").abs(), pl.col("second").abs())
    return found.sort(strength, "pair", "word", descending=[True, False, False]).select("pair", "word", "form", "first", "second")
