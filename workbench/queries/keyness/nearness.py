"""What stands near a node and elsewhere, summed by item and document, and the test of the difference."""

from __future__ import annotations

import numpy as np
from scipy import sparse, stats

from workbench.queries.keyness.items import Items, measure
from workbench.queries.keyness.node import Around
from workbench.queries.keyness.permutation import AT_ONCE, ROUNDING, Expected, Judged
from workbench.queries.keyness.table import Numbers, Table, built, entries_of
from workbench.queries.resampling import divided
from workbench.store import Store


def base_sql(hits: str, counted: Items, where: Around) -> str:
    """Table expressions up to `base` and `item_row`: every word of node_word with its side, 1 near the places of `hits`, 0 elsewhere."""
    spelled = ", b.form, b.lemma" if counted.what == "lexicon" else ""
    return f"""near AS (
    SELECT DISTINCT b.id FROM node_word b JOIN {hits} h ON h.explanation = b.explanation AND {where.near}
), base AS (
    SELECT b.document, b.unit, (n.id IS NOT NULL)::INTEGER AS side, b.relevance, b.item{spelled}
    FROM node_word b LEFT JOIN near n ON n.id = b.id
),
""" + ",\n".join(counted.rows())  # fmt: skip


def near_sql(hits: str, counted: Items, where: Around, relevance: str) -> str:
    """The statement that adds up items near and elsewhere; items that never stand near are left out."""
    return entries_of(base_sql(hits, counted, where), relevance, "count(DISTINCT document)", "count(*) FILTER (side = 1) >= 1")


def near_table(store: Store, hits: str, counted: Items, where: Around, relevance: str) -> Table:
    """The table of near (the focus) and elsewhere (the reference); `hits` names a table, or is a statement in parentheses."""
    size = measure("absolute" if relevance == "signed" else relevance, "relevance")
    added = f"SELECT unit, side, sum({size}) AS total, count(*) AS words FROM base GROUP BY ALL ORDER BY ALL"
    totals = store.sql(f"WITH {base_sql(hits, counted, where)}\n{added}")
    return built(totals, store.sql(near_sql(hits, counted, where, relevance)), paired=True)


def often(table: Table, documents: int, occurrences: int) -> Table:
    """The items that stand near in so many documents and so many times."""
    kept = np.flatnonzero((table.documents[1] >= documents) & (table.counts[1].sum(1) >= occurrences))
    return table.of(kept)


def judge_near(table: Table, *, expected: Expected, permutations: int, seed: int) -> Judged:
    """The test of every item by sign flips of documents."""
    own, common, share = added_by_document(table, expected)
    found = own.sum(1) - share * common.sum()
    spread = np.sqrt(own.power(2).sum(1) - 2 * share * (own @ common) + share**2 * (common**2).sum())
    bound = np.abs(found) - ROUNDING * (abs(own).sum(1) + share * np.abs(common).sum())
    hits = np.zeros(len(found), np.int64)
    random = np.random.default_rng([seed, 4])
    for start in range(0, permutations if len(found) else 0, AT_ONCE):
        signs = random.choice([-1.0, 1.0], size=(own.shape[1], min(AT_ONCE, permutations - start)))
        drawn = own @ signs - share[:, None] * (common @ signs)
        hits += (np.abs(drawn) >= bound[:, None]).sum(1)
    p_values = (1 + hits) / (1 + permutations)
    q_values = stats.false_discovery_control(p_values) if len(found) else p_values
    return Judged(divided(found, spread), p_values, q_values, np.zeros(0, np.int64))


def added_by_document(table: Table, expected: Expected) -> tuple[sparse.csr_array, Numbers, Numbers]:
    """U as `own[i, d] - share[i] common[d]`: own `(item unit)`, common `(unit,)`, share `(item,)`; all zero where one side has nothing."""
    whole = [float(side.sum()) for side in table.total]
    if expected == "share":
        if min(whole) <= 0:
            return sparse.csr_array(table.mass[1].shape), np.zeros(table.mass[1].shape[1]), np.zeros(len(table.items))
        share = (table.mass[0].sum(1) + table.mass[1].sum(1)) / sum(whole)
        return (
            sparse.csr_array(table.mass[1] / whole[1] - table.mass[0] / whole[0]),
            table.total[1] / whole[1] - table.total[0] / whole[0],
            share,
        )
    counts = [side.sum(1) for side in table.counts]
    mean = (table.mass[0].sum(1) + table.mass[1].sum(1)) / np.maximum(counts[0] + counts[1], 1)
    both = (counts[0] > 0) & (counts[1] > 0)
    sides = [
        (table.mass[side] - table.counts[side].multiply(mean[:, None])).multiply((both / np.maximum(counts[side], 1))[:, None]).tocsr()
        for side in (0, 1)
    ]
    return sparse.csr_array(sides[1] - sides[0]), np.zeros(table.mass[1].shape[1]), np.zeros(len(table.items))
