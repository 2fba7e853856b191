"""A user's SQL, run where it can do no harm: in a process of its own, on the store open to read, within limits.

DuckDB's own limits are looked at between vectors alone and leave out the heap of strings: of 26 hostile queries 7 ran over them. So the
process is the wall (see `confined_child`), and this side ends it. What a statement may cost is said by `Limits`.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import polars as pl

from workbench.errors import StoreError
from workbench.store import migrate, scope, snapshot
from workbench.store.connection import explain

CHILD = Path(__file__).with_name("confined_child.py")
#: How many times its own limit a statement may take until its process is ended, and the seconds that a process may take to start.
PATIENCE, START = 1.5, 60.0
ASKED = "answer your SQL"
END = (b"", b"")
HEADER = struct.Struct("<cQ")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may cost: seconds of waiting, bytes of memory, bytes of its answer."""

    seconds: float = 30.0
    memory: int = 2 << 30
    answer: int = 1 << 30
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one statement: its first rows, and how many there are in all (None where counting them took too long)."""

    statement: str
    frame: pl.DataFrame
    total: int | None

    @property
    def shown(self) -> str:
        """How many of how many, in words: 50 of 42,271 rows."""
        if self.total == len(self.frame):
            return f"{self.total:,} row{'' if self.total == 1 else 's'}"
        return (
            f"the first {len(self.frame):,} rows; there are more" if self.total is None else f"{len(self.frame):,} of {self.total:,} rows"
        )


class Confined:
    """Statements of a person over one store, one after another in one process, which begins anew where a statement had to be ended.

    `with Confined(path) as confined: confined.ask("SELECT …")`. `run` narrows all views to what that run explained.
    """

    def __init__(self, path: str | os.PathLike[str], *, run: int | None = None, limits: Limits | None = None) -> None:
        self.path, self.run, self.limits = Path(path), run, limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._frames: queue.Queue[tuple[bytes, bytes]] = queue.Queue(maxsize=8)
        self._file, self._prelude = self._looked_at()

    def _looked_at(self) -> tuple[Path, list[str]]:
        """What is no store of this version is refused here, in the house's own words; the SQL that narrows the views to the run.

        While another process writes the store, its snapshot is read.
        """
        found = snapshot.read(self.path)
        connection = found.connection
        try:
            if migrate.compare(connection, self.path):
                raise StoreError(
                    f"read the store {self.path}", "an older schema", "open it once to write (`workbench run`): that migrates it"
                )
            return found.path, [] if self.run is None else scope.statements(connection, self.run, self.path)
        finally:
            connection.close()

    def ask(self, statement: str, rows: int = 0) -> Result:
        """The answer to one statement, its first rows alone where `rows` is not 0.

        StoreError for what is no question, what DuckDB cannot do, and what takes more time or memory than `limits` allow.
        """
        found = list(self.each(statement, rows))
        if len(found) != 1:
            raise StoreError(ASKED, f"{len(found)} statements", "give one statement")
        return found[0]

    def each(self, text: str, rows: int = 0) -> Iterator[Result]:
        """The answers to the statements of a text, in their order; errors as for `ask`."""
        if "\0" in text:
            raise StoreError(ASKED, "the character U+0000 in the statement", "leave it out")
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"text": text, "rows": rows}).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise self._ended() from None
        try:
            yield from self._answers()
        except StoreError:
            raise
        except BaseException:  # interrupted, or nobody wants the rest: the process may still be at work
            self.close()
            raise

    def _answers(self) -> Iterator[Result]:
        statement, size = "", 0
        pieces: list[bytes] = []
        until = time.monotonic() + PATIENCE * self.limits.seconds
        while True:
            letter, content = self._next(until)
            if letter == b"R":
                return
            if letter == b"E":
                raise self._complaint(json.loads(content))
            if letter == b"H":
                statement, pieces, size = json.loads(content)["statement"], [], 0
            elif letter == b"A":
                pieces.append(content)
                if (size := size + len(content)) > self.limits.answer:
                    self.close()
                    most = f"an answer of more than {self.limits.answer >> 20:,} MiB"
                    raise StoreError(ASKED, most, "ask for fewer rows or columns, or sum them up; whole views: workbench export")
            else:
                total = json.loads(content)["total"]
                until = time.monotonic() + PATIENCE * self.limits.seconds
                yield Result(statement, frame_of(b"".join(pieces)), total)

    def _next(self, until: float) -> tuple[bytes, bytes]:
        try:
            letter, content = self._frames.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            self.close()
            raise self._too_slow() from None
        if (letter, content) == END:
            raise self._ended()
        return letter, content

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        if not self._file.exists():  # a snapshot whose writer is done
            self._file, self._prelude = self._looked_at()
        limits = self.limits
        given = {
            "path": str(self._file.resolve()), "memory": limits.memory, "seconds": limits.seconds, "threads": limits.threads,
            "prelude": self._prelude,
        }  # fmt: skip
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(CHILD), json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**kept, "HOME": os.devnull, "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}, cwd=self.path.resolve().anchor,
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._frames = queue.Queue(maxsize=8)
        threading.Thread(target=carry, args=(self._process.stdout, self._frames), daemon=True).start()
        letter, content = self._next(time.monotonic() + START)
        if letter == b"E":
            self.close()
            raise explain(Exception(json.loads(content)["message"]), f"read the store {self.path}", self.path)
        return self._process

    def _complaint(self, said: dict[str, str]) -> StoreError:
        message = said["message"].strip()[:1200]
        if said["kind"] == "refused":
            return StoreError(ASKED, message, "ask by SELECT, FROM, WITH, DESCRIBE, SHOW or EXPLAIN; nothing is changed from here")
        if said["kind"] == "time":
            return self._too_slow()
        if said["kind"] == "memory":
            return self._too_large()
        return StoreError(ASKED, message, "views and columns: SHOW TABLES, DESCRIBE word_relevance")

    def _ended(self) -> StoreError:
        """What the end of the process means."""
        code = self._process.wait() if self._process is not None else 0
        self._frames.put(END)  # for `close`, which waits for it
        self.close()
        return self._too_slow() if -code == 24 else self._too_large()  # 24: SIGXCPU

    def _too_slow(self) -> StoreError:
        return StoreError(ASKED, f"no answer within {self.limits.seconds:g} seconds", "ask for less, or allow more: --seconds")

    def _too_large(self) -> StoreError:
        return StoreError(ASKED, f"more memory needed than {self.limits.memory / (1 << 30):g} GiB", "ask for less, or allow more: --memory")

    def close(self) -> None:
        """End the process; doing so twice harms nobody."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        while self._frames.get() != END:  # what was on its way
            pass
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def __enter__(self) -> Confined:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def carry(stream: IO[bytes], frames: queue.Queue[tuple[bytes, bytes]]) -> None:
    """Frames of a process into a queue, and an empty one at its end."""
    try:
        while len(head := stream.read(HEADER.size)) == HEADER.size:
            letter, length = HEADER.unpack(head)
            content = stream.read(length)
            if len(content) < length:
                break
            frames.put((letter, content))
    except (OSError, ValueError):
        pass
    frames.put(END)


def frame_of(stream: bytes) -> pl.DataFrame:
    """A frame from an Arrow stream; sums of whole numbers are whole numbers, names of an ENUM are texts."""
    frame = pl.read_ipc_stream(stream).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    whole = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal) and kind.scale == 0]
    numbers = frame.select(pl.col(whole).cast(pl.Int64, strict=False))
    fitting = [name for name in whole if numbers[name].null_count() == frame[name].null_count()]
    return frame.with_columns(numbers.select(fitting))
