"""Stored factors of texts: which there are, and their vectors a few texts at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import StoreError
from workbench.queries.question import Value, describe, filled
from workbench.store import Store

#: Texts read at once; 500 sentences are about 10 MB of factors of 384 dimensions.
TEXTS_AT_ONCE = 500
#: Parameters that choose texts, in every question about factors.
CHOICE = ("model", "composite", "measure", "corpus", "role", "texts")
TYPES: Mapping[str, type[np.generic]] = {"float16": np.float16, "float32": np.float32}

ROWS = """
SELECT f.explanation, f.kind, f.word, f.precision, f.vector FROM factors f
WHERE f.explanation BETWEEN $first AND $last ORDER BY f.explanation"""

WORDS = """
SELECT t.explanation, w.word, w.form, w.lemma, w.upos, w.relation
FROM src_texts t JOIN words w ON w.document = t.document AND w.role = t.role
ORDER BY t.explanation, w.word"""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of a store whose factors are of one model: a row each with `explanation`, `document`, `role`, `corpus`, `identifier`."""

    frame: pl.DataFrame
    model: str
    composite: str
    measure: str

    def __len__(self) -> int:
        return len(self.frame)


def texts(store: Store, asked: str, values: Mapping[str, Value]) -> Texts:
    """The texts that a question about factors chooses; `asked` names it in errors.

    Raises StoreError for a store without factors, and for one with several models, composites or measures of which none is chosen.
    """
    if values["texts"] not in ("distinct", "all"):
        raise StoreError(asked, f"texts = {values['texts']!r}", 'choose "distinct" (each different text once) or "all"')
    found = store.sql(describe("all_pairs").statement, {name: values[name] for name in CHOICE})
    if found.is_empty():
        refuse_empty(store, asked)
    one_of(found, asked)
    model, composite, measure = (str(found[name][0]) for name in ("model", "composite", "target"))
    return Texts(found.select("explanation", "document", "role", "corpus", "identifier"), model, composite, measure)


def chosen(question: str, **given: object) -> dict[str, Value]:
    """Values of the parameters of a question with its defaults."""
    return filled(describe(question), given)


def refuse_empty(store: Store, asked: str) -> None:
    """Says whether a store has no factors at all, or none that are asked for."""
    models = stored_models(store)
    if not models:
        raise StoreError(asked, f"no factors in {store.path}", 'run a pipeline with [similarity] factors = "float16"')
    raise StoreError(
        asked, f"no factors of these texts; the store has those of {', '.join(models)}", "ask for another model, corpus or role"
    )


def one_of(found: pl.DataFrame, asked: str) -> None:
    """Refuses factors of several models, composites or measures: products of them mean nothing."""
    for column, name in (("model", "model"), ("composite", "composite"), ("target", "measure")):
        values = sorted(found[column].unique())
        if len(values) > 1:
            raise StoreError(asked, f"factors of several {name}s: {', '.join(values)}", f"choose one: {name}={values[0]}")


def stored_models(store: Store) -> list[str]:
    """Models that the store has factors of."""
    return [str(name) for name in store.sql("SELECT DISTINCT model FROM factors ORDER BY 1")["model"]]


def words(store: Store, chosen: Texts) -> pl.DataFrame:
    """Words of the texts: `explanation`, `word`, `form`, `lemma`, `upos`, `relation`."""
    store.connection.register("src_texts", chosen.frame)
    try:
        return store.sql(WORDS)
    finally:
        store.connection.unregister("src_texts")


def chunks(store: Store, chosen: Texts, at_once: int = TEXTS_AT_ONCE) -> Iterator[tuple[pl.DataFrame, NDArray[np.float32]]]:
    """Factors of the texts, `at_once` texts at a time: rows `explanation`, `kind`, `word`, `precision`, and their vectors `(row dim)`.

    Raises StoreError for factors of several dimensions.
    """
    numbers = chosen.frame["explanation"].sort()
    dimension = 0
    for start in range(0, len(numbers), at_once):
        part = numbers.slice(start, at_once)
        rows = store.sql(ROWS, {"first": part[0], "last": part[-1]})
        rows = rows.filter(pl.col("explanation").is_in(part.implode()))
        vectors = matrix(rows)
        if dimension and vectors.shape[1] != dimension:
            found = f"factors of {dimension} and {vectors.shape[1]} dimensions"
            raise StoreError("read factors", found, "make the store again with one version of the model")
        dimension = vectors.shape[1]
        yield rows.drop("vector"), vectors


def matrix(rows: pl.DataFrame) -> NDArray[np.float32]:
    """Vectors `(row dim)` of stored factors, whatever their precision. StoreError where they differ in length."""
    if rows.is_empty():
        return np.zeros((0, 0), np.float32)
    parts = []
    for precision in rows["precision"].unique():
        places = np.flatnonzero((rows["precision"] == precision).to_numpy())
        blobs = rows["vector"].gather(places).to_list() if len(places) < len(rows) else rows["vector"].to_list()
        kind = np.dtype(TYPES[precision]).newbyteorder("<")
        numbers = np.frombuffer(b"".join(blobs), kind)
        if numbers.size % len(places) or any(len(blob) != len(blobs[0]) for blob in blobs):
            raise StoreError("read factors", "vectors of several lengths", "make the store again with one version of the model")
        parts.append((places, numbers.reshape(len(places), -1).astype(np.float32)))
    if len(parts) == 1:
        return parts[0][1]
    if len({values.shape[1] for _, values in parts}) > 1:
        raise StoreError("read factors", "vectors of several lengths", "make the store again with one version of the model")
    found = np.zeros((len(rows), parts[0][1].shape[1]), np.float32)
    for places, values in parts:
        found[places] = values
    return found
