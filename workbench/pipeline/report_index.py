"""The long table of a report: terms of every class with their intervals, and behind the strongest their contexts and queries."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from markupsafe import Markup

from workbench.patterns import concordance
from workbench.queries import Answer, answer
from workbench.store import Store
from workbench.viz.concordance import concordance as in_context
from workbench.viz.index import Index, PageLead

#: Terms of each class and side; terms of each class that are followed, and their contexts.
TERMS, DOCUMENTS, FOLLOWED, CONTEXTS = 300, 3, 3, 5


def terms_index(store: Store, path: Path, shown: Mapping[str, str]) -> Index:
    """All terms of a run that the page has room for; the strongest of each class lead on to their words in context and documents."""
    found = answer(store, "top_terms", limit=TERMS, minimum_documents=DOCUMENTS, form="form", **shown)
    frame = found.frame.select("label", "side", "rank", "term", "mean", "low", "high", "total", "documents", "occurrences")
    strongest = found.frame.with_row_index("row", offset=1).filter(pl.col("side") == "for", pl.col("rank") <= FOLLOWED)
    return Index(
        frame,
        f"At most {TERMS} terms for each class and side, in at least {DOCUMENTS} documents, with 95 % intervals over documents.",
        f"workbench query top_terms --store {shlex.quote(str(path))} --set limit=1000000 --limit 0",
        [lead(store, path, found, int(row)) for row in strongest["row"]],
    )


def lead(store: Store, path: Path, found: Answer, row: int) -> PageLead:
    """What stands behind a row."""
    behind = found.lead(row)
    hits = behind.hits(store, CONTEXTS)
    return PageLead(
        f"{behind.values['term']}: {behind.values['label']}",
        Markup(in_context(concordance(store, hits))),
        f"{hits.shown}, the most relevant first.",
        behind.command(path),
        behind.documents,
    )
