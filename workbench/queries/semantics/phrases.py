"""Phrases: a text's salient words merged to spans, in each text and over a corpus.

1. Salient are the most relevant words of a text that together hold a share (`cover`) of its positive relevance, punctuation left out: the
   salient relevance map (Li et al. 2019, for images) in the form that it has for a text.
2. Salient words are of one phrase where they stand side by side in a sentence (or with at most `gap` words between), where one depends on
   the other, or where either holds (`link`): the components of that graph.
3. Over the corpus a phrase is the sequence of its lemmas or forms; its relevance is the sum over its words.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from workbench.errors import InputError, StoreError
from workbench.queries.evidence import cql
from workbench.queries.question import Value
from workbench.queries.resampling import divided, interval, resampled
from workbench.store import Store

LINKS = ("adjacent", "dependency", "both")
WHO = ("model", "composite", "label")
#: Stands in a phrase where words between its words are no part of it.
BETWEEN = "…"
#: Most words between two words of a phrase in its pattern.
WIDEST = 20


def phrases(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The phrases of each model, composite and class, those first that hold most relevance."""
    spans = of_words(frame, str(values["link"]))
    wholes = frame.group_by(*WHO, "explanation", maintain_order=True).agg(pl.col("document").first(), pl.col("whole").first())
    parts = [
        of_class(spans.join(key, on=list(WHO), how="semi", nulls_equal=True), part, values)
        for _, part in wholes.group_by(WHO, maintain_order=True)
        if len(key := part.select(WHO).head(1))
    ]
    columns = [*WHO, "phrase", "mean", "low", "high", "share", "words", "upos", "documents", "occurrences", "pattern"]
    if not parts:
        kinds = dict.fromkeys(("mean", "low", "high", "share"), pl.Float64) | dict.fromkeys(("words", "documents", "occurrences"), pl.Int64)
        return pl.DataFrame(schema={name: kinds.get(name, pl.String) for name in columns})
    return pl.concat(parts).select(columns).sort(*WHO, "share", "phrase", descending=[False] * 3 + [True, False])


def of_words(frame: pl.DataFrame, link: str) -> pl.DataFrame:
    """The phrases of each text, one row each, from the rows of `phrases.sql`.

    Columns: model, composite, label, explanation, document, role, first and last (words), words (their number), places (their numbers),
    char_start, char_end, phrase, upos, relevance, pattern. Raises InputError for another link.
    """
    if link not in LINKS:
        raise InputError("merge words to phrases", f"the link {link!r}", f"choose one of {', '.join(LINKS)}")
    if link != "adjacent" and len(frame) and frame["head"].null_count() == len(frame):
        raise StoreError(
            "merge words that grammar joins", "an annotator that gives no dependencies", "set link=adjacent, or annotate again"
        )
    numbered = frame.with_columns(pl.Series("phrase_number", components(frame, link), dtype=pl.Int64))
    whole = numbered.filter(pl.col("salient").any().over("phrase_number"))
    step = pl.col("word") - pl.col("word").shift(1).over("phrase_number")
    by = pl.when(pl.col("lemmatised")).then(pl.lit("lemma=")).otherwise(pl.lit("word="))
    told = whole.with_columns(
        pl.when(step > 1).then(pl.lit(f"{BETWEEN} ")).otherwise(pl.lit("")).alias("before"),
        pl.when(step > 1).then(pl.concat_str(pl.lit("[]{1,"), (step - 1).clip(1, WIDEST), pl.lit("} "))).otherwise(pl.lit("")).alias("gap"),
        pl.format("[{}{}]", by, pl.col("term").map_elements(cql, return_dtype=pl.String)).alias("asked"),
    )
    found = told.group_by("phrase_number", maintain_order=True).agg(
        *(pl.col(name).first() for name in (*WHO, "explanation", "document", "role")),
        pl.col("word").min().alias("first"),
        pl.col("word").max().alias("last"),
        pl.len().cast(pl.Int64).alias("words"),
        pl.col("word").alias("places"),
        pl.col("char_start").min(),
        pl.col("char_end").max(),
        (pl.col("before") + pl.col("term")).str.join(" ").alias("phrase"),
        pl.col("upos").fill_null("?").str.join(" "),
        pl.col("relevance").sum(),
        (pl.col("gap") + pl.col("asked")).str.join(" ").alias("pattern"),
    )
    return found.drop("phrase_number")


def components(frame: pl.DataFrame, link: str) -> NDArray[np.int64]:
    """The number of the phrase that each row belongs to."""
    size = len(frame)
    edges = [np.zeros((2, 0), np.int64)]
    if link != "dependency" and size:
        following = frame.select(
            (pl.col("explanation").diff().fill_null(1) == 0)
            & (pl.col("word").diff().fill_null(0) == 1)
            & pl.col("sentence").eq_missing(pl.col("sentence").shift(1))
        ).to_series()
        last = np.flatnonzero(following.to_numpy())
        edges.append(np.stack([last - 1, last]))
    if link != "adjacent" and size:
        rows = frame.select("explanation", "word", "head", "salient").with_row_index("row").filter("salient")
        arcs = rows.join(rows, left_on=["explanation", "head"], right_on=["explanation", "word"], suffix="_head")
        edges.append(arcs.select("row", "row_head").to_numpy().astype(np.int64).T)
    both = np.concatenate(edges, axis=1)
    graph = sparse.coo_array((np.ones(both.shape[1], np.bool_), (both[0], both[1])), shape=(size, size))
    return np.asarray(connected_components(graph.tocsr(), directed=False)[1], dtype=np.int64) if size else np.zeros(0, np.int64)


def of_class(spans: pl.DataFrame, wholes: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The phrases of one class with shares and intervals; documents are drawn once for all phrases."""
    least, documents = int(str(values["minimum_words"])), pl.col("document").n_unique()
    sign = -1.0 if values["against"] else 1.0
    whole = float(wholes["whole"].sum())
    found = (
        spans.filter(pl.col("words") >= least)
        .group_by("phrase", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in WHO),
            pl.col("words").first(),
            pl.col("upos").mode().sort().first(),
            pl.col("pattern").first(),
            (pl.col("relevance").sum() / pl.len()).alias("mean"),
            (sign * pl.col("relevance").sum() / whole if whole > 0 else pl.lit(None, pl.Float64)).alias("share"),
            documents.cast(pl.Int64).alias("documents"),
            pl.len().cast(pl.Int64).alias("occurrences"),
        )
        .filter(pl.col("documents") >= int(str(values["minimum_documents"])))
        .sort("share", "phrase", descending=[True, False], nulls_last=True)
        .head(int(str(values["limit"])))
    )
    places = {document: row for row, document in enumerate(wholes["document"].unique().sort())}
    codes = {phrase: column for column, phrase in enumerate(found["phrase"])}
    shown = spans.filter(pl.col("phrase").is_in(found["phrase"].implode()))
    at = (np.array([places[one] for one in shown["document"]], np.int64), np.array([codes[one] for one in shown["phrase"]], np.int64))
    shape = (len(places), len(codes))
    resamples, seed = int(str(values["resamples"])), int(str(values["seed"]))
    sums = [
        resampled(sparse.csr_array((numbers, at), shape=shape), resamples, seed)
        for numbers in (shown["relevance"].to_numpy(), np.ones(len(shown)))
    ]
    ends = interval(divided(*sums))
    alone = found["documents"].to_numpy() < 2
    for end in ends:
        end[alone] = np.nan
    return found.with_columns(pl.Series(name, end).fill_nan(None) for name, end in zip(("low", "high"), ends, strict=True))
