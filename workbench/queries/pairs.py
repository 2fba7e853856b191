"""Stored pairs of texts as the views draw them: both texts, their words, the interactions and what is known of the pair."""

from __future__ import annotations

import polars as pl

from workbench.store import Store
from workbench.viz.figures import figure
from workbench.viz.pair import Pair

WORDS = "SELECT word, char_start, char_end, lemma, upos, relation FROM words WHERE document = $document AND role = $role ORDER BY word"


def pairs(store: Store, identifier: str, corpus: str | None = None, model: str | None = None, composite: str | None = None) -> list[Pair]:
    """Each explanation of the pair of this identifier: one for each corpus, model and composite; none where it is no pair."""
    found = store.sql("FROM pairs WHERE identifier = $1 ORDER BY corpus, model, composite, target, left_role, right_role", [identifier])
    wanted = {"corpus": corpus, "model": model, "composite": composite}
    for column, value in wanted.items():
        if value is not None:
            found = found.filter(pl.col(column) == value)
    return [of_row(store, row) for row in found.iter_rows(named=True)]


def of_row(store: Store, row: dict[str, object]) -> Pair:
    """The pair of one row of the view `pairs`."""
    words = [store.sql(WORDS, {"document": row["document"], "role": row[f"{side}_role"]}) for side in ("left", "right")]
    cells = store.sql("SELECT * FROM interactions WHERE explanation = $1", [row["explanation"]])
    judged = row["judged"]
    facts = {
        "by people": figure(judged) if isinstance(judged, float) else None,
        "label": row["label"],
        "model": row["model"],
        "composite": row["composite"],
        "corpus": row["corpus"],
    }
    return Pair(
        str(row["left_text"]),
        str(row["right_text"]),
        words[0],
        words[1],
        cells,
        similarity=float(str(row["similarity"])),
        unit=str(row["target"]),
        identifier=str(row["identifier"]),
        left_language=None if row["left_language"] is None else str(row["left_language"]),
        right_language=None if row["right_language"] is None else str(row["right_language"]),
        facts={name: str(value) for name, value in facts.items() if value is not None},
    )
