"""What of wanted work a store has, what failed and waits, and how the texts of missing work stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from workbench.errors import StoreError
from workbench.store.connection import Connection, explained, registered
from workbench.store.failures import here, not_due


def work_key(wanted: pl.DataFrame) -> list[str]:
    """The columns that name a piece of work; StoreError where there is no fingerprint."""
    if "fingerprint" not in wanted.columns:
        raise StoreError("find missing work", f"columns {wanted.columns}", "give a column fingerprint")
    return ["corpus", "identifier", "fingerprint"] if {"corpus", "identifier"} <= set(wanted.columns) else ["fingerprint"]


def missing(connection: Connection, path: Path, wanted: pl.DataFrame, *, failed: bool = False, now: datetime | None = None) -> pl.DataFrame:
    """The rows of `wanted` whose explanation `fingerprint` is not stored, in their order.

    Where `wanted` also has the columns `corpus` and `identifier`, the fingerprint counts within its document, so that two documents of
    equal text are two. Work that failed is wanted again when something that could help has changed (see `waiting`), or with `failed`.
    """
    key = work_key(wanted)
    names = ", ".join(key)
    with asked(connection, path, wanted.select(key)):
        stored = rows(
            connection,
            f"""
        SELECT DISTINCT {names} FROM (SELECT d.corpus, d.identifier, e.fingerprint
            FROM kept.explanation e JOIN kept.document d ON d.document = e.document) SEMI JOIN src_wanted USING ({names})""",
        )
    left = wanted.join(stored, on=key, how="anti", maintain_order="left")
    return left if failed else left.join(waiting(connection, path, left, now=now), on=key, how="anti", maintain_order="left")


def waiting(connection: Connection, path: Path, wanted: pl.DataFrame, *, now: datetime | None = None) -> pl.DataFrame:
    """The work of `wanted` that failed and is not tried again yet: its key, with stage and error.

    Another text, model or rule is other work. The same is tried again by another version of the workbench, or, where the error can pass
    by itself, by the next run and then after growing pauses up to a day; `now` is the moment (UTC, without zone) that counts.
    """
    key = work_key(wanted)
    names = ", ".join(key)
    moment = now or datetime.now(UTC).replace(tzinfo=None)
    with asked(connection, path, wanted.select(key)):
        return rows(
            connection,
            f"""SELECT {names}, any_value(stage) AS stage, any_value(error) AS error
                FROM kept.failure f SEMI JOIN src_wanted USING ({names}) WHERE {not_due("f")} GROUP BY ALL""",
            {"here": here(), "now": moment},
        )


def standing(connection: Connection, path: Path, wanted: pl.DataFrame) -> pl.DataFrame:
    """What the store has of texts that are wanted: a row for each of `wanted` (corpus, identifier, role, model, weights).

    `known` is the fingerprint of the document's texts as stored (null: not there), `others` the number of the text's explanations by
    earlier weights of the model, `composites` under which its present weights explained it.
    """
    with asked(connection, path, wanted):
        return rows(
            connection,
            """
        SELECT w.corpus, w.identifier, w.role, w.model, any_value(d.fingerprint) AS known,
               count(e.explanation) FILTER (e.weights <> w.weights) AS others,
               list_sort(list(DISTINCT e.composite) FILTER (e.composite IS NOT NULL AND coalesce(e.weights, w.weights) = w.weights))
                   AS composites
        FROM src_wanted w
        LEFT JOIN kept.document d ON d.corpus = w.corpus AND d.identifier = w.identifier
        LEFT JOIN kept.explanation e ON e.document = d.document AND e.role = w.role AND e.model = w.model
        GROUP BY w.corpus, w.identifier, w.role, w.model""",
        )


def annotated(connection: Connection, path: Path, corpus: str) -> pl.DataFrame:
    """Who found the words of each text of a corpus: identifier, fingerprint, role, annotator and version (null: nobody, unknown)."""
    with explained("look at who annotated", path):
        return rows(
            connection,
            """SELECT d.identifier, d.fingerprint, s.role, a.annotator, a.fingerprint AS version
               FROM kept.document d JOIN kept.segment s ON s.document = d.document
               LEFT JOIN kept.annotation a ON a.document = s.document AND a.role = s.role WHERE d.corpus = ?""",
            [corpus],
        )


def rows(connection: Connection, statement: str, parameters: Any = None) -> pl.DataFrame:
    """The rows of a SELECT."""
    return pl.DataFrame(connection.sql(statement, params=parameters or None).pl())


@contextmanager
def asked(connection: Connection, path: Path, frame: pl.DataFrame) -> Iterator[None]:
    """A frame under the name `src_wanted`, and DuckDB's complaints in a person's words."""
    with explained("look for wanted work", path), registered(connection, "src_wanted", frame):
        yield
