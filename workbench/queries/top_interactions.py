"""The strongest interactions of two words of any two texts of a store: products of factors block by block, the best are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.queries.factors import chosen, chunks, texts, words
from workbench.queries.question import Value
from workbench.store import Store

#: Words on either side of one block: its products are 16 MB, beside which all factors stand in memory as they are stored.
BLOCK = 2048
SIGNS = ("PUNCT", "SYM")
ENDS = ("text", "word", "form", "lemma", "upos")


@dataclass(frozen=True, slots=True)
class Best:
    """The strongest products so far: their sizes, and the two words of each; one for each key where keys are given."""

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def top_interactions(
    store: Store | str | os.PathLike[str],
    k: int = 100,
    model: str | None = None,
    by: str = "word",
    *,
    corpus: str | None = None,
    role: str | None = None,
    composite: str | None = None,
    measure: str | None = None,
    texts: str = "distinct",
    different: bool = False,
    punctuation: bool = False,
) -> pl.DataFrame:
    """The `k` interactions with the largest |relevance| of two words of two different texts; columns as in `top_interactions.sql`.

    With by="lemma" the strongest interaction of two lemmas stands for all of theirs. Exact, in words² x dim / 2 products and memory of
    words x dim x 2 bytes (float16) and 50 MB: ten times as many words take a hundred times as long. Raises StoreError for a store without
    factors or with factors of several models of which none is chosen, InputError for another `by` or `k`.
    """
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return top_interactions(
                opened, k, model, by, corpus=corpus, role=role, composite=composite, measure=measure, texts=texts, different=different,
                punctuation=punctuation,
            )  # fmt: skip
    values = chosen(
        "top_interactions", k=k, model=model, by=by, corpus=corpus, role=role, composite=composite, measure=measure, texts=texts,
        different=different, punctuation=punctuation,
    )  # fmt: skip
    return of_values(store, values)


def of_values(store: Store, values: dict[str, Value]) -> pl.DataFrame:
    """The same from checked parameters."""
    by, k = str(values["by"]), int(str(values["k"]))
    asked = "find the strongest interactions"
    if by not in ("word", "lemma") or k < 1:
        raise InputError(asked, f"by={by}, k={k}", "choose by=word or by=lemma, and at least one")
    found = texts(store, asked, values)
    annotated = words(store, found)
    if not values["punctuation"]:
        annotated = annotated.filter(~pl.col("upos").is_in(SIGNS).fill_null(False))
    parts: list[pl.DataFrame] = []
    vectors: list[NDArray[np.floating]] = []
    for rows, part in chunks(store, found):
        joined = rows.with_row_index("row").join(annotated, on=["explanation", "word"], how="inner", maintain_order="left")
        kept = np.float16 if set(rows["precision"]) == {"float16"} else np.float32
        vectors.append(part[joined["row"].to_numpy()].astype(kept))
        parts.append(joined)
    units = pl.concat(parts)
    names = (pl.coalesce("lemma", "form"), pl.col("form"))
    lemmas, forms = units.select(name.str.to_lowercase().rank("dense").cast(pl.Int64) for name in names).to_numpy().T
    unlike = (lemmas, forms) if values["different"] else ()
    best = strongest(np.concatenate(vectors), units["explanation"].to_numpy(), k, lemmas if by == "lemma" else None, unlike)
    named = found.frame.select("explanation", pl.format("{}:{}", "identifier", "role").alias("text"))
    about = units.join(named, on="explanation", how="left", maintain_order="left").select(ENDS)
    ends = [
        about[places].rename({name: f"{side}_{name}" for name in ENDS}) for side, places in (("left", best.rows), ("right", best.columns))
    ]
    columns = [f"{side}_{name}" for name in ("upos", "text", "word", "lemma", "form") for side in ("left", "right")]
    return (
        pl.concat(ends, how="horizontal").with_columns(pl.Series("relevance", best.values.astype(np.float64))).select("relevance", *columns)
    )


def strongest(
    vectors: NDArray[np.floating],
    owners: NDArray[np.int64],
    k: int,
    keys: NDArray[np.int64] | None = None,
    unlike: Sequence[NDArray[np.int64]] = (),
    block: int = BLOCK,
) -> Best:
    """The `k` largest |products| of rows of different owners, each pair of rows once; with `keys`, one for each unordered pair of keys.

    `owners` ascend; two rows differ in each of `unlike`.
    """
    best = Best(np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    for first, second in blocks(len(vectors), block):
        rows, columns = (slice(start, start + block) for start in (first, second))
        product = vectors[rows].astype(np.float32) @ vectors[columns].astype(np.float32).T
        size = np.abs(product)
        if owners[rows][-1] >= owners[columns][0]:  # rows of one owner stand together: far from the diagonal there is nothing to leave out
            other = owners[rows, None] != owners[None, columns]
            size = np.where(np.triu(other, 1) if first == second else other, size, -1.0)
        for numbers in unlike:
            size = np.where(numbers[rows, None] != numbers[None, columns], size, -1.0)
        size = size.ravel()
        least = float(np.abs(best.values[-1])) if len(best.values) == k else bound(size, k, keys, first, second, product.shape[1])
        places = np.flatnonzero(size >= least)
        across, down = np.divmod(places, product.shape[1])
        best = merged(best, Best(product.ravel()[places], across + first, down + second), k, keys)
    return best


def bound(size: NDArray[np.float32], k: int, keys: NDArray[np.int64] | None, first: int, second: int, width: int) -> float:
    """A size that the k-th best of a block reaches at least: nothing below it can be among the best."""
    several = min(len(size), k if keys is None else 20 * k)
    top = np.argpartition(size, len(size) - several)[len(size) - several :]
    if keys is not None:  # of each pair of keys only its best counts
        across, down = np.divmod(top, width)
        _, own = one_a_key(size[top], across + first, down + second, keys)
        top = top[own]
    if len(top) < k:
        return 0.0
    return max(0.0, float(np.partition(size[top], len(top) - k)[len(top) - k]))


def one_a_key(
    size: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64], keys: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The unordered pair of keys of each entry, and the place of the strongest entry of each such pair."""
    low, high = np.minimum(keys[rows], keys[columns]), np.maximum(keys[rows], keys[columns])
    pair = low * (int(keys.max()) + 1) + high
    order = np.lexsort((-size, pair))
    _, starts = np.unique(pair[order], return_index=True)
    return pair, order[starts]


def merged(one: Best, other: Best, k: int, keys: NDArray[np.int64] | None) -> Best:
    """The `k` strongest of two, equal ones in the order of the texts."""
    values = np.concatenate([one.values, other.values])
    rows, columns = np.concatenate([one.rows, other.rows]), np.concatenate([one.columns, other.columns])
    size = np.abs(values)
    if keys is not None and len(values):
        own = one_a_key(size, rows, columns, keys)[1]
        values, rows, columns, size = values[own], rows[own], columns[own], size[own]
    order = np.lexsort((columns, rows, -size))[:k]
    return Best(values[order], rows[order], columns[order])


def blocks(count: int, block: int) -> Iterator[tuple[int, int]]:
    """The first row and the first column of every block on and above the diagonal."""
    for first in range(0, count, block):
        for second in range(first, count, block):
            yield first, second
