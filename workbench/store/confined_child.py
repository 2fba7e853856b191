"""The process in which a user's SQL runs: it opens one store to read, shuts every door behind itself, and answers until it is told to end.

Started by `workbench.store.confined` as a file of its own, with nothing of the workbench loaded. What keeps a statement in:

1. only questions are taken (SELECT, and EXPLAIN of one); statements that change, attach, copy or set anything are refused;
2. the store is open to read, without external access, extensions, Python objects or a temporary directory, its configuration locked;
3. once it is open the kernel gives this process no further file: no descriptor is left, and no byte can be written to a file;
4. memory is limited twice, by DuckDB and as address space, and processor time by the kernel; the parent ends what takes too long.

Requests are JSON lines on standard input; answers are frames on standard output: one letter, the length in eight bytes, the content.
H: header of a statement (JSON) · A: a piece of its Arrow stream · D: its end, with the number of all rows · E: an error · R: ready.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.ipc

with contextlib.suppress(ImportError):
    import ctypes
    import resource

PIECE = 1 << 20
BATCH = 10_000
#: Address space beside DuckDB's memory, for a result on its way out: a fifth of it, and at least so many bytes.
BESIDE = 192 << 20
#: Kinds of statements that are questions.
QUESTIONS = frozenset({"SELECT", "MULTI"})  # MULTI: a PIVOT whose columns are found first
EXPLAIN = re.compile(r"(?is)\s*explain(?:\s+analyze\b|\s*\([^()]*\))?\s+(?P<inner>.*)")
#: Types that no data frame has; their texts say the same.
AS_TEXT = re.compile(r"\b(INTERVAL|BIT|TIME WITH TIME ZONE|UNION|VARIANT|GEOMETRY|BIGNUM)\b")


class RefusedError(Exception):
    """A statement that is no question."""


def connect(path: str, memory: int, seconds: float, threads: int, prelude: list[str]) -> duckdb.DuckDBPyConnection:
    """The store, open to read, with every setting that keeps a statement in; `prelude` narrows its views."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "max_temp_directory_size": "0B",
        "memory_limit": f"{memory}B",
        "max_execution_time": str(int(seconds * 1000)),
        "threads": str(threads),
    }
    connection = duckdb.connect(path, read_only=True, config=config)
    for statement in prelude:
        connection.execute(statement)
    connection.execute("SET lock_configuration = true")
    # what is loaded or opened at first use is used once, before no file can be opened any more
    connection.sql("SELECT count(*) FROM range(100000) t(i) JOIN range(10) u(j) ON i = j").fetchall()
    write(connection.sql("SELECT 'x' AS text, [1] AS list, now() AS moment, random() AS number, uuid() AS id"), io.BytesIO(), 1)
    return connection


def shut(memory: int) -> None:
    """Take from this process what a question does not need."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: end with the parent
        if os.getppid() == 1:
            sys.exit(0)
    if "resource" not in globals():
        return
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))
    with contextlib.suppress(OSError, ValueError):
        taken = address_space() + memory + max(memory // 5, BESIDE)
        resource.setrlimit(resource.RLIMIT_AS, (taken, taken))
    with contextlib.suppress(OSError, ValueError):
        no_more_files()


def no_more_files() -> None:
    """Fill the gaps among descriptors and set their limit to the last one: from here on every open() fails."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    last = max(number for number in range(4096) if is_open(number))
    for number in range(last):
        if not is_open(number):
            os.dup2(nothing, number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, last + 1))


def is_open(number: int) -> bool:
    """Whether a descriptor is in use."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def address_space() -> int:
    """Bytes of address space that this process has taken so far."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


def processor_time(seconds: float) -> None:
    """Let the kernel end this process after so many further seconds on all its threads."""
    if "resource" in globals():
        used = resource.getrusage(resource.RUSAGE_SELF)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, resource.RLIM_INFINITY))


def questions(connection: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The statements of a text; RefusedError where there is none, or one that is no question."""
    found = []
    for statement in connection.extract_statements(text):
        kind = statement.type.name
        if kind not in QUESTIONS and not (kind == "EXPLAIN" and explains_a_question(connection, statement.query)):
            raise RefusedError(f"a statement of the kind {kind.replace('_', ' ')}")
        found.append(statement.query.strip().rstrip(";").strip())
    if not found:
        raise RefusedError("no statement")
    return found


def explains_a_question(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    """Whether what is explained is a question: EXPLAIN ANALYZE runs it."""
    match = EXPLAIN.fullmatch(statement.strip())
    inner = connection.extract_statements(match["inner"]) if match else []
    return len(inner) == 1 and inner[0].type.name == "SELECT"


def answer(connection: duckdb.DuckDBPyConnection, statement: str, rows: int, out: Frames) -> None:
    """Write the answer to one statement as frames."""
    relation = connection.sql(statement)
    if relation is None:  # nothing to show, for example of a PIVOT without rows
        raise RefusedError("a statement without an answer")
    out.frame(b"H", {"statement": statement})
    written, more = write(relation, out, rows)
    out.flush()
    total: int | None = written
    if more:
        try:
            total = connection.sql(f"SELECT count(*) FROM (\n{statement}\n)").fetchall()[0][0]
        except duckdb.Error:
            total = None  # more than can be counted in the time
    out.frame(b"D", {"rows": written, "total": total})


def write(relation: duckdb.DuckDBPyRelation, sink: io.RawIOBase | io.BytesIO, rows: int) -> tuple[int, bool]:
    """The first rows of a relation as an Arrow stream (0: all); how many, and whether there are more."""
    names = ['"' + name.replace('"', '""') + '"' for name in relation.columns]
    odd = [AS_TEXT.search(str(kind)) is not None for kind in relation.types]
    if any(odd) and len(set(names)) == len(names):
        relation = relation.project(
            ", ".join(f"{name}::VARCHAR AS {name}" if text else name for name, text in zip(names, odd, strict=True))
        )
    reader = relation.fetch_arrow_reader(BATCH)
    written, more = 0, False
    with pyarrow.ipc.new_stream(sink, reader.schema) as stream:
        for batch in reader:
            if rows and written + len(batch) > rows:
                batch, more = batch.slice(0, rows - written), True
            stream.write_batch(batch)
            written += len(batch)
            if more:
                break
    return written, more


class Frames(io.RawIOBase):
    """Standard output as frames; what is written to it as a file becomes pieces of an Arrow stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.pending = bytearray()

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: Any) -> int:
        """Keep bytes until there is a piece to send."""
        self.pending += bytes(data)
        if len(self.pending) >= PIECE:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send what is kept."""
        kept, self.pending = self.pending, bytearray()
        for start in range(0, len(kept), PIECE):
            self.send(b"A", bytes(kept[start : start + PIECE]))

    def frame(self, letter: bytes, content: dict[str, Any]) -> None:
        """Send a frame of JSON."""
        self.send(letter, json.dumps(content).encode("utf-8", "backslashreplace"))

    def send(self, letter: bytes, content: bytes) -> None:
        """Send a frame."""
        self.stream.write(letter + struct.pack("<Q", len(content)) + content)
        self.stream.flush()


def complaint(error: BaseException) -> dict[str, str]:
    """What went wrong: its kind (refused, time, memory, store or sql) and its words."""
    words = str(error)
    if isinstance(error, RefusedError):
        return {"kind": "refused", "message": words}
    if (
        isinstance(error, MemoryError | duckdb.OutOfMemoryException | pa.ArrowMemoryError)
        or "bad_alloc" in words
        or "could not allocate" in words.lower()
    ):
        return {"kind": "memory", "message": words}
    if isinstance(error, duckdb.InterruptException) or "execution time" in words.lower():
        return {"kind": "time", "message": words}
    return {"kind": "sql", "message": words or type(error).__name__}


def serve(connection: duckdb.DuckDBPyConnection, requests: BinaryIO, out: Frames, seconds: float, threads: int) -> None:
    """Answer requests until they end."""
    out.frame(b"R", {})
    for line in requests:
        request = json.loads(line)
        processor_time(2 * seconds * threads)
        try:
            for statement in questions(connection, request["text"]):
                answer(connection, statement, request["rows"], out)
            out.frame(b"R", {})
        except BrokenPipeError:
            return
        except BaseException as error:  # noqa: BLE001 - whatever a statement does is its own fault, and is told
            out.pending.clear()
            with contextlib.suppress(duckdb.Error):
                connection.rollback()
            out.frame(b"E", complaint(error))


def main(given: str) -> None:
    """Open the store that is given (JSON: path, memory, seconds, threads, prelude), shut all doors, serve."""
    options = json.loads(given)
    out = Frames(sys.stdout.buffer)
    try:
        connection = connect(options["path"], options["memory"], options["seconds"], options["threads"], options["prelude"])
        shut(options["memory"])
    except Exception as error:  # noqa: BLE001 - told to the parent, which knows what to say
        out.frame(b"E", {"kind": "store", "message": str(error)})
        return
    serve(connection, sys.stdin.buffer, out, options["seconds"], options["threads"])
    os._exit(0)  # nothing is left to tidy up, and tidying up may want files


if __name__ == "__main__":
    main(sys.argv[1])
