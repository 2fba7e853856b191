"""Compacting: all rows of a store again, in their order and without gaps, in a new file that takes the place of the old one.

A store that has been edited for long keeps the holes of what was superseded, and documents out of their order; a store over parts has
most rows elsewhere. Afterwards both are what a store is that was filled at once, and say the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from workbench.errors import StoreError
from workbench.store import guard, migrate, mirror
from workbench.store.building import building, move
from workbench.store.change import announcements
from workbench.store.connection import Connection, explained, inspect, stands_over
from workbench.store.create import BLOCK
from workbench.store.digest import PARTS
from workbench.store.literal import quoted
from workbench.store.lock import WriterLock
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import Place, readable
from workbench.store.prepared import row_tables
from workbench.store.snapshot import withdraw
from workbench.store.store import Store

#: Documents or explanations whose rows are put in order at a time.
AT_ONCE = 200_000
#: Bytes from which a store is kept in blocks of DuckDB's usual size.
LARGE = 256 << 20
ORDER = {
    "annotation": ("role",), "document": (), "explanation": (), "prediction": ("role", "model", "label"), "segment": ("role",),
    "score": ("role", "model", "method", "ordering", "metric"), "token": ("role", "tokenizer", "token"), "word": ("role", "word"),
    "word_relevance": ("explanation", "kind", "word"), **{table: columns[:keys] for table, (columns, keys) in PARTS.items()},
}  # fmt: skip

#: Told which table is at hand, and how many of how many are done.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compacting did: rows of documents and explanations that were written, and bytes before (parts included) and after."""

    rows: int
    before: int
    after: int


def compact(path: Path, target: Path | None = None, *, told: Told = lambda *_: None) -> Compacted:
    """Writes a store again, over itself or to a file that is not there yet.

    What was written is compared with what was read before it takes any place. Raises StoreError.
    """
    inspect(path)
    place = target or path
    if target is not None and target.exists():
        raise StoreError(f"compact {path} to {target}", "a file there", "give the path of a file that does not exist yet")
    place.parent.mkdir(parents=True, exist_ok=True)
    if target is None and guard.log_bytes(path):
        Store.open(path, "write").close()  # what stands in the log alone must be in the file before that is replaced
    lock = WriterLock(place)
    lock.acquire()
    try:
        if target is None:
            guard.recover(path)
        with Store.open(path, "read", itself=True) as store:
            location, lines = stands_over(store.connection), announcements(store.connection)
            identity = store.identity if target is None else uuid.uuid4().hex
        with building(place) as built, explained(f"compact {path}", path):
            rows = write(path, built, location, identity, told)
            before, after = path.stat().st_size + (bytes_of(location) if location else 0), built.stat().st_size
            if location is not None or target is not None:  # otherwise batches and their mirror stay as they are
                mirror.renew(place, identity, lines)
            withdraw(place)
            move(built, place)
    finally:
        lock.release()
    return Compacted(rows, before, after)


def write(path: Path, built: Path, location: str | None, identity: str, told: Told) -> int:
    """A new store with all rows of another; returns how many belong to documents and explanations."""
    connection = duckdb.connect(str(built), config={"default_block_size": BLOCK} if path.stat().st_size < LARGE and not location else {})
    try:
        migrate.apply(connection, migrate.migrations(), built)
        tables = row_tables(connection)
        others = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'kept' ORDER BY 1").fetchall()
        if location is not None:
            readable(connection, Place(location))
        connection.execute(f"ATTACH {quoted(path)} AS source (READ_ONLY)")
        for (table,) in others:
            if table not in tables and table != "migration":
                connection.execute(f"INSERT INTO kept.{table} BY NAME FROM source.kept.{table}")
        connection.execute("UPDATE kept.store SET identity = ?", [identity])
        rows = 0
        for place, (table, columns) in enumerate(tables.items()):
            told("compact", place, len(tables))
            for statement in in_order(connection, table, columns):
                rows += connection.execute(statement).fetchall()[0][0]
            same(connection, table, path)
        told("compact", len(tables), len(tables))
        connection.execute("DETACH source")
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    return rows


def in_order(connection: Connection, table: str, columns: list[str]) -> Iterator[str]:
    """Statements that copy a table, some documents or explanations at a time, each in the order of its keys."""
    owner = "document" if table in ("document", "word_relevance") or "explanation" not in columns else "explanation"
    owner = "explanation" if table == "explanation" else owner
    first, last = connection.execute(f"SELECT min({owner}), max({owner}) FROM source.kept.{table}").fetchall()[0]
    if first is None:
        return
    for start in range(first, last + 1, AT_ONCE):
        chosen = f"SELECT {', '.join(columns)} FROM source.kept.{table} WHERE {owner} BETWEEN {start} AND {start + AT_ONCE - 1}"
        yield f"INSERT INTO kept.{table} BY NAME {chosen} ORDER BY {', '.join((owner, *ORDER[table]))}"


def same(connection: Connection, table: str, path: Path) -> None:
    """Refuses to go on where the rows that were written are not those that were read."""
    counted = [
        connection.execute(f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0) FROM {prefix}kept.{table} t").fetchall()
        for prefix in ("", "source.")
    ]
    if counted[0] != counted[1]:
        raise StoreError(
            f"compact {path}", f"rows of {table} that were not written as they were read", "run verify; the store is untouched"
        )


def bytes_of(location: str) -> int:
    """Bytes of all parts at a place."""
    return sum(size for one in Parts(location).state.parts.values() for _, size, _ in one.files.values())
