"""Checkpoints that can be undone: what DuckDB overwrites in place is kept beside the store until the new state is complete.

A checkpoint of DuckDB 2.0 writes to free blocks, except for metadata: a block of metadata that has room left is filled up where it stands.
Where that write is torn (power is lost, a disk fails half-way), the state before and the state after are both unreadable. So those blocks
and the headers are copied to `<store>.undo` before each checkpoint, and put back where it did not come to its end; DuckDB then replays
its log.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import StoreError
from workbench.store.connection import HEADER_BYTES, Connection, explained, is_open_here
from workbench.store.lock import WriterLock, beside
from workbench.store.mirror import sync_directory

SUFFIX = ".undo"
MAGIC = b"workbench undo 1\n"
HEADER = 4096
#: Rows wait in the log for so long; small stores are then written to their file once, without gaps of what was there before.
LOG_BYTES = 128 << 20

log = logging.getLogger(__name__)


def log_bytes(path: Path) -> int:
    """Length of the write-ahead log, 0 where there is none."""
    try:
        return beside(path, ".wal").stat().st_size
    except OSError:
        return 0


def fold_at_the_end(connection: Connection, path: Path, descriptor: int) -> None:
    """Fold what there is of a log before a store is closed; where that fails (a full disk), a warning says that all stays in the log."""
    if log_bytes(path):
        try:
            with explained(f"fold the log into {path}", path):
                checkpoint(connection, path, descriptor)
        except StoreError as error:
            if "ended after an earlier" not in error.found:  # which was told then
                log.warning("%s: what was stored stays in its log (%s)", path, error.found)


@dataclass(frozen=True, slots=True)
class Undo:
    """The beginning of a file with its headers, and blocks by their place, as they were before a checkpoint."""

    headers: bytes
    blocks: dict[int, bytes]

    def encoded(self) -> bytes:
        """As bytes, with the hash of themselves."""
        body = json.dumps([len(self.headers), [[place, len(data)] for place, data in self.blocks.items()]]).encode() + b"\n"
        body += self.headers + b"".join(self.blocks.values())
        return MAGIC + hashlib.sha256(body).digest() + body

    @classmethod
    def decoded(cls, data: bytes) -> Undo | None:
        """From bytes; None where they are not whole."""
        body = data[len(MAGIC) + 32 :]
        if not data.startswith(MAGIC) or hashlib.sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
            return None
        line, _, rest = body.partition(b"\n")
        size, places = json.loads(line)
        headers, rest, blocks = rest[:size], rest[size:], {}
        for place, length in places:
            blocks[int(place)], rest = rest[:length], rest[length:]
        return cls(headers, blocks)


def checkpoint(connection: Connection, path: Path, descriptor: int, database: str | None = None) -> None:
    """Fold the log into the file, between two transactions; the descriptor is of the open file. Raises what DuckDB or the system says.

    `database` is the name by which the file is attached, where it is not what the connection was opened with.
    """
    name = database or connection.execute("SELECT current_database()").fetchall()[0][0]
    sizes = connection.execute("SELECT block_size FROM pragma_database_size() WHERE database_name = ?", [name])
    size = sizes.fetchall()[0][0]
    shared = connection.execute("SELECT block_id FROM pragma_metadata_info(?) WHERE free_blocks > 0", [name]).fetchall()
    places = [HEADER_BYTES + block * size for (block,) in shared]
    undo = Undo(read(descriptor, 0, HEADER_BYTES), {place: read(descriptor, place, size) for place in places})
    temporary = beside(path, f"{SUFFIX}-{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(undo.encoded())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(beside(path, SUFFIX))
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    connection.execute('CHECKPOINT "' + name.replace('"', '""') + '"')
    beside(path, SUFFIX).unlink()


def read(descriptor: int, place: int, size: int) -> bytes:
    """Bytes of an open file."""
    os.lseek(descriptor, place, os.SEEK_SET)
    return os.read(descriptor, size)


def recover(path: Path) -> bool:
    """Put back what an interrupted checkpoint overwrote; whether there was anything to put back. The caller holds the writer's lock."""
    for leftover in path.parent.glob(f"{path.name}{SUFFIX}-*"):
        leftover.unlink(missing_ok=True)
    kept = beside(path, SUFFIX)
    if not kept.exists() or is_open_here(path):
        return False
    with explained(f"undo an interrupted checkpoint of {path}", path):
        undo = Undo.decoded(kept.read_bytes())
        interrupted = undo is not None and was_interrupted(path, undo)
        if undo is not None and interrupted:
            with path.open("rb+") as stream:
                for place, data in {**undo.blocks, 0: undo.headers}.items():
                    stream.seek(place)
                    stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        kept.unlink()
        sync_directory(path.parent)
    return interrupted


def was_interrupted(path: Path, undo: Undo) -> bool:
    """Whether a file still has the headers from before the checkpoint: one as it was, the other as it was or torn."""
    with path.open("rb") as stream:
        now = stream.read(HEADER_BYTES)
    as_before = [now[start : start + HEADER] == undo.headers[start : start + HEADER] for start in (HEADER, 2 * HEADER)]
    torn = [not is_whole(now[start : start + HEADER]) for start in (HEADER, 2 * HEADER)]
    return any(as_before) and all(one or other for one, other in zip(as_before, torn, strict=True))


def is_whole(header: bytes) -> bool:
    """Whether a header has the checksum that it says."""
    if len(header) < HEADER:
        return False
    value = 5381
    for (word,) in struct.iter_unpack("<Q", header[8:]):
        value ^= (word * 0xBF58476D1CE4E5B9) & ((1 << 64) - 1)
    return bool(value == int.from_bytes(header[:8], "little"))


def recover_for_reader(path: Path) -> None:
    """The same for somebody who only reads, where that is possible now: nobody writes, and the folder can be written."""
    if not beside(path, SUFFIX).exists():
        return
    lock = WriterLock(path)
    with suppress(StoreError, OSError):
        lock.acquire()
        try:
            recover(path)
        finally:
            lock.release()
