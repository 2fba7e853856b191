"""Removing what nothing current refers to, in one transaction with its line in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import duckdb
import polars as pl

from workbench.store.append import drop_documents
from workbench.store.change import Change, remove
from workbench.store.connection import Connection
from workbench.store.digest import PARTS
from workbench.store.relation import rows

#: What belongs to a text and a model or tokenizer: table → its columns beside `document`, and where an explanation has them.
BESIDE = {"prediction": ("role", "model"), "score": ("model",), "token": ("role", "tokenizer")}


def prune(connection: Connection, change: Change, gone: Mapping[str, pl.DataFrame], *, earlier: bool) -> None:
    """Delete what the frames name (`document` and `explanation` by number, `failure`), and what only that needed; `named` stays.

    With `earlier` also what superseded results said.
    """
    for name, frame in gone.items():
        connection.register(f"src_{name}", frame)
    try:
        delete(connection, change, earlier=earlier)
    finally:
        for name in gone:
            with suppress(duckdb.Error):  # after an error the first error counts
                connection.unregister(f"src_{name}")


def delete(connection: Connection, change: Change, *, earlier: bool) -> None:
    """The same, from registered frames."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_document AS
    SELECT d.document, d.corpus, d.identifier FROM kept.document d JOIN src_document s ON s.document = d.document""")
    if gone := rows(connection, "gone_document"):
        drop_documents(connection, change)
        change.count("documents removed", gone)
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    SELECT e.explanation, e.document, e.role, e.model, e.tokenizer
    FROM kept.explanation e JOIN src_explanation s ON s.explanation = e.explanation""")
    if gone := rows(connection, "gone_explanation"):
        remove(connection, change, None, "gone_explanation")
        for table in (*PARTS, "word_relevance", "explanation"):
            connection.execute(f"DELETE FROM kept.{table} WHERE explanation IN (SELECT explanation FROM gone_explanation)")
        for table, columns in BESIDE.items():
            same = " AND ".join(f"k.{column} = g.{column}" for column in ("document", *columns))
            left = " AND ".join(f"e.{column} = g.{column}" for column in ("document", *columns))
            connection.execute(f"""
            DELETE FROM kept.{table} k USING (
                SELECT DISTINCT {", ".join(f"g.{column}" for column in ("document", *columns))} FROM gone_explanation g
                WHERE NOT EXISTS (SELECT 1 FROM kept.explanation e WHERE {left})
            ) g WHERE {same}""")
        change.count("explanations removed", gone)
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_failure AS
    SELECT f.corpus, f.identifier, f.stage FROM kept.failure f SEMI JOIN src_failure s USING (corpus, identifier, stage)""")
    if gone := rows(connection, "gone_failure"):
        same = " AND ".join(f"f.{column} = g.{column}" for column in ("corpus", "identifier", "stage"))
        connection.execute(f"DELETE FROM kept.failure f USING gone_failure g WHERE {same}")
        change.count("failures removed", gone)
    if earlier:
        change.count("earlier explanations removed", rows(connection, "kept.earlier_explanation"))
        connection.execute("DELETE FROM kept.earlier_word")
        connection.execute("DELETE FROM kept.earlier_explanation")
    named(connection, change)


def named(connection: Connection, change: Change) -> None:
    """Delete models and composites that no explanation names, earlier weights that none was made by, and corpora without documents."""
    for table, needed in (
        ("model", "k.name IN (SELECT model FROM kept.explanation) OR k.name IN (SELECT name FROM src_named)"),
        ("composite", "k.name IN (SELECT composite FROM kept.explanation) OR k.name IN (SELECT name FROM src_named)"),
        ("corpus", "k.name IN (SELECT corpus FROM kept.document) OR k.name IN (SELECT name FROM src_named)"),
        (
            "earlier_model",
            "k.fingerprint IN (SELECT weights FROM kept.explanation UNION ALL SELECT weights FROM kept.earlier_explanation)",
        ),
    ):
        gone = connection.execute(f"DELETE FROM kept.{table} k WHERE NOT coalesce({needed}, false)").fetchall()[0][0]
        change.count(f"{table.replace('_', ' ')} removed", gone)
