"""Documents for which two sides decide otherwise."""

from __future__ import annotations

import polars as pl

from workbench.queries.comparison.side import Side

#: The class that a model decides for: the most votes, then the highest probability; without predictions the class that is explained.
DECIDED = """
SELECT d.document, d.corpus, d.identifier, p.role, arg_max(p.label, (coalesce(p.votes, 0), p.probability)) AS label,
       max(p.probability) AS probability, d.label AS gold
FROM predictions p JOIN documents d USING (document) WHERE p.model = $model GROUP BY ALL ORDER BY d.document, p.role"""


def decided(side: Side) -> pl.DataFrame:
    """The decision of a side on each of its documents: corpus, identifier, role, label, probability, gold."""
    chosen = side.explanations.select("document", "role").unique()
    return side.store.sql(DECIDED, {"model": side.model}).join(chosen, on=["document", "role"], how="semi", maintain_order="left")


def decisions(first: Side, second: Side) -> pl.DataFrame:
    """What both decide on each document that both know: corpus, identifier, role, gold, and first_… and second_… label and probability."""
    ours, theirs = decided(first), decided(second)
    key = [*(["corpus"] if set(ours["corpus"]) & set(theirs["corpus"]) else []), "identifier", "role"]
    both = ours.join(theirs, on=key, suffix="_second", maintain_order="left")
    own = ("label", "probability")
    names = {**{name: f"first_{name}" for name in own}, **{f"{name}_second": f"second_{name}" for name in own}}
    return both.rename(names).select("corpus", "identifier", "role", "gold", *names.values())


def flips(decided: pl.DataFrame) -> pl.DataFrame:
    """The documents on which they differ, with `change`: gained (only the second is right), lost (only the first), or other."""
    gold = pl.col("gold")
    change = (
        pl.when(pl.col("second_label") == gold).then(pl.lit("gained")).when(pl.col("first_label") == gold).then(pl.lit("lost"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip
    return decided.filter(pl.col("first_label") != pl.col("second_label")).with_columns(change.alias("change"))


def exact(gained: int, lost: int) -> float | None:
    """The p-value of McNemar's exact test that gains and losses are equally likely (McNemar 1947); None where there are none."""
    from scipy import stats  # takes a second, and most comparisons have no use for it

    return float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else None
