"""Which words are significantly relevant for a class: a permutation test by document, corrected for the number of words.

1. r[w, d] is the relevance of word w in document d towards class c (all its occurrences together), from an explanation of class c;
   x[w, d] is its excess, r[w, d] minus the mean over the words of d: a word that merely stands beside a relevant one has none.
2. T[w] = sum over documents of x[w, d] * (1 if the true label of d is c else 0, minus the share of c): large where the word speaks for the
   class in documents that belong to it, or against it in documents that do not.
3. Under the null hypothesis true labels have nothing to do with the texts, so they may be permuted over documents: p is the share of
   permutations with T at least as large (Phipson and Smyth 2010: (1 + hits) / (1 + permutations), valid for any number of documents).
4. q by Benjamini and Hochberg 1995 over all words and classes (scipy.stats.false_discovery_control).

Why not test the mean relevance against zero: a network trained on coin flips still prefers some words, always the same ones, so that test
finds 'significant' words where there is nothing to be found (the planted control measures how many). Documents must be held out from
training, or labels learnt by heart count as evidence; duplicates must be out, or one document counts twice. Give all words of a document.
Significant is not important: read q beside the mean relevance.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse, stats

from workbench.errors import InputError

#: Rows in, any further columns ignored: one row for each word occurrence (or word) of a document and explained class.
COLUMNS = ("document", "gold", "label", "word", "relevance")
PERMUTATIONS = 9_999
CHUNK = 500


def significant_words(
    relevance: pl.DataFrame, *, level: float = 0.05, least_documents: int = 5, permutations: int = PERMUTATIONS, seed: int = 0
) -> pl.DataFrame:
    """Test every word of every explained class that stands in at least `least_documents` documents.

    `relevance` has the columns `COLUMNS`: document, its true label, the class explained, the word, its relevance. Returned: label, word,
    documents, mean_relevance and mean_excess (by document), direction (`for` or `against` the class, by the excess), p_value, q_value,
    significant (q <= level), most certain first. Raises InputError for missing columns or a relevance that is not finite.
    """
    if missing := set(COLUMNS) - set(relevance.columns):
        raise InputError("test words for significance", f"no column {', '.join(sorted(missing))}", f"give {', '.join(COLUMNS)}")
    if not relevance["relevance"].cast(pl.Float64).is_finite().all():
        raise InputError("test words for significance", "a relevance that is not finite", "leave failed explanations out")
    gold = relevance.select("document", "gold").drop_nulls().unique().sort("document").with_row_index("row")
    if gold["document"].n_unique() != gold.height:
        raise InputError("test words for significance", "a document with two true labels", "give each document one label")
    random = np.random.default_rng(seed)
    value = pl.col("relevance")
    summed = (
        relevance.sort("document", "label", "word", "relevance")  # sums of rounded numbers depend on their order
        .group_by("document", "label", "word", maintain_order=True)
        .agg(value.cast(pl.Float64).sum())
        .with_columns((value - value.mean().over("document", "label")).alias("excess"))
        .join(gold, on="document")
    )
    tested = [
        _test_class(str(label), part.sort("word", "row"), gold["gold"], least_documents, permutations, random)
        for (label,), part in sorted(summed.group_by("label"), key=lambda group: str(group[0][0]))
    ]
    frame = pl.concat(tested) if tested else _test_class("", summed.with_columns(pl.lit(0).alias("row")), gold["gold"], 1, 1, random)
    q_values = stats.false_discovery_control(frame["p_value"].to_numpy()) if frame.height else np.empty(0)
    return frame.with_columns(pl.Series("q_value", q_values, dtype=pl.Float64)).with_columns(
        (pl.col("q_value") <= level).alias("significant")
    ).sort("q_value", pl.col("mean_excess").abs(), descending=[False, True])  # fmt: skip


def _test_class(
    label: str, part: pl.DataFrame, gold: pl.Series, least_documents: int, permutations: int, random: np.random.Generator
) -> pl.DataFrame:
    words = (
        part.group_by("word", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("documents"), pl.col("relevance").mean().alias("mean_relevance"),
            pl.col("excess").mean().alias("mean_excess"),
        )
        .filter(pl.col("documents") >= least_documents)
    )  # fmt: skip
    rows = part.join(words.select("word").with_row_index("column"), on="word")
    indices = (rows["column"].to_numpy(), rows["row"].to_numpy())
    matrix = sparse.csr_matrix((rows["excess"].to_numpy(), indices), shape=(words.height, len(gold)))
    belongs = (gold == label).to_numpy().astype(np.float64)
    p_values = _permutation_p_values(matrix, belongs - belongs.mean() if len(belongs) else belongs, permutations, random)
    return words.select(
        pl.lit(label).alias("label"),
        "word",
        "documents",
        "mean_relevance",
        "mean_excess",
        pl.when(pl.col("mean_excess") > 0).then(pl.lit("for")).otherwise(pl.lit("against")).alias("direction"),
        pl.Series("p_value", p_values, dtype=pl.Float64),
    )


def _permutation_p_values(
    matrix: sparse.csr_matrix, centred: NDArray[np.float64], permutations: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """One-sided p of each row of `matrix` (word, document) against label permutations; ties count as hits (up to rounding)."""
    observed = matrix @ centred
    threshold = observed - 1e-9 * (1e-300 + abs(matrix) @ np.abs(centred))
    hits = np.zeros(matrix.shape[0])
    for start in range(0, permutations, CHUNK):
        shuffled = random.permuted(np.tile(centred[:, None], min(CHUNK, permutations - start)), axis=0)
        hits += (matrix @ shuffled >= threshold[:, None]).sum(axis=1)
    return np.asarray((1 + hits) / (1 + permutations))


def words_apart_from_zero(relevance: pl.DataFrame, *, level: float = 0.05, least_documents: int = 5) -> pl.DataFrame:
    """The naive test, kept as a warning: one-sample t-test of each word's relevance against zero, Benjamini-Hochberg over words.

    Returned: label, word, p_value, q_value, significant. It asks whether the model is consistent, not whether it is right.
    """
    values = relevance.group_by("label", "word", "document").agg(pl.col("relevance").sum()).sort("label", "word", "document")
    groups = values.group_by("label", "word", maintain_order=True).agg(pl.col("relevance")).filter(
        (pl.col("relevance").list.len() >= max(2, least_documents)) & (pl.col("relevance").list.std() > 0)
    )  # fmt: skip
    p_values = np.array([stats.ttest_1samp(row, 0.0).pvalue for row in groups["relevance"].to_list()])
    q_values = stats.false_discovery_control(p_values) if len(p_values) else p_values
    return groups.select(
        "label", "word", pl.Series("p_value", p_values, dtype=pl.Float64), pl.Series("q_value", q_values, dtype=pl.Float64)
    ).with_columns((pl.col("q_value") <= level).alias("significant"))
