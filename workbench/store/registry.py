"""What stands beside the rows: corpora, models, composites, runs and scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from workbench.batch import SCHEMAS, Batch
from workbench.errors import StoreError
from workbench.fingerprint import Json
from workbench.store.append import replace_differing
from workbench.store.change import Change
from workbench.store.connection import Connection


def encoded(value: Mapping[str, Json]) -> str:
    """Canonical JSON of parameters."""
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False, default=str)


def register(connection: Connection, table: str, name: str, fingerprint: str, rest: list[Any], *, changeable: bool) -> None:
    """Keep one named thing; a name that must not change its meaning is refused with another fingerprint."""
    known = connection.execute(f"SELECT fingerprint FROM kept.{table} WHERE name = ?", [name]).fetchall()
    if known and known[0][0] != fingerprint and not changeable:
        found = f"the store knows {name} with the fingerprint {known[0][0][:12]}…, this one has {fingerprint[:12]}…"
        raise StoreError(f"register the {table} {name}", found, f"give the new {table} another name, or use a new store")
    if table == "model" and known and known[0][0] != fingerprint:
        moment = datetime.now(UTC).replace(tzinfo=None)
        connection.execute("INSERT INTO kept.earlier_model SELECT *, ? FROM kept.model WHERE name = ?", [moment, name])
    connection.execute(f"DELETE FROM kept.{table} WHERE name = ?", [name])
    values = [encoded(value) if isinstance(value, Mapping) else value for value in rest]
    marks = ", ".join("?" for _ in range(2 + len(values)))
    connection.execute(f"INSERT INTO kept.{table} VALUES ({marks})", [name, fingerprint, *values])


def begin_run(connection: Connection, pipeline: str, parameters: Mapping[str, Json], environment: Mapping[str, Json]) -> int:
    """Add a row to `run` with the status "running"; return its number."""
    run = int(connection.execute("SELECT coalesce(max(run), 0) + 1 FROM kept.run").fetchall()[0][0])
    connection.execute(
        "INSERT INTO kept.run VALUES (?, ?, ?, ?, 'running', ?, NULL, NULL)",
        [run, pipeline, encoded(parameters), encoded(environment), datetime.now(UTC).replace(tzinfo=None)],
    )
    return run


def interrupt(connection: Connection) -> None:
    """Mark runs that never ended as "interrupted": their process is gone, or the new writer would not hold the lock."""
    if connection.execute("SELECT 1 FROM kept.run WHERE status = 'running'").fetchall():
        connection.execute("UPDATE kept.run SET status = 'interrupted' WHERE status = 'running'")


def end_run(connection: Connection, run: int, status: str, counts: Mapping[str, Json]) -> None:
    """Write status, end and counts of a run; StoreError where there is no such run."""
    changed = connection.execute(
        "UPDATE kept.run SET status = ?, ended = ?, counts = ? WHERE run = ?",
        [status, datetime.now(UTC).replace(tzinfo=None), encoded(counts), run],
    ).fetchall()[0][0]
    if not changed:
        raise StoreError("end a run", f"no run {run}", "use the number that begin_run gave")


def require_stored(connection: Connection, batch: Batch) -> None:
    """Refuse new words for documents that are not stored with this very text."""
    stored = connection.sql("SELECT corpus, identifier, fingerprint FROM kept.document").pl()
    stray = batch["document"].join(stored, on=["corpus", "identifier", "fingerprint"], how="anti")
    if len(stray):
        found = f"{len(stray)} documents that are not stored with this text, first {stray['identifier'][0]} of {stray['corpus'][0]}"
        raise StoreError("replace words", found, "append the documents first")


def checked_scores(frame: pl.DataFrame) -> pl.DataFrame:
    """Scores with the columns they need, all finite; StoreError otherwise."""
    owner = ["document"] if "document" in frame.columns else ["corpus", "identifier"]
    needed = [*owner, *(column for column in SCHEMAS["score"] if column != "document")]
    if absent := [column for column in needed if column not in frame.columns]:
        raise StoreError("store scores", f"no column {', '.join(absent)}", f"give {', '.join(needed)}")
    if not frame["value"].is_finite().fill_null(False).all():
        row = frame.filter(~pl.col("value").is_finite().fill_null(False)).row(0, named=True)
        name = ", ".join(str(row[column]) for column in owner)
        raise StoreError("store scores", f"{row['method']} {row['metric']} is {row['value']} (document {name})", "leave the row out")
    if frame.select(needed[:-1]).is_duplicated().any():
        row = frame.filter(frame.select(needed[:-1]).is_duplicated()).row(0, named=True)
        raise StoreError("store scores", f"two values for {[row[column] for column in needed[:-1]]}", "give each once")
    return frame.select(needed)


def write_scores(connection: Connection, change: Change) -> None:
    """Replace stored scores that differ from those in `src_score`."""
    columns = {row[0] for row in connection.execute("DESCRIBE src_score").fetchall()}
    match = "d.document = s.document" if "document" in columns else "d.corpus = s.corpus AND d.identifier = s.identifier"
    connection.execute(f"""
    CREATE OR REPLACE TEMP TABLE incoming_score AS
    SELECT d.document, s.role, s.model, s.method, s.ordering, s.metric, s.value::DOUBLE AS value, false AS fresh
    FROM src_score s LEFT JOIN kept.document d ON {match}""")
    if stray := connection.execute("SELECT count(*) FROM incoming_score WHERE document IS NULL").fetchall()[0][0]:
        raise StoreError("store scores", f"{stray} rows for documents that are not stored", "append the documents first")
    replace_differing(connection, change, "score", ("document", "role", "model", "method", "ordering", "metric"))
