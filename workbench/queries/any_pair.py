"""The interactions of any two texts of a store, whether or not they stand in a pair: a product of their factors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import polars as pl
from jaxtyping import Float

from workbench.errors import StoreError
from workbench.interaction import UNIT_KINDS, UnitFactors, unit_interactions
from workbench.queries.factors import TYPES, Texts, chosen, matrix, one_of, stored_models, texts
from workbench.queries.question import Value, describe
from workbench.store import Store

UNITS = """
SELECT f.explanation, f.kind, f.word, f.precision, f.vector, w.form, w.lemma, w.upos, w.relation
FROM factors f LEFT JOIN words w ON w.document = f.document AND w.role = f.role AND w.word = f.word
WHERE f.explanation IN ($left, $right)"""

ANNOTATION = ("form", "lemma", "upos", "relation")
ASKED = "interactions of two texts"


def pair_interactions(
    store: Store | str | os.PathLike[str],
    left: str,
    right: str,
    model: str | None = None,
    *,
    corpus: str | None = None,
    composite: str | None = None,
    measure: str | None = None,
) -> pl.DataFrame:
    """Interactions of two stored texts, given as they are written or as `identifier:role`; the strongest first.

    Columns are those of the store's view `interactions`, without those of the pair; all cells sum to the similarity. For many pairs take
    `FactorReader`. Raises StoreError for a text that is not stored, that has no factors, whose name stands for several texts, or whose
    factors are of several models of which none is chosen.
    """
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return pair_interactions(opened, left, right, model, corpus=corpus, composite=composite, measure=measure)
    values = chosen("pair_interactions", left=left, right=right, corpus=corpus, model=model, composite=composite, measure=measure)
    return of_found(store, store.sql(describe("pair_interactions").statement, values), values)


def of_found(store: Store, found: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The same from the explanations of both texts."""
    if len(found):
        one_of(found, ASKED)
    numbers = {}
    for side in ("left", "right"):
        of_side = found.filter(pl.col(f"is_{side}"))
        if of_side.is_empty():
            raise unknown(store, str(values[side]))
        if of_side["text"].n_unique() > 1:
            corpora = ", ".join(of_side["corpus"].unique().sort())
            raise StoreError(ASKED, f"several texts of the name {values[side]!r}, in {corpora}", "choose a corpus, or give the text itself")
        numbers[side] = int(of_side["explanation"][0])
    both = store.sql(UNITS, numbers)
    return cells(*(both.filter(pl.col("explanation") == number) for number in numbers.values()))


def unknown(store: Store, name: str) -> StoreError:
    """The error of a text without factors."""
    found = f"no factors of the text {name[:60]!r}; the store has those of {', '.join(stored_models(store)) or 'no model'}"
    return StoreError(ASKED, found, "give a stored text as it is written, or identifier:role")


def cells(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """All products of the factors of two texts, with the annotation of both ends, the strongest first."""
    units = [UnitFactors(tuple(side["kind"]), tuple(side["word"]), matrix(side)) for side in (left, right)]
    product = unit_interactions(*units).ravel()
    order = np.argsort(-np.abs(product), kind="stable")
    places = np.divmod(order, len(right))
    columns: dict[str, pl.Series] = {"relevance": pl.Series(product[order])}
    for name, side, rows in zip(("left", "right"), (left, right), places, strict=True):
        columns |= {f"{name}_{column}": side[column].gather(rows) for column in ("kind", "word", *ANNOTATION)}
    names = [[spelled(*row) for row in side.select("form", "lemma").iter_rows()] for side in (left, right)]
    columns["matched"] = pl.Series([match(names[0][row], names[1][column]) for row, column in zip(*places, strict=True)], dtype=pl.String)
    return pl.DataFrame(columns)


def spelled(form: str | None, lemma: str | None) -> tuple[str, str] | None:
    """Form and lemma of a word without case, as words are matched; None for what is no word."""
    return None if form is None else (form.casefold(), (lemma or form).casefold())


def match(one: tuple[str, str] | None, other: tuple[str, str] | None) -> str | None:
    """What two words have in common; None unless both are words."""
    if one is None or other is None:
        return None
    return "identical" if one[0] == other[0] else "lemma" if one[1] == other[1] else "other"


class FactorReader:
    """Factors of single texts of an open store by name, for the interactions of many pairs: a product of two small matrices each.

    Names are `identifier:role` (choose a corpus where several have one) or a text as it is written; all are read once, factors when they
    are asked for, and the last 1,000 texts are kept. Raises StoreError as `pair_interactions` does.
    """

    def __init__(
        self,
        store: Store,
        model: str | None = None,
        *,
        corpus: str | None = None,
        composite: str | None = None,
        measure: str | None = None,
    ) -> None:
        self._store = store
        values = chosen("all_pairs", model=model, corpus=corpus, composite=composite, measure=measure, texts="all")
        self.texts: Texts = texts(store, ASKED, values)
        rows = self.texts.frame
        stored = store.sql("SELECT document, role, text FROM segments")
        named = rows.join(stored, on=["document", "role"], how="left", maintain_order="left")
        self._numbers = dict(named.select("text", "explanation").iter_rows())
        self._numbers |= dict(rows.select(pl.format("{}:{}", "identifier", "role"), "explanation").iter_rows())
        self.units = lru_cache(maxsize=1000)(self._units)

    def matrix(self, left: str, right: str) -> Float[np.ndarray, "left right"]:
        """Interactions of two texts by unit (`units(name).kinds` and `.words` name rows and columns); all cells sum to the similarity."""
        return unit_interactions(self.units(left), self.units(right))

    def _units(self, name: str) -> UnitFactors:
        """Factors of one text by unit."""
        number = self._numbers.get(name)
        if number is None:
            raise unknown(self._store, name)
        statement = "SELECT kind, word, precision, vector FROM factors WHERE explanation = ?"
        rows = self._store.connection.execute(statement, [number]).fetchall()
        rows.sort(key=lambda row: (UNIT_KINDS.index(row[0]), row[1]))
        kind = np.dtype(TYPES[rows[0][2]]).newbyteorder("<")
        vectors = np.frombuffer(b"".join(row[3] for row in rows), kind).reshape(len(rows), -1)
        return UnitFactors(tuple(row[0] for row in rows), tuple(row[1] for row in rows), vectors.astype(np.float32))
