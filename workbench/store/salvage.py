"""What can be read of a damaged file: the whole part of a log, and all rows in blocks that are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from workbench.store import audit, migrate, mirror
from workbench.store.building import building
from workbench.store.connection import HARDENED, Connection
from workbench.store.create import BLOCK
from workbench.store.digest import PARTS
from workbench.store.literal import quoted
from workbench.store.lock import beside

#: DuckDB reads so many rows at once.
VECTOR = 2048
#: Tables whose lost rows the checks notice: by digests, as rows without an owner, or because they are made from others.
NOTICED = {*PARTS, "explanation", "document", "word_relevance"}


@dataclass(frozen=True, slots=True)
class Ranges:
    """Rows of a table by their place: those that can be read, and those that cannot (first, last)."""

    table: str
    whole: tuple[tuple[int, int], ...]
    damaged: tuple[tuple[int, int], ...]


def set_aside(path: Path) -> Path:
    """Give a file that cannot be used, and its log, another name; returns the file's."""
    for companion in (".wal", ".undo"):
        if beside(path, companion).exists():
            beside(path, companion).replace(beside(path, f".damaged{companion}"))
    path.replace(beside(path, ".damaged"))
    mirror.sync_directory(path.parent)
    return beside(path, ".damaged")


def opens(path: Path) -> bool:
    """Whether DuckDB opens a file with the log beside it."""
    try:
        duckdb.connect(str(path), read_only=True, config=dict(HARDENED)).close()
    except duckdb.Error:
        return False
    return True


def shortened_log(path: Path) -> int | None:
    """Keep as much of a damaged log as can be replayed; how many bytes, None where the log is not what is wrong."""
    log = beside(path, ".wal")
    if not log.exists():
        return None
    whole = log.read_bytes()
    with building(path, "log") as trial:
        shutil.copyfile(path, trial)
        if not opens(trial):
            return None
        fits, breaks = 0, len(whole)
        while breaks - fits > 1:
            middle = (fits + breaks) // 2
            beside(trial, ".wal").write_bytes(whole[:middle])
            fits, breaks = (middle, breaks) if opens(trial) else (fits, middle)
        beside(trial, ".wal").write_bytes(whole[:fits])
        mirror.sync_file(beside(trial, ".wal"))
        shutil.copyfile(log, beside(path, ".wal.damaged"))
        beside(trial, ".wal").replace(log)
        mirror.sync_directory(path.parent)
    return fits


def damaged_tables(connection: Connection) -> list[Ranges]:
    """Tables with rows that cannot be read."""
    found = []
    for table in audit.tables(connection):
        try:
            connection.execute(f"SELECT bit_xor(hash(t)) FROM kept.{table} t").fetchall()
        except duckdb.Error:
            found.append(ranges(connection, table))
    return found


def ranges(connection: Connection, table: str) -> Ranges:
    """Which rows of a table can be read."""
    try:
        last = connection.execute(f"SELECT max(rowid) FROM kept.{table}").fetchall()[0][0]
    except duckdb.Error:
        return Ranges(table, (), ())
    whole: list[tuple[int, int]] = []
    damaged: list[tuple[int, int]] = []

    def look(first: int, end: int) -> None:
        try:
            connection.execute(f"SELECT bit_xor(hash(t)) FROM kept.{table} t WHERE rowid BETWEEN {first} AND {end}").fetchall()
        except duckdb.Error:
            if end - first < VECTOR:
                damaged.append((first, end))
                return
            middle = (first + (end - first) // 2) // VECTOR * VECTOR
            middle = middle if middle > first else first + VECTOR
            look(first, middle - 1)
            look(middle, end)
        else:
            whole.append((first, end))

    look(0, last)
    return Ranges(table, tuple(whole), tuple(damaged))


def write_again(path: Path, damaged: list[Ranges]) -> list[str]:
    """Write all rows that can be read to a new file in the place of the old one; a sentence for each table that lost rows."""
    lost = {one.table: one for one in damaged}
    with building(path, "salvage") as built:
        with duckdb.connect(str(built), config={**HARDENED, "default_block_size": BLOCK}) as connection:
            connection.execute(f"ATTACH {quoted(path)} AS source (READ_ONLY)")
            connection.execute("USE source")
            steps = migrate.migrations() if "migration" in lost else migrate.migrations()[: len(migrate.applied(connection))]
            tables = audit.tables(connection)
            suspects = {one.table: sorted(owners(connection, one)) for one in damaged}
            connection.execute(f"USE {built.name.split('.')[0]}")
            migrate.apply(connection, steps, built)
            for table in tables:
                if table != "migration":
                    for where in places(lost.get(table)):
                        connection.execute(f"INSERT INTO kept.{table} BY NAME FROM source.kept.{table} WHERE {where}")
            for table, documents in suspects.items():
                for of in ("word", "annotation") if table in ("word", "annotation") else ("document",):  # the rest is without an owner then
                    connection.execute(f"DELETE FROM kept.{of} WHERE document IN (SELECT unnest($1::INTEGER[]))", [documents])
            if not connection.execute("SELECT count(*) FROM kept.store").fetchall()[0][0]:
                connection.execute("INSERT INTO kept.store VALUES (?, now()::TIMESTAMP)", [identity(path)])
            connection.execute("DETACH source")
            connection.execute("CHECKPOINT")
        mirror.sync_file(built)
        beside(path, ".damaged").unlink(missing_ok=True)
        os.link(path, beside(path, ".damaged"))
        if beside(path, ".wal").exists():
            beside(path, ".wal").replace(beside(path, ".damaged.wal"))
        built.replace(path)
        mirror.sync_directory(path.parent)
    said = [f"{sum(end - first + 1 for first, end in one.damaged):,} rows of {one.table} could not be read" for one in damaged]
    return [*said, f"all other rows stand in a new file (the old one is {beside(path, '.damaged').name} now)"]


def places(lost: Ranges | None) -> Iterator[str]:
    """SQL: the rows of a table that can be read, some conditions one after another."""
    if lost is None:
        yield "true"
        return
    for first, last in lost.whole:
        yield f"rowid BETWEEN {first} AND {last}"


def owners(connection: Connection, lost: Ranges) -> set[int]:
    """Documents that may have lost rows which no check would miss."""
    columns = {row[0] for row in connection.execute(f"DESCRIBE kept.{lost.table}").fetchall()}
    if lost.table in NOTICED or "document" not in columns:
        return set()
    everybody = {row[0] for row in connection.execute("SELECT document FROM kept.document").fetchall()}
    found = set() if lost.damaged else everybody
    for first, last in lost.damaged:
        try:
            named = connection.execute(f"SELECT DISTINCT document FROM kept.{lost.table} WHERE rowid BETWEEN {first} AND {last}").fetchall()
            found |= {row[0] for row in named}
        except duckdb.Error:
            low, high = bounds(connection, lost.table, first, last)
            found |= {document for document in everybody if low <= document <= high}
    return found


def bounds(connection: Connection, table: str, first: int, last: int) -> tuple[int, int]:
    """The smallest and the largest document of rows that cannot be read, by what the file knows of their blocks."""
    rows = connection.execute(f"""
    SELECT count, stats FROM pragma_storage_info('kept.{table}') WHERE column_name = 'document' AND segment_type <> 'VALIDITY'
    ORDER BY row_group_id, segment_id""").fetchall()
    low, high, start = 2**31, 0, 0
    for count, stats in rows:
        if start <= last and start + count > first:
            low, high = min(low, int(stats["min"])), max(high, int(stats["max"]))
        start += count
    return low, high


def identity(path: Path) -> str:
    """Whose store it was, by its mirror."""
    target = beside(path, mirror.SUFFIX)
    lines = target.read_bytes().splitlines(keepends=True) if target.exists() else []
    said = [record["store"] for record in map(mirror.unsealed, lines) if record is not None]
    return str(said[-1]) if said else os.urandom(16).hex()
