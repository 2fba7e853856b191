"""Opening the DuckDB file, and DuckDB's complaints in a person's words."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import duckdb
import polars as pl

from workbench.errors import StoreError
from workbench.store.literal import quoted
from workbench.store.lock import holder as written_by

Connection: TypeAlias = duckdb.DuckDBPyConnection

#: Nothing a store does needs networks, extensions or Python's objects; `connect` closes files and addresses as well.
HARDENED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
#: For a writer: DuckDB folds the log into the file only when it is told to, see `guard`.
WRITER = {"checkpoint_threshold": "1TB", "auto_checkpoint_skip_wal_threshold": str(1 << 50)}
HEADER_BYTES = 3 * 4096
#: Seconds between tries.
PAUSE = 0.05

#: What DuckDB says of a log that it cannot replay for want of its own functions.
UNREPLAYED = re.compile("replaying WAL.*(is not in the catalog|automatically install the required extension)", re.DOTALL)

#: What a reader is told of such a store: the next writer completes it.
INTERRUPTED = "a change of the schema that was interrupted"

HOLDER = re.compile(r"held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
COMPLAINTS: tuple[tuple[str, str, str, bool], ...] = (
    (
        "No space left|File too large|Disk quota|could not write all bytes",
        "no space left to write",
        "free space or move the store; what was stored is intact",
        True,
    ),
    (
        "version number .* we can only read|newer version of DuckDB|storage version",
        "a storage format newer than the installed DuckDB reads",
        "upgrade DuckDB (pip install -U duckdb)",
        False,
    ),
    ("invalidated", "the connection ended after an earlier write error", "open the store again; what was committed is intact", True),
    ("checksum|Corrupt|corrupt", "damaged content", "run verify, then restore a copy or compute again into a new store", False),
    (
        "Failure while replaying WAL",
        INTERRUPTED,
        "open it once to write (`workbench run`): that completes it; if it does not, run verify",
        False,
    ),
    (
        "not a valid DuckDB database|Could not read enough bytes",
        "a file that is damaged, cut short, or no DuckDB file",
        "give the path of a store; restore a copy of this one",
        False,
    ),
    (
        "Permission denied|Read-only file system",
        "no permission to read or write there",
        "change the permissions, or give another path",
        False,
    ),
)


def explain(error: Exception, asked: str, path: Path) -> StoreError:
    """One clear error for what DuckDB or the operating system said."""
    message = str(error)
    if held := HOLDER.search(message):
        note = written_by(path)
        since = f" since {note['started']} ({note['command']})" if note.get("pid") == held["pid"] else f" ({held['program']})"
        found = f"it is open in process {held['pid']}{since}"
        return StoreError(asked, found, "wait until that process ends, or end it", retryable=True)
    for pattern, found, remedy, retryable in COMPLAINTS:
        if re.search(pattern, message):
            return StoreError(asked, f"{found} ({path}: {message.splitlines()[0][:200]})", remedy, retryable=retryable)
    if isinstance(error, duckdb.ConnectionException):
        return StoreError(asked, "this process has it open in another mode", "close that store first")
    return StoreError(asked, message.strip()[:600], "check the statement against the views (DESCRIBE, SHOW TABLES)")


@contextmanager
def explained(asked: str, path: Path) -> Iterator[None]:
    """Turn what DuckDB or the operating system complains about inside the block into one StoreError."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise explain(error, asked, path) from error


#: Files that this process has open (device, inode), and how often. The system forgets all locks of a process on a file as soon as the
#: process closes any descriptor of it: whoever opens such a file to look inside would give away the lock that DuckDB holds.
_open_files: Counter[tuple[int, int]] = Counter()


@contextmanager
def known_open(path: Path) -> Iterator[None]:
    """Note that this process has a file open, until the block ends; a snapshot that was withdrawn meanwhile is nobody's to open again."""
    try:
        status = path.stat()
    except FileNotFoundError:
        yield
        return
    key = (status.st_dev, status.st_ino)
    _open_files[key] += 1
    try:
        yield
    finally:
        _open_files[key] -= 1


def is_open_here(path: Path) -> bool:
    """Whether this process has the file open."""
    status = path.stat()
    return _open_files[status.st_dev, status.st_ino] > 0


def inspect(path: Path) -> None:
    """Refuse what cannot be a store before DuckDB touches it: nothing there, a directory, an empty or a foreign file."""
    asked = f"open the store {path}"
    if path.is_dir():
        raise StoreError(asked, "a directory", "give the path of a file, for example " + str(path / "relevance.duckdb"))
    if not path.exists():
        raise StoreError(asked, "no file there", "check the path, or make the store with `workbench run`")
    with explained(asked, path):
        if is_open_here(path):
            return
        with path.open("rb") as stream:
            head = stream.read(12)
    if not head:
        raise StoreError(asked, "an empty file (zero bytes)", "delete it to start a new store, or restore a copy")
    if head[8:12] != b"DUCK":
        raise StoreError(asked, "a file that is no DuckDB file", "give the path of a store, or of a file that does not exist yet")


def connect(path: Path, *, read_only: bool) -> Connection:
    """A hardened connection to an existing DuckDB file; StoreError for whatever makes that impossible."""
    inspect(path)
    asked = f"open the store {path}"
    config: dict[str, str | bool | int | float | list[str]] = {**HARDENED, **({} if read_only else WRITER)}
    with explained(asked, path):
        try:
            connection = duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            if read_only or not UNREPLAYED.search(str(error)):
                raise
            fold_log(path)
            connection = duckdb.connect(str(path), config=config)
    try:
        with explained(asked, path):
            # free blocks at the end may never have been written; that the used ones fit is necessary, `verify` reads each of them
            blocks = connection.execute("SELECT block_size * used_blocks FROM pragma_database_size()").fetchall()
            size = path.stat().st_size
        if blocks and size < HEADER_BYTES + blocks[0][0]:
            found = f"a file cut short: {size} bytes of {HEADER_BYTES + blocks[0][0]}"
            raise StoreError(asked, found, "restore a copy, or compute again into a new store")
        # a second reader of this process shares the instance, which the first one has locked
        if not connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
            if not read_only:
                connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            shut(connection)
    except BaseException:
        with suppress(duckdb.Error):
            connection.close()
        raise
    return connection


def fold_log(path: Path) -> None:
    """Fold the write-ahead log into the file from an instance that has its functions already.

    DuckDB 2.0 replays the log of the file that it is opened with before it has loaded `isfinite` and the like, and a table whose CHECK
    calls one cannot be altered then: a migration that was killed would leave a store that nobody can open. Attached, the same log works.
    """
    from workbench.store import guard

    descriptor = os.open(path, os.O_RDONLY)
    try:
        with duckdb.connect(":memory:", config=dict(HARDENED)) as connection:
            connection.execute(f"ATTACH {quoted(path)} AS interrupted")
            guard.checkpoint(connection, path, descriptor, "interrupted")
            connection.execute("DETACH interrupted")
    finally:
        os.close(descriptor)


def shut(connection: Connection) -> None:
    """Close everything beside the store's own file to a connection, the parts excepted that it stands over, and lock its settings."""
    if (location := stands_over(connection)) is not None:
        from workbench.store.parts.place import Place, readable

        readable(connection, Place(location))
        connection.execute(f"SET allowed_directories = [{quoted(location + '/')}]")
    connection.execute("SET enable_progress_bar = false")  # it would stand in the midst of an answer where a process began without a file
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def stands_over(connection: Connection) -> str | None:
    """Where the parts are that a store stands over; None for a store with rows of its own."""
    tables = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'parts' AND table_name = 'place'"
    if not connection.execute(tables).fetchall()[0][0]:
        return None
    return str(connection.execute("SELECT location FROM parts.place").fetchall()[0][0])


def of_its_own(connection: Connection, path: Path) -> None:
    """Refuse to write a store that stands over parts."""
    if (location := stands_over(connection)) is not None:
        remedy = f"write more parts (workbench run --parts {location}), or give it rows of its own: workbench compact {path}"
        raise StoreError(f"write the store {path}", f"a store over the parts in {location}", remedy)


@contextmanager
def registered(connection: Connection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """A frame under a name, until the block ends."""
    connection.register(name, frame)
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # after an error the first error counts
            connection.unregister(name)


def connect_when_free(path: Path, wait: float) -> Connection:
    """A connection to write; readers of the file get `wait` seconds to finish, new ones are kept out or read a snapshot meanwhile."""
    until = time.monotonic() + wait
    while True:
        try:
            return connect(path, read_only=False)
        except StoreError as error:
            if not error.retryable or time.monotonic() > until:
                raise
        time.sleep(PAUSE)
