"""The long table of a report: terms of every class with their intervals, and behind the strongest their contexts and queries."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import polars as pl
from markupsafe import Markup

from workbench.patterns import concordance
from workbench.queries import Answer, answer
from workbench.store import Store
from workbench.viz.concordance import concordance as in_context
from workbench.viz.index import Index, PageLead, behind_row

#: Terms of each class and side; terms of each class that are followed, and their contexts.
TERMS, DOCUMENTS, FOLLOWED, CONTEXTS = 300, 3, 3, 5

#: A table of a page: what it is called, which frame of the page it shows, the question that it asks, and with which parameters.
Asked: TypeAlias = tuple[str, str, str, Mapping[str, object]]


def terms_index(store: Store, path: Path, shown: Mapping[str, str]) -> Index:
    """All terms of a run that the page has room for, each with its documents; the strongest lead on to their words in context."""
    asked = {"limit": TERMS, "minimum_documents": DOCUMENTS, "form": "form", **shown}
    found = answer(store, "top_terms", **asked)
    frame = found.frame.select("label", "side", "rank", "term", "mean", "low", "high", "total", "documents", "occurrences")
    strongest = found.frame.with_row_index("row", offset=1).filter(pl.col("side") == "for", pl.col("rank") <= FOLLOWED)
    return Index(
        frame,
        f"At most {TERMS} terms for each class and side, in at least {DOCUMENTS} documents, with 95 % intervals over documents.",
        f"workbench query top_terms --store {shlex.quote(str(path))} --set limit=1000000 --limit 0",
        [lead(store, path, found, int(row)) for row in strongest["row"]],
        behind=behind(store, path, found),
        follow=following(path, "top_terms", asked),
    )


def behind(store: Store, path: Path, found: Answer) -> list[Markup]:
    """What each row of an answer leads to: the documents that hold most of it, and a command for its words, or for its first document."""
    assert found.evidence is not None
    documents = found.evidence.strongest(store, found.frame, found.parameters)
    made = []
    for row, held in enumerate(documents, start=1):
        leads = found.lead(row)
        first = f"workbench show {shlex.quote(held[0])} --store {shlex.quote(str(path))}" if held else ""
        made.append(behind_row(held, leads.command(path) if leads.pattern else first))
    return made


def tables(data: object, path: Path, asked: Sequence[Asked]) -> tuple[tuple[str, str], ...]:
    """The tables and figures of a page that have rows, each with the command that asks its question and follows a row."""
    held = {frame: getattr(data, frame) for _, frame, _, _ in asked}
    return tuple(
        (table, following(path, name, given)) for table, frame, name, given in asked if held[frame] is not None and len(held[frame])
    )


def following(path: Path, name: str, asked: Mapping[str, object], row: int = 1) -> str:
    """The command that asks a question as a page did and follows one of its rows."""
    given = {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in asked.items()}
    settings = "".join(f" --set {shlex.quote(f'{key}={value}')}" for key, value in given.items())
    return f"workbench query {name} --store {shlex.quote(str(path))}{settings} --limit 0 --row {row}"


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
