"""One hand writes: an operating-system lock beside the store, with a note of who holds it.

The operating system frees the lock when its holder ends, however it ends, so the note of a dead holder harms nobody: it is read only to
name the holder when the lock is refused.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.errors import StoreError

if sys.platform != "win32":
    import fcntl

#: A reader that looks whether there is a writer holds the lock for less than so many seconds.
PROBE = 0.1


def beside(path: Path, suffix: str) -> Path:
    """A companion file of the store: `corpus.duckdb` → `corpus.duckdb.lock`."""
    return path.with_name(path.name + suffix)


def holder(path: Path) -> dict[str, str]:
    """Who wrote the note beside the store last: pid, host, started, command; empty where there is none or it is unreadable."""
    try:
        note = json.loads(beside(path, ".holder.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: str(value) for key, value in note.items()} if isinstance(note, dict) else {}


def is_locked(path: Path) -> bool:
    """Whether a living process holds the store for writing at this moment.

    A shared lock is asked for: that needs no right to write, and keeps no other reader out.
    """
    beside_it = beside(path, ".lock")
    if sys.platform == "win32":
        probe = FileLock(beside_it, thread_local=False, is_singleton=False)
        try:
            probe.acquire(timeout=0)
        except (Timeout, OSError):
            return beside_it.exists()
        probe.release()
        return False
    try:
        descriptor = os.open(beside_it, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


class WriterLock:
    """The right to write one store, from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(beside(path, ".lock"), thread_local=False, is_singleton=False)

    def acquire(self, timeout: float = 0.0) -> None:
        """Take the lock, waiting at most `timeout` seconds; StoreError names the holder."""
        asked = f"write the store {self._path}"
        try:
            self._lock.acquire(timeout=max(timeout, PROBE), poll_interval=PROBE / 4)
        except Timeout as refusal:
            note = holder(self._path)
            found = "another process writes it: pid {pid} on {host} since {started} ({command})".format_map(_Unknown(note))
            raise StoreError(asked, found, "wait until it ends, or end it; its finished batches are kept", retryable=True) from refusal
        except OSError as error:
            raise StoreError(asked, f"no lock file can be made there: {error}", "choose a directory that can be written") from error
        self._note()

    def release(self) -> None:
        """Give the lock back; doing so twice harms nobody."""
        if self._lock.is_locked:
            beside(self._path, ".holder.json").unlink(missing_ok=True)
        self._lock.release()

    def _note(self) -> None:
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": " ".join(sys.argv)[:500],
        }
        temporary = beside(self._path, f".holder.{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(note), "utf-8")
            temporary.replace(beside(self._path, ".holder.json"))
        except OSError as error:
            self._lock.release()
            temporary.unlink(missing_ok=True)
            raise StoreError(
                f"write the store {self._path}", f"no note can be written beside it: {error}", "free space, or check permissions"
            ) from error


class _Unknown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"unknown {key}"
