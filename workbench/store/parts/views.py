"""Views over the files of parts in place of a store's tables, beside the rows that the store has of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from workbench.store.connection import Connection
from workbench.store.literal import quoted
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import readable
from workbench.store.prepared import OWNERS, row_tables

#: Where a store over parts keeps rows of its own, and what it stands over.
SCHEMA = "parts"


def raise_over(parts: Parts, path: Path) -> None:
    """Puts views over the parts into a store that has all else."""
    connection = duckdb.connect(str(path))
    try:
        readable(connection, parts.place)
        connection.execute("BEGIN")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        stand(connection, parts)
        renumber(connection, parts)
        gone(connection, parts)
        for table, columns in row_tables(connection).items():
            replace(connection, parts, table, columns)
        books(connection, parts)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    finally:
        connection.close()


def stand(connection: Connection, parts: Parts) -> None:
    """Where the parts are, and which count, in their order; each is a batch of the store."""
    connection.execute(f"CREATE TABLE {SCHEMA}.place (location VARCHAR NOT NULL, identity VARCHAR NOT NULL)")
    location = parts.place.address("").rstrip("/")
    connection.execute(f"INSERT INTO {SCHEMA}.place VALUES (?, ?)", [location, parts.state.identity])
    connection.execute("UPDATE kept.store SET identity = ?", [parts.state.identity])
    src_part = pl.DataFrame(
        [
            (batch, one.name, one.run, one.document, one.documents, one.explanation, one.explanations)
            for batch, one in enumerate(parts.state.parts.values(), start=1)
        ],
        schema={
            "batch": pl.Int32, "name": pl.String, "run": pl.Int32, "document": pl.Int32, "documents": pl.Int32,
            "explanation": pl.Int32, "explanations": pl.Int32,
        },
        orient="row",
    )  # fmt: skip
    connection.register("src_part", src_part)
    connection.execute(f"CREATE TABLE {SCHEMA}.part AS FROM src_part")
    connection.unregister("src_part")


def renumber(connection: Connection, parts: Parts) -> None:
    """Moves the numbers of the store's own rows behind those of the parts."""
    state, batches = parts.state, len(parts.state.parts)
    shift = dict(zip(OWNERS, (state.documents, state.explanations, state.explanations), strict=True)) | {"batch": batches}
    for table, columns in row_tables(connection).items():
        moved = ", ".join(f"{name} + {shift[name]} AS {name}" for name in columns if name in shift)
        connection.execute(f"CREATE TABLE {SCHEMA}.{table} AS SELECT * REPLACE ({moved}) FROM kept.{table}")
    connection.execute(f"UPDATE kept.ledger SET batch = batch + {batches}")
    connection.execute(f"UPDATE kept.removal SET batch = batch + {batches}, origin = origin + {batches}")


def gone(connection: Connection, parts: Parts) -> None:
    """What of the parts the store has rows of its own for; booked as removed by the first of its own batches."""
    connection.execute(f"CREATE TABLE {SCHEMA}.gone_document (document INTEGER)")
    connection.execute(f"CREATE TABLE {SCHEMA}.gone_explanation (explanation INTEGER)")
    if not (files := parts.files("document")):
        return
    connection.execute(f"""
    INSERT INTO {SCHEMA}.gone_document SELECT document FROM read_parquet({files}) SEMI JOIN kept.document USING (corpus, identifier)""")
    of_gone = f"SEMI JOIN {SCHEMA}.gone_document USING (document)"
    removed = [f"SELECT document, digest::HUGEINT AS digest, 1 AS d, 0 AS e FROM read_parquet({files}) {of_gone}"]
    if explained_files := parts.files("explanation"):
        connection.execute(f"""
        INSERT INTO {SCHEMA}.gone_explanation
        SELECT explanation FROM read_parquet({explained_files}) {of_gone}""")
        removed.append(f"SELECT document, digest::HUGEINT, 0, 1 FROM read_parquet({explained_files}) {of_gone}")
    connection.execute(f"""
    INSERT INTO kept.removal
    SELECT {len(parts.state.parts) + 1}, p.batch,
           sum(d), coalesce(sum(digest) FILTER (d = 1), 0), sum(e), coalesce(sum(digest) FILTER (e = 1), 0)
    FROM ({" UNION ALL ".join(removed)}) r
    JOIN {SCHEMA}.part p ON r.document >= p.document AND r.document < p.document + p.documents GROUP BY p.batch ORDER BY p.batch""")


def replace(connection: Connection, parts: Parts, table: str, columns: list[str]) -> None:
    """A view in place of one table: rows of its own, and those of the parts."""
    types = typed(connection, table)
    comments = connection.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'kept' AND table_name = ? AND comment IS NOT NULL", [table]
    ).fetchall()
    own = f"SELECT {', '.join(columns)} FROM {SCHEMA}.{table}"
    connection.execute(f"DROP TABLE kept.{table}")
    connection.execute(f"CREATE VIEW kept.{table} AS {own}{of_parts(connection, parts, table, columns, types)}")
    for column, comment in comments:
        connection.execute(f"COMMENT ON COLUMN kept.{table}.{column} IS {quoted(comment)}")


def of_parts(connection: Connection, parts: Parts, table: str, columns: list[str], types: Mapping[str, str]) -> str:
    """The parts' rows of one table, as the second half of its view."""
    having = [(batch, one) for batch, one in enumerate(parts.state.parts.values(), start=1) if table in one.files]
    if not having:
        return ""
    batches = f"({[batch for batch, _ in having]})[file_index::BIGINT + 1]"
    chosen = ", ".join(f"{batches if name == 'batch' else name}::{types[name]} AS {name}" for name in columns)
    owner = "explanation" if "explanation" in columns and table != "explanation" else "document"
    any_gone = connection.execute(f"SELECT count(*) FROM {SCHEMA}.gone_{owner}").fetchall()[0][0]
    less = f" WHERE {owner} NOT IN (SELECT {owner} FROM {SCHEMA}.gone_{owner})" if any_gone else ""
    return f" UNION ALL SELECT {chosen} FROM read_parquet({parts.files(table, (one for _, one in having))}){less}"


def typed(connection: Connection, table: str) -> dict[str, str]:
    """The types of a table's columns; an enumeration by its name."""
    named = {str(labels): f"kept.{name}" for name, labels in connection.execute(
        "SELECT type_name, labels FROM duckdb_types() WHERE schema_name = 'kept' AND logical_type = 'ENUM'"
    ).fetchall()}  # fmt: skip
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'kept' AND table_name = ?", [table]
    ).fetchall()
    enums = {f"ENUM({labels.strip('[]')})": name for labels, name in named.items()}
    return {column: enums.get(kind, kind) for column, kind in found}


def books(connection: Connection, parts: Parts) -> None:
    """Ledger rows of the parts, runs as the manifest tells them, and failures less those that were settled since."""
    src_ledger = pl.DataFrame(
        [
            (
                batch, one.run, moment(one.committed), one.input_hash, one.content_hash(), one.rows,
                one.documents, one.document_digest, one.explanations, one.explanation_digest, one.relevance,
            )
            for batch, one in enumerate(parts.state.parts.values(), start=1)
        ],
        schema={
            "batch": pl.Int32, "run": pl.Int32, "committed": pl.Datetime("us"), "input_hash": pl.String, "content_hash": pl.String,
            "counted": pl.String, "documents": pl.Int64, "document_digest": pl.String, "explanations": pl.Int64,
            "explanation_digest": pl.String, "relevance": pl.Float64,
        },
        orient="row",
    )  # fmt: skip
    connection.register("src_ledger", src_ledger)
    connection.execute("""
    INSERT INTO kept.ledger
    SELECT batch, run, 'append', committed, input_hash, content_hash, counted, documents, document_digest::HUGEINT, explanations,
           explanation_digest::HUGEINT, relevance
    FROM src_ledger""")
    connection.unregister("src_ledger")
    for number, run in parts.state.runs.items():
        ended = moment(run["ended"]) if "ended" in run else None
        counts = json.dumps(run["counts"], sort_keys=True, ensure_ascii=False) if "counts" in run else None
        connection.execute(
            "UPDATE kept.run SET status = ?, started = ?, ended = ?, counts = ? WHERE run = ?",
            [run["status"], moment(run["started"]), ended, counts, number],
        )
        connection.execute(
            "UPDATE kept.failure SET failed = ?, workbench = ? WHERE run = ?", [moment(run["started"]), run["workbench"], number]
        )
    if connection.execute("SELECT count(*) FROM kept.failure").fetchall()[0][0]:
        connection.execute("""
        DELETE FROM kept.failure f USING kept.document d, kept.ledger l
        WHERE d.corpus = f.corpus AND d.identifier = f.identifier AND l.batch = d.batch
          AND ((l.run >= f.run AND f.content IS DISTINCT FROM d.fingerprint)
               OR EXISTS (SELECT 1 FROM kept.explanation e WHERE e.document = d.document AND e.fingerprint = f.fingerprint))""")


def moment(text: str) -> datetime:
    """A moment of the manifest as the store keeps it (UTC, without zone)."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
