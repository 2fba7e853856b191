"""An empty store, made whole before it stands at its path."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from workbench.store import migrate, mirror
from workbench.store.connection import connect, explained
from workbench.store.lock import beside

#: Bytes of a block of a new file: every column of every small table fills a block, so that small stores are small.
BLOCK = "32768"


def create(path: Path) -> None:
    """Make an empty store under a temporary name and move it into place, so that a half-made store never stands at its path."""
    temporary = beside(path, f".new-{os.getpid()}")
    with explained(f"make the store {path}", path):
        for leftover in path.parent.glob(f"{path.name}.new-*"):  # of a process that ended here; the lock says it is gone
            leftover.unlink()
        for companion in (beside(path, ".wal"), beside(path, mirror.SUFFIX)):  # of a store that was deleted: nothing to mix with a new one
            if companion.exists():
                companion.replace(beside(path, companion.name.removeprefix(path.name) + ".old"))
        duckdb.connect(str(temporary), config={"default_block_size": BLOCK}).close()
        connection = connect(temporary, read_only=False)
        try:
            migrate.apply(connection, migrate.migrations(), path)
            moment = datetime.now(UTC).replace(tzinfo=None)
            connection.execute("INSERT INTO kept.store VALUES (?, ?)", [uuid.uuid4().hex, moment])
            connection.execute("CHECKPOINT")  # to close hides an error of writing, and what is in a log alone would stay behind
        finally:
            connection.close()
        mirror.sync_file(temporary)
        temporary.replace(path)
        mirror.sync_directory(path.parent)
