"""Bad situations: one clear error each, and what was stored stays intact."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pytest

from workbench.errors import StoreError
from workbench.store import Store, synthetic, verify


@cache
def template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A store of two documents, made once."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "template.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["a", "b"]), 1)
    return folder, path


def made(path: Path) -> Path:
    """A copy of the template with its ledger."""
    source = template()[1]
    shutil.copy(source, path)
    shutil.copy(f"{source}.ledger.jsonl", f"{path}.ledger.jsonl")
    return path


def refused(path: Path, mode: str = "read") -> StoreError:
    with pytest.raises(StoreError) as caught, Store.open(path, mode):  # type: ignore[arg-type]
        pass
    assert caught.value.asked
    assert caught.value.remedy
    return caught.value


@contextmanager
def child(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed its first line."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


HOLDER = """
    import sys
    from workbench.store import Store
    with Store.open(sys.argv[1], sys.argv[2]):
        print("open", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "zero bytes"), (b"hello world\n" * 1000, "no DuckDB file"), (b"SQLite format 3\0" + bytes(4096), "no DuckDB file")],
)
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "store.duckdb"
    path.write_bytes(content)
    for mode in ("read", "write"):
        assert words in refused(path, mode).found
    assert path.read_bytes() == content


def test_a_duckdb_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    duckdb.connect(str(path)).close()
    for mode in ("read", "write"):
        assert "no relevance store" in refused(path, mode).found


@pytest.mark.parametrize("size", [10, 100, 5000, 20_000, -1])
def test_a_truncated_file(tmp_path: Path, size: int) -> None:
    path = made(tmp_path / "store.duckdb")
    content = path.read_bytes()
    path.write_bytes(content[:size])
    error = refused(path)
    assert any(words in error.found for words in ("cut short", "no DuckDB file", "damaged"))
    assert not verify(path).clean


def test_a_newer_schema(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with Store.open(path, "write") as store:
        store.connection.execute("INSERT INTO kept.migration VALUES (99, 'future', 'x', now()::TIMESTAMP)")
    for mode in ("read", "write"):
        error = refused(path, mode)
        assert "schema version 99" in error.found
        assert "newer workbench" in error.remedy


def test_another_history(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with Store.open(path, "write") as store:
        store.connection.execute("UPDATE kept.migration SET sha256 = 'x' WHERE number = 2")
    assert "another form" in refused(path).found


def header_checksum(block: bytes) -> int:
    """The checksum that DuckDB puts before its headers."""
    value = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        value ^= (word * 0xBF58476D1CE4E5B9) & ((1 << 64) - 1)
    return value


def test_a_newer_storage_format(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    content = bytearray(path.read_bytes())
    assert struct.unpack_from("<Q", content, 0)[0] == header_checksum(content[8:4096])
    struct.pack_into("<Q", content, 12, 5000)
    struct.pack_into("<Q", content, 0, header_checksum(content[8:4096]))
    path.write_bytes(content)
    error = refused(path)
    assert "newer than the installed DuckDB" in error.found
    assert "upgrade DuckDB" in error.remedy


def test_a_directory_a_missing_file_and_a_wrong_mode(tmp_path: Path) -> None:
    for mode in ("read", "write"):
        assert refused(tmp_path, mode).found == "a directory"
    assert "no file there" in refused(tmp_path / "none.duckdb").found
    assert not list(tmp_path.iterdir())
    assert "mode 'append'" in refused(tmp_path / "none.duckdb", "append").found
    with pytest.raises(StoreError, match="no file there"):
        verify(tmp_path / "none.duckdb")


def test_two_writers(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with child(HOLDER, path, "write") as holder:
        error = refused(path, "write")
        assert f"pid {holder.pid}" in error.found
        assert error.retryable
        reading = refused(path)
        assert str(holder.pid) in reading.found
        assert reading.retryable
        holder.kill()
        holder.wait()
    with Store.open(path, "write") as store:  # the note of a dead holder harms nobody
        assert store.notices == []


def test_a_writer_while_another_process_reads(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with child(HOLDER, path, "read") as holder:
        error = refused(path, "write")
        assert str(holder.pid) in error.found
        with Store.open(path) as second:
            assert len(second.stored_documents("posts")) == 2


def test_the_same_process_twice(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with Store.open(path, "write"):
        assert f"pid {os.getpid()}" in refused(path, "write").found
        assert "in another mode" in refused(path).found
    with Store.open(path, "read") as store, pytest.raises(StoreError, match="open to read"):
        store.append(synthetic.batch(["c"]), 1)


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir()
    path = made(folder / "store.duckdb")
    program = """
        import os, sys
        from pathlib import Path
        from workbench.errors import StoreError
        from workbench.store import Store
        Store.open(sys.argv[1]).stored_documents("posts")  # imports everything while it may
        if os.geteuid() == 0:
            os.setgid(65534); os.setuid(65534)
        with Store.open(sys.argv[1]) as store:
            print(len(store.stored_documents("posts")))
        for name in (sys.argv[1], str(Path(sys.argv[1]).with_name("new.duckdb"))):
            try:
                Store.open(name, "write")
            except StoreError as error:
                print("refused:", error.found)
    """
    for parent in [*tmp_path.parents, tmp_path]:
        if parent.is_relative_to(tempfile.gettempdir()) and parent.owner() == path.owner():
            parent.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    try:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    finally:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "2"
    assert done.stdout.count("refused:") == 2
    assert "lock file" in done.stdout or "permission" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="RLIMIT_FSIZE")
def test_a_full_disk(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    program = """
        import os, resource, sys
        from workbench.errors import StoreError
        from workbench.store import Store, synthetic
        stored = 0
        with Store.open(sys.argv[1], "write") as store:
            limit = os.path.getsize(sys.argv[1]) + 300_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                for number in range(200):
                    store.append(synthetic.batch([f"{number}-{place}" for place in range(20)]), 1)
                    stored += 20
            except StoreError as error:
                print("refused:", error.found.splitlines()[0], error.retryable)
        print(stored)
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "refused: no space left" in done.stdout, done.stdout
    with Store.open(path, "write") as store:
        kept = len(store.stored_documents("posts"))
        assert kept >= 2 + int(done.stdout.split()[-1])
        store.append(synthetic.batch(["after"]), 1)
    assert verify(path).clean


def test_a_file_deleted_or_replaced_under_the_writer(tmp_path: Path) -> None:
    path = made(tmp_path / "store.duckdb")
    with Store.open(path, "write") as store:
        copy = shutil.copy(path, tmp_path / "copy.duckdb")
        path.unlink()
        with pytest.raises(StoreError, match="deleted while it was open"):
            store.append(synthetic.batch(["c"]), 1)
        Path(copy).rename(path)
        with pytest.raises(StoreError, match="replaced by another"):
            store.append(synthetic.batch(["c"]), 1)
    assert verify(path).clean


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM nowhere",
        "SELEKT",
        "DELETE FROM kept.document",
        "COPY (SELECT 1) TO '/tmp/never.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/never.duckdb'",
        "INSTALL fts",
        "SET enable_external_access = true",
        "CREATE TABLE t (x INTEGER)",
    ],
)
def test_statements_that_reading_refuses(tmp_path: Path, statement: str) -> None:
    path = made(tmp_path / "store.duckdb")
    with Store.open(path) as store:
        with pytest.raises(StoreError):
            store.sql(statement)
        assert len(store.stored_documents("posts")) == 2
    assert not Path("/tmp/never.csv").exists()


def test_two_readers_in_one_process(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    Store.open(path, "write").close()
    with Store.open(path) as one, Store.open(path) as other:
        assert one.sql("SELECT 1 AS n").equals(other.sql("SELECT 1 AS n"))
        with pytest.raises(StoreError):
            other.sql("SET enable_external_access = true")
