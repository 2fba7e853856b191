"""Readers while a writer works: a copy of the store as it stood between two batches, published whole or not at all.

DuckDB keeps readers out of a file that another process writes. So a writer publishes snapshots: checkpoint, copy under a temporary name,
fsync, rename, fsync of the directory. Whoever opens the store to read then gets the newest one and is told so; when the writer is done,
the snapshot goes and readers read the store itself again. On file systems that share blocks (Btrfs, XFS) the copy costs nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import StoreError
from workbench.store import guard
from workbench.store.connection import PAUSE, Connection, connect, explained, is_open_here
from workbench.store.lock import beside, holder, is_locked
from workbench.store.mirror import sync_directory

SUFFIX = ".snapshot"
#: A writer publishes again after so many seconds, or so many times as long as it took: a fiftieth of its time at most.
SECONDS = 60.0
SHARE = 50
#: How long a reader waits for a writer that has published nothing.
PATIENCE = 1.0
CHUNK = 1 << 30
#: What systems say that cannot copy within the kernel.
UNABLE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """An open file to read: the store itself, or its snapshot with a sentence that says so."""

    path: Path
    connection: Connection
    notice: str | None = None


def publish(connection: Connection, path: Path, descriptor: int) -> float:
    """Publish what is committed, between two transactions; return the seconds it took. StoreError where there is no room.

    The file is read through a descriptor that stays open: closing it would give away the lock that DuckDB holds on the file.
    """
    began = time.monotonic()
    temporary = beside(path, f"{SUFFIX}-{os.getpid()}")
    with explained(f"publish a snapshot of {path}", path):
        guard.checkpoint(connection, path, descriptor)
        try:
            copy(descriptor, temporary)
            temporary.replace(beside(path, SUFFIX))
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
    return time.monotonic() - began


def copy(source: int, target: Path) -> None:
    """A copy of an open file that is on the disk when this returns; blocks are shared where the file system can."""
    with target.open("wb") as made:
        place, size = 0, os.fstat(source).st_size
        try:
            while place < size and (done := os.copy_file_range(source, made.fileno(), min(size - place, CHUNK), place, place)):
                place += done
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", errno.EXDEV) not in UNABLE:
                raise
            made.seek(0)
            os.lseek(source, 0, os.SEEK_SET)
            while chunk := os.read(source, 1 << 22):
                made.write(chunk)
        made.flush()
        os.fsync(made.fileno())


def withdraw(path: Path) -> None:
    """Remove the snapshot and what publishers that ended left behind; the caller holds the lock."""
    for leftover in (beside(path, SUFFIX), *path.parent.glob(f"{path.name}{SUFFIX}-*")):
        with suppress(OSError):
            leftover.unlink(missing_ok=True)


def read(path: Path, *, snapshot: bool = True, patience: float = PATIENCE) -> Reading:
    """Open a store to read, or its snapshot while another writes it, which is logged as a warning.

    Where a writer has the lock, new readers hold back for `patience` seconds: it may be waiting for those that read already, and would
    wait for ever if others kept coming.
    Raises StoreError for what is no store, and, naming the holder, where a writer has published nothing within `patience` seconds.
    """
    until = time.monotonic() + patience
    while True:
        refusal: StoreError | None = None
        if not snapshot or may_open(path, until):
            guard.recover_for_reader(path)
            try:
                return Reading(path, connect(path, read_only=True))
            except StoreError as error:
                if not snapshot or not error.retryable:
                    raise
                refusal = error
        with suppress(StoreError):  # withdrawn this moment
            return published(path, connect(beside(path, SUFFIX), read_only=True))
        if refusal is not None and time.monotonic() > until:
            raise refusal
        time.sleep(PAUSE)


def may_open(path: Path, until: float) -> bool:
    """Whether a reader opens the store itself: nobody has the lock, or somebody has published nothing and is this process or slow."""
    if not path.exists() or not is_locked(path):
        return True
    return not beside(path, SUFFIX).exists() and (is_open_here(path) or time.monotonic() > until)


def published(path: Path, connection: Connection) -> Reading:
    """The snapshot, with a sentence that says whose and from when it is."""
    last = connection.execute("SELECT max(batch), strftime(max(committed), '%H:%M:%S') FROM kept.ledger").fetchall()[0]
    note = holder(path)
    since = f"pid {note['pid']} writes it since {note['started']}" if {"pid", "started"} <= set(note) else "another process writes it"
    until = f"up to batch {last[0]} of {last[1]} UTC" if last[0] is not None else "before its first batch"
    notice = f"{path}: {since}; this is its snapshot, {until}"
    log.warning(notice)
    return Reading(beside(path, SUFFIX), connection, notice)
