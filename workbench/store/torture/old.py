"""A store as the first version of the workbench left it: rows of today that an old store could hold, in the first schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from workbench.batch import Batch
from workbench.store import migrate, synthetic
from workbench.store.connection import Connection
from workbench.store.lock import beside
from workbench.store.mirror import SUFFIX
from workbench.store.store import Store

#: What the first version did not know.
LATER = ("layer_relevance", "position_relevance", "component_relevance", "annotation")


def plain(names: Sequence[str]) -> Batch:
    """A batch without what came later; the ledgers close without decoder inputs."""
    made = synthetic.batch(names)
    explanations = made["explanation"].with_columns(decoder_inputs=pl.lit(0.0), biases=pl.col("biases") + pl.col("decoder_inputs"))
    return Batch({**{table: frame for table, frame in made.frames.items() if table not in LATER}, "explanation": explanations})


def first_version(path: Path, names: Sequence[str], at_once: int = 4) -> None:
    """Make a store of the first schema with its ledger."""
    modern = path.with_name(f"modern-{path.name}")
    with Store.open(modern, "write") as store:
        for start in range(0, len(names), at_once):
            store.append(plain(names[start : start + at_once]), 1)
        with duckdb.connect(str(path)) as old:
            migrate.apply(old, migrate.migrations()[:1], path)
            for table, columns in tables(old):
                old.register("rows", store.sql(f"SELECT {columns} FROM kept.{table}"))
                old.execute(f"INSERT INTO kept.{table} BY NAME SELECT * FROM rows")
                old.unregister("rows")
    beside(modern, SUFFIX).replace(beside(path, SUFFIX))
    for file in path.parent.glob(f"{modern.name}*"):
        file.unlink()


def tables(connection: Connection) -> list[tuple[str, str]]:
    """Tables of the first schema with their columns, but for the history of schemas itself."""
    return connection.execute("""
    SELECT table_name, string_agg(column_name, ', ' ORDER BY column_index) FROM duckdb_columns()
    WHERE schema_name = 'kept' AND NOT internal AND table_name <> 'migration' GROUP BY table_name ORDER BY table_name""").fetchall()
