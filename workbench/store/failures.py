"""Failures are data: kept with what could help, cleared when it has, and wanted again when it has changed.

A failure belongs to a piece of work (fingerprint of text, model and rules) and to a text. Another text, model or rule makes other work; for
the same work another version of the workbench helps, or time where the error passes by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from workbench.store.change import Change
from workbench.store.connection import Connection

KEY = ("corpus", "identifier", "fingerprint", "stage")
SAID = ("error", "retryable", "content")


def here() -> str:
    """The version of the workbench that is running."""
    return version("workbench-nlp")


def failures(connection: Connection, change: Change) -> None:
    """Keep the batch's failures, counting the runs that tried, and clear those of texts that are no more."""
    clear(connection, change)
    matches = " AND ".join(f"k.{column} = s.{column}" for column in KEY)
    same = " AND ".join(f"k.{column} IS NOT DISTINCT FROM s.{column}" for column in SAID)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE incoming_failure AS
        SELECT s.{", s.".join(KEY + SAID)}, $here AS workbench, coalesce(k.attempts, 0) + 1 AS attempts, $run AS run, $moment AS failed
        FROM src_failure s LEFT JOIN kept.failure k ON {matches}
        WHERE k.stage IS NULL OR NOT ({same}) OR (k.stage <> 'read' AND k.run IS DISTINCT FROM $run)""",
        {"here": here(), "run": change.run, "moment": datetime.now(UTC).replace(tzinfo=None)},
    )
    connection.execute(f"DELETE FROM kept.failure k USING incoming_failure s WHERE {matches}")
    added = connection.execute("INSERT INTO kept.failure BY NAME SELECT * FROM incoming_failure ORDER BY ALL").fetchall()[0][0]
    change.count("failure", added)


def clear(connection: Connection, change: Change) -> None:
    """Delete failures to read documents that are there now, and failures of other texts than the documents have now."""
    gone = connection.execute("""
    DELETE FROM kept.failure k USING (
        SELECT corpus, identifier, fingerprint AS content FROM src_document
        UNION SELECT corpus, identifier, content FROM src_failure WHERE content <> ''
    ) s
    WHERE k.corpus = s.corpus AND k.identifier = s.identifier AND k.content IS DISTINCT FROM s.content""").fetchall()[0][0]
    change.count("cleared", gone)


def not_due(table: str) -> str:
    """SQL: whether a row of failures is not to be tried again, by this version ($here) at this time ($now)."""
    return f"""
    (NOT {table}.retryable AND {table}.workbench IS NOT DISTINCT FROM $here) OR ({table}.retryable AND {table}.attempts > 1
     AND {table}.failed + to_minutes(least(power(4, {table}.attempts - 2), 1440)::BIGINT) > $now)"""
