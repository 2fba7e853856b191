"""Taking in what was made ready elsewhere: rows of new documents go in as they are, all others the way every batch goes."""

from __future__ import annotations

from contextlib import suppress

import duckdb
import polars as pl

from workbench.batch import SCHEMAS
from workbench.errors import StoreError
from workbench.store import migrate
from workbench.store.append import write
from workbench.store.change import Change
from workbench.store.connection import Connection
from workbench.store.explanations import settle
from workbench.store.failures import failures
from workbench.store.prepared import Prepared


def take(connection: Connection, prepared: Prepared, change: Change) -> None:
    """All rows of a prepared batch, within the open transaction; `change` counts what was written.

    Raises StoreError for rows of another schema than the store's.
    """
    known = migrate.migrations()[-1].number
    if prepared.schema != known:
        found = f"rows of schema version {prepared.schema}, the store has version {known}"
        raise StoreError("store a prepared batch", found, "compute and store it with the same workbench")
    try:
        if stored_before(connection, prepared):
            write(connection, prepared.batch(), change)
        else:
            put_all(connection, prepared, change)
    finally:
        with suppress(duckdb.Error):  # after an error the first error counts
            for name in ("src_rows", "src_document", "src_failure"):
                connection.unregister(name)


def stored_before(connection: Connection, prepared: Prepared) -> bool:
    """Whether the store has a document of the batch already, with this text or another."""
    if "document" not in prepared.frames:
        return False
    connection.register("src_rows", prepared.frames["document"].select("corpus", "identifier"))
    return bool(connection.execute("SELECT 1 FROM src_rows SEMI JOIN kept.document USING (corpus, identifier) LIMIT 1").fetchall())


def put_all(connection: Connection, prepared: Prepared, change: Change) -> None:
    """The rows of new documents; their numbers go on where the store's end."""
    document, explanation = connection.execute("""
    SELECT (SELECT coalesce(max(document), 0) FROM kept.document), (SELECT coalesce(max(explanation), 0) FROM kept.explanation)
    """).fetchall()[0]
    start = {"document": document, "explanation": explanation, "member_of": explanation}
    for table, frame in prepared.frames.items():
        if table != "failure":
            put(connection, table, frame, start, change)
    settle(connection, change)
    for table in ("document", "failure"):
        schema = {name: kind for name, kind in SCHEMAS[table].items() if name != "document"}
        connection.register(f"src_{table}", prepared.frames.get(table, pl.DataFrame(schema=schema)))
    failures(connection, change)


def put(connection: Connection, table: str, frame: pl.DataFrame, start: dict[str, int], change: Change) -> None:
    """The rows of one table."""
    connection.register("src_rows", frame)
    columns = [f"{name} + {start[name]} AS {name}" if name in start else name for name in frame.columns]
    if table in ("document", "explanation"):
        columns.append(f"{change.batch} AS batch")
    added = connection.execute(f"INSERT INTO kept.{table} BY NAME SELECT {', '.join(columns)} FROM src_rows").fetchall()[0][0]
    change.count(table, added)
