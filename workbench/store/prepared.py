"""Batches made ready where they were computed: rows as the store's tables have them, so that its one hand only puts them in.

A scratch store in memory takes the batch exactly as a store would: words and relevance meet, digests are made. What its tables hold then
is `Prepared`, with numbers of documents and explanations from 1. That is the greater part of a store's work, and any process can do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from workbench.batch import SCHEMAS, Batch
from workbench.fingerprint import Json
from workbench.store import migrate, registry
from workbench.store.append import write
from workbench.store.change import Change
from workbench.store.check import check
from workbench.store.connection import HARDENED, Connection, explained
from workbench.store.input import hash_of

#: Columns that number documents and explanations.
OWNERS = ("document", "explanation", "member_of")
SCRATCH = Path("scratch in memory")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows of the store's tables, numbered from 1, and of failures as a batch has them; `schema` is the last migration they know of."""

    frames: Mapping[str, pl.DataFrame]
    input_hash: str
    schema: int

    def batch(self) -> Batch:
        """The batch that was made ready."""
        found = {}
        for table, schema in SCHEMAS.items():
            if table in self.frames:
                found[table] = self.frames[table].select(pl.col(name).cast(kind) for name, kind in schema.items())
        return Batch(found)


def row_tables(connection: Connection) -> dict[str, list[str]]:
    """Tables of the store whose rows belong to a document or an explanation, with their columns."""
    listed = connection.execute("""
    SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = 'kept' AND NOT internal
    GROUP BY ALL HAVING list_has_any(list(column_name), ['document', 'explanation']) ORDER BY 1""").fetchall()
    bases = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'kept'").fetchall()}
    return {name: columns for name, columns in listed if name in bases}


class Preparation:
    """A scratch store of one process; `models` are those whose tokenizers have names of their own, as they are registered."""

    def __init__(self, models: Iterable[tuple[str, str, str, Mapping[str, Json]]] = ()) -> None:
        self._connection: Connection = duckdb.connect(":memory:", config={**HARDENED, "enable_external_access": "false", "threads": "1"})
        self._connection.execute("SET enable_progress_bar = false")  # shown where a process began without a file
        steps = migrate.migrations()
        migrate.apply(self._connection, steps, SCRATCH)
        self._schema = steps[-1].number
        self._tables = row_tables(self._connection)
        for name, fingerprint, kind, parameters in models:
            registry.register(self._connection, "model", name, fingerprint, [kind, parameters], changeable=True)

    def prepare(self, batch: Batch) -> Prepared:
        """A batch made ready; StoreError, which names the document, for what no store would take."""
        check(batch)
        with explained("prepare a batch", SCRATCH):
            self._connection.execute("BEGIN")
            try:
                write(self._connection, batch, Change(1, 1, "append", ""))
                frames = {table: self._rows(table, columns) for table, columns in self._tables.items()}
            finally:
                self._connection.execute("ROLLBACK")
        kept = {table: frame for table, frame in frames.items() if not frame.is_empty()}
        failures = {"failure": batch["failure"]} if len(batch["failure"]) else {}
        return Prepared({**kept, **failures}, hash_of(batch.frames), self._schema)

    def _rows(self, table: str, columns: list[str]) -> pl.DataFrame:
        names = ", ".join(name for name in columns if name != "batch")
        frame: pl.DataFrame = self._connection.sql(f"SELECT {names} FROM kept.{table}").pl()
        return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))

    def close(self) -> None:
        """Lets go of the scratch store."""
        self._connection.close()
