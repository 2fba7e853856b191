"""Relevance and occurrences by item and unit of documents: the small table on which everything is drawn again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from workbench.queries.keyness.groups import Groups
from workbench.queries.keyness.items import Items, measure
from workbench.store import Store

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """What both sides hold, index 0 the reference, 1 the focus: `mass` (relevance) and `counts` `(item unit)`, `documents` `(item,)`.

    `total` (size of the relevance of all words) and `words` are `(unit,)`; `present` marks the units that stand on a side. `any_documents`
    counts the documents with an item on either side, each once.
    """

    items: list[str]
    mass: tuple[sparse.csr_array, sparse.csr_array]
    counts: tuple[sparse.csr_array, sparse.csr_array]
    documents: tuple[NDArray[np.int64], NDArray[np.int64]]
    any_documents: NDArray[np.int64]
    total: tuple[Numbers, Numbers]
    words: tuple[Numbers, Numbers]
    present: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    paired: bool

    def of(self, places: NDArray[np.int64]) -> Table:
        """The same with some of the items."""

        def rows(both: tuple[sparse.csr_array, sparse.csr_array]) -> tuple[sparse.csr_array, sparse.csr_array]:
            return sparse.csr_array(both[0][places]), sparse.csr_array(both[1][places])

        documents = self.documents[0][places], self.documents[1][places]
        names = [self.items[place] for place in places]
        return replace(
            self, items=names, mass=rows(self.mass), counts=rows(self.counts), documents=documents, any_documents=self.any_documents[places]
        )


def entries_sql(groups: Groups, counted: Items, relevance: str, minimum_documents: int, minimum_occurrences: int) -> str:
    """The statement that adds up every item by unit and side."""
    documents = "count(DISTINCT document)" if groups.paired else "count(*)"
    often = f"any_documents >= {minimum_documents:d} AND sum(occurrences) >= {minimum_occurrences:d}"
    return entries_of(counted.sql(groups.chosen), relevance, documents, often)


def entries_of(rows: str, relevance: str, documents: str, often: str) -> str:
    """The statement that adds up `item_row`, of which `rows` are the table expressions; `documents` counts those with an item."""
    return f"""WITH {rows},
per_document AS (
    SELECT item, side, unit, document, sum({measure(relevance, "relevance")}) AS mass, count(*) AS occurrences FROM item_row GROUP BY ALL
), kept AS (
    SELECT item, {documents} AS any_documents FROM per_document GROUP BY item HAVING {often}
)
SELECT p.item, any_value(k.any_documents) AS any_documents, p.side, p.unit, sum(p.mass) AS mass, sum(p.occurrences)::BIGINT AS occurrences,
       count(*) AS documents
FROM per_document p JOIN kept k ON k.item = p.item GROUP BY p.item, p.side, p.unit ORDER BY p.item, p.side, p.unit"""


def totals_sql(groups: Groups, counted: Items, relevance: str) -> str:
    """The statement that adds up all words by unit and side."""
    size = measure("absolute" if relevance == "signed" else relevance, "relevance")
    return f"""WITH {counted.sql(groups.chosen)}
SELECT unit, side, sum({size}) AS total, count(*) AS words FROM base GROUP BY ALL ORDER BY ALL"""


def table(
    store: Store, groups: Groups, counted: Items, relevance: str, *, minimum_documents: int = 1, minimum_occurrences: int = 1
) -> Table:
    """The table of a comparison."""
    totals = store.sql(totals_sql(groups, counted, relevance))
    entries = store.sql(entries_sql(groups, counted, relevance, minimum_documents, minimum_occurrences))
    return built(totals, entries, paired=groups.paired)


def built(totals: pl.DataFrame, entries: pl.DataFrame, *, paired: bool) -> Table:
    """A table from its sums, of which those of one item stand together.

    `totals` has unit, side, total, words; `entries` item, any_documents, side, unit, mass, occurrences, documents.
    """
    units, numbers = np.unique(totals["unit"].to_numpy(), return_inverse=True)
    names = entries.select("item", "any_documents").unique(maintain_order=True)
    coded = entries.with_columns(
        pl.col("item").rle_id().alias("row"), pl.Series("column", np.searchsorted(units, entries["unit"].to_numpy()), pl.Int64)
    )
    shape = len(names), len(units)
    mass, counts, documents, present = [], [], [], []
    total: list[Numbers] = []
    words: list[Numbers] = []
    for side in (0, 1):
        own = coded.filter(pl.col("side") == side)
        places = own["row"].to_numpy(), own["column"].to_numpy()
        mass.append(sparse.csr_array((own["mass"].cast(pl.Float64).to_numpy(), places), shape=shape))
        counts.append(sparse.csr_array((own["occurrences"].cast(pl.Float64).to_numpy(), places), shape=shape))
        documents.append(np.bincount(places[0], weights=own["documents"].to_numpy(), minlength=shape[0]).astype(np.int64))
        here = (totals["side"] == side).to_numpy()
        for name, kept in (("total", total), ("words", words)):
            kept.append(np.bincount(numbers[here], totals[name].cast(pl.Float64).to_numpy()[here], shape[1]).astype(np.float64))
        present.append(np.isin(np.arange(shape[1]), numbers[here]))
    return Table(
        names["item"].to_list(), (mass[0], mass[1]), (counts[0], counts[1]), (documents[0], documents[1]),
        names["any_documents"].to_numpy(), (total[0], total[1]), (words[0], words[1]), (present[0], present[1]), paired,
    )  # fmt: skip
