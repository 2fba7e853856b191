"""All N² pairs of texts of a corpus from one pass over N texts: interactions of parts of speech, relations, lemmas or categories."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import InputError, StoreError
from workbench.queries.class_interactions import ClassSums
from workbench.queries.factors import Texts, chosen, chunks, texts, words
from workbench.queries.lexicon import read_lexicon
from workbench.queries.question import Value
from workbench.store import Store

BY = ("upos", "relation", "lemma", "lexicon")
#: The class of words that have none, and the one class of those that stand in too few texts.
NONE, RARER = "(none)", "(rarer)"
#: Texts that a lemma must stand in, unless said otherwise.
LEMMA_TEXTS = 5
#: Classes that are told apart at most: three tables of 2,000 x 2,000 numbers are 96 MB.
MOST = 2000
SCHEMA = {
    "left": pl.String, "right": pl.String, "share": pl.Float64, "mean": pl.Float64, "interactions": pl.Int64, "lift": pl.Float64,
    "pairs": pl.Int64, "sum": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AllPairs:
    """Interactions of classes of words over all pairs of different texts, each pair once.

    `frame`: `left`, `right` (two classes; both orders are one row), `share` of the sum over all words, `mean` of one interaction,
    `interactions` (cells), `lift`, `pairs` of texts in which they meet, `sum`. `total` is the sum over all words of all `pairs`.
    """

    frame: pl.DataFrame
    by: str
    model: str
    composite: str
    measure: str
    texts: int
    pairs: int
    total: float


def all_pairs(
    store: Store | str | os.PathLike[str],
    by: str = "upos",
    model: str | None = None,
    corpus: str | None = None,
    role: str | None = None,
    lexicon: str | os.PathLike[str] | None = None,
    minimum: int | None = None,
    texts: str = "distinct",
    *,
    composite: str | None = None,
    measure: str | None = None,
    limit: int | None = None,
) -> AllPairs:
    """Interactions of classes of words over all pairs of texts of a store, from their factors; `texts` and the rest as in `all_pairs.sql`.

    One pass over the factors, memory of classes x (dim + 3 classes); no text is paired with itself, and each different text counts once
    unless `texts` is "all". With by="lexicon" a word counts in each of its categories. Raises StoreError for a store without factors or
    with factors of several models of which none is chosen, InputError for other classes, a broken lexicon, and more than 2,000 classes.
    """
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return all_pairs(opened, by, model, corpus, role, lexicon, minimum, texts, composite=composite, measure=measure, limit=limit)
    values = chosen(
        "all_pairs", by=by, model=model, corpus=corpus, role=role, lexicon=None if lexicon is None else os.fspath(lexicon),
        minimum=minimum, texts=texts, composite=composite, measure=measure, limit=limit,
    )  # fmt: skip
    return of_values(store, values)


def of_values(store: Store, values: dict[str, Value]) -> AllPairs:
    """The same from checked parameters."""
    by = str(values["by"])
    asked = f"interactions of all pairs by {by}"
    if by not in BY:
        raise InputError(asked, f"the classes {', '.join(BY)}", "choose one of these")
    found = texts(store, asked, values)
    if len(found) < 2:
        raise StoreError(asked, "a single text", "choose more texts")
    classed = classes(words(store, found), by, values)
    names = sorted(classed["class"].unique())
    codes = classed.with_columns(pl.col("class").replace_strict(names, range(len(names)), return_dtype=pl.Int64).alias("code"))
    sums, whole = one_pass(store, found, codes.select("explanation", "word", "code"), len(names), asked)
    count = len(found)
    return AllPairs(
        frame_of(names, sums, whole, values), by, found.model, found.composite, found.measure, count, count * (count - 1) // 2, whole[0]
    )


def classes(words: pl.DataFrame, by: str, values: dict[str, Value]) -> pl.DataFrame:
    """Words with their class, `explanation`, `word`, `class`: one row a word, or with a lexicon one for each of its categories."""
    lemma = pl.coalesce("lemma", "form").str.to_lowercase()
    if by == "lexicon":
        if values["lexicon"] is None:
            raise InputError("interactions of all pairs by lexicon", "no lexicon", "give a file of lines term<TAB>category: lexicon=PATH")
        terms = read_lexicon(str(values["lexicon"]))
        spelled = words.select("explanation", "word", lemma.alias("lemma"), pl.col("form").str.to_lowercase())
        either = pl.concat([spelled.join(terms, left_on=name, right_on="term") for name in ("lemma", "form")], how="diagonal")
        if either.is_empty():
            raise InputError(
                f"class words by {values['lexicon']}",
                f"none of its {terms['term'].n_unique():,} terms in these texts",
                "check language and spelling",
            )
        known = either.select("explanation", "word", pl.col("category").alias("class")).unique(maintain_order=True)
        found = words.select("explanation", "word").join(known, on=["explanation", "word"], how="left", maintain_order="left")
    else:
        found = words.select("explanation", "word", (lemma if by == "lemma" else pl.col(by)).alias("class"))
    found = found.with_columns(pl.col("class").fill_null(NONE))
    return rarer(found, by, values)


def rarer(found: pl.DataFrame, by: str, values: dict[str, Value]) -> pl.DataFrame:
    """Classes in fewer texts than the minimum become one. InputError where too many are left, with the minimum that would do."""
    minimum = int(str(values["minimum"])) if values["minimum"] is not None else LEMMA_TEXTS if by == "lemma" else 1
    counted = found.group_by("class").agg(pl.col("explanation").n_unique().alias("texts"))
    kept = counted.filter(pl.col("texts") >= minimum)
    if len(kept) > MOST:
        enough = int(counted["texts"].sort(descending=True)[MOST]) + 1
        said = f"{len(kept):,} classes that stand in at least {minimum} texts"
        raise InputError(f"interactions of all pairs by {by}", said, f"ask for at most {MOST:,}: minimum={enough}")
    return found.with_columns(pl.when(pl.col("class").is_in(kept["class"].implode())).then("class").otherwise(pl.lit(RARER)).alias("class"))


def one_pass(store: Store, found: Texts, codes: pl.DataFrame, count: int, asked: str) -> tuple[ClassSums, tuple[float, int]]:
    """Sums by class over all texts; and over all words, whatever their class, the sum and the cells of all pairs."""
    sums, every = ClassSums(count), ClassSums(1)
    for rows, vectors in chunks(store, found):
        of_words = rows.with_row_index("row").filter(pl.col("kind") == "word")
        joined = of_words.join(codes, on=["explanation", "word"], how="left", maintain_order="left")
        if joined["code"].null_count():
            raise StoreError(
                asked, "factors of words that the store no longer has", "run the pipeline again: another annotator found other words"
            )
        texts_of = rows.select("explanation").unique(maintain_order=True)
        parts = joined.partition_by("explanation", maintain_order=True, as_dict=True)
        for (explanation,) in texts_of.iter_rows():
            part = parts.get((explanation,))
            places = part["row"].to_numpy() if part is not None else np.zeros(0, np.int64)
            own = np.unique(places)
            sums.add(vectors[places], part["code"].to_numpy() if part is not None else places)
            every.add(vectors[own], np.zeros(len(own), np.int64))
    whole = every.interactions(["every"])
    return sums, (float(whole.sums[0, 0]) / 2, int(whole.cells[0, 0]) // 2)


def frame_of(names: list[str], sums: ClassSums, whole: tuple[float, int], values: dict[str, Value]) -> pl.DataFrame:
    """One row for two classes that meet, each pair of texts counted once, the largest |sum| first."""
    found, meetings = sums.interactions(names), sums.meetings()
    rows, columns = np.triu_indices(len(names))
    half = np.where(rows == columns, 2, 1)  # ordered pairs count a class with itself twice
    total: NDArray[np.float64] = found.sums[rows, columns] / half
    cells = found.cells[rows, columns] // half
    kept = np.flatnonzero(cells > 0)
    order = kept[np.argsort(-np.abs(total[kept]), kind="stable")][: int(str(values["limit"])) if values["limit"] is not None else None]
    share = total[order] / whole[0] if whole[0] > 0 else np.full(len(order), np.nan)
    columns_of = {
        "left": [names[place] for place in rows[order]], "right": [names[place] for place in columns[order]], "share": share,
        "mean": total[order] / cells[order], "interactions": cells[order], "lift": share / (cells[order] / max(whole[1], 1)),
        "pairs": meetings[rows[order], columns[order]], "sum": total[order],
    }  # fmt: skip
    return pl.DataFrame(columns_of, schema=SCHEMA).with_columns(pl.col(pl.Float64).fill_nan(None))
