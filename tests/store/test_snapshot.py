"""Readers while a writer works: a snapshot that is whole, that says what it is, and that goes when the writer is done."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.store import Store, snapshot, synthetic, verify
from workbench.store.confined import Confined
from workbench.store.lock import is_locked

WRITER = """
    import sys
    from workbench.store import Store, snapshot, synthetic
    snapshot.SECONDS = 0.0
    snapshot.SHARE = 0
    with Store.open(sys.argv[1], "write") as store:
        print("open", flush=True)
        for line in sys.stdin:
            word, _, name = line.strip().partition(" ")
            if word == "publish":
                store.publish()
            elif word == "append":
                store.append(synthetic.batch([name]), 1)
            else:
                break
            print("done", flush=True)
"""


class Writer:
    """A process that writes on command."""

    def __init__(self, path: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.heard("open")

    def heard(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == word

    def do(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        self.heard("done")

    def end(self) -> None:
        self.process.communicate("end\n", timeout=60)
        assert self.process.returncode == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["a"]), 1)
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path)
    yield writer
    writer.process.kill()
    writer.process.communicate()


def names(store: Store) -> list[str]:
    return store.stored_documents("posts")["identifier"].to_list()


def test_readers_get_the_newest_snapshot_and_are_told(path: Path, writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreError, match=str(writer.process.pid)):
        Store.open(path)
    writer.do("publish")
    with caplog.at_level(logging.WARNING), Store.open(path) as store:
        assert names(store) == ["a"]
        (notice,) = store.notices
        assert f"pid {writer.process.pid} writes it since" in notice
        assert "its snapshot, up to batch 1 of " in notice
        assert caplog.messages == [notice]
        writer.do("append b")  # the snapshot is renewed, and whoever has read the old one goes on with it
        assert names(store) == ["a"]
    with Store.open(path) as store:
        assert names(store) == ["a", "b"]
    with Confined(path) as confined:
        assert confined.ask("SELECT count(*) AS n FROM documents").frame["n"].to_list() == [2]
    with pytest.raises(StoreError, match=f"open in process {writer.process.pid}"):
        Store.open(path, itself=True)
    with pytest.raises(StoreError, match="process"):
        verify(path)
    writer.end()
    assert not list(path.parent.glob("*.snapshot*"))
    with Store.open(path) as store:
        assert store.notices == []
        assert names(store) == ["a", "b"]


def test_what_a_killed_writer_published_is_withdrawn(path: Path, writer: Writer) -> None:
    writer.do("publish")
    writer.do("append b")
    writer.process.kill()
    writer.process.wait()
    Path(f"{path}.snapshot-99").write_bytes(b"half a copy")
    assert not is_locked(path)
    with Store.open(path) as store:
        assert names(store) == ["a", "b"]
        assert store.notices == []
    with Store.open(path, "write"):
        assert not list(path.parent.glob("*.snapshot*"))
    assert verify(path).clean


def test_a_writer_waits_for_readers(path: Path) -> None:
    reader = """
        import sys
        from workbench.store import Store
        with Store.open(sys.argv[1]):
            print("open", flush=True)
            sys.stdin.read(1)
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(reader), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StoreError, match=str(process.pid)):
            Store.open(path, "write", wait=0.1)
        process.communicate("x")
        with Store.open(path, "write", wait=30):
            pass


def test_looking_again_gives_no_lock_away(path: Path) -> None:
    """The system drops every lock of a process on a file as soon as the process closes any descriptor of it."""
    program = """
        import sys
        from workbench.errors import StoreError
        from workbench.store import Store
        try:
            with Store.open(sys.argv[1], sys.argv[2], itself=sys.argv[2] == "read") as store:
                print("opened")
        except StoreError as error:
            print(error.found)
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for mode in ("read", "write"):
        with Store.open(path, mode) as store:
            if mode == "write":
                store.publish()
            with contextlib.suppress(StoreError):
                Store.open(path, itself=True).close()
            other = "read" if mode == "write" else "write"
            command = [sys.executable, "-c", textwrap.dedent(program), str(path), other]
            said = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
            assert f"process {os.getpid()}" in said


def test_a_process_that_writes_can_read_its_snapshot(path: Path) -> None:
    with Store.open(path, "write") as store:
        store.publish()
        store.append(synthetic.batch(["b"]), 1)
        with Store.open(path) as reader:
            assert names(reader) == ["a"]


def test_without_room_for_a_snapshot_the_writer_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Store.open(path, "write") as store:
        monkeypatch.setattr(os, "copy_file_range", full, raising=False)
        store.publish()
        assert store.notices[0].startswith("no snapshot for readers: no space left")
        store.append(synthetic.batch(["b"]), 1)
    assert not list(path.parent.glob("*.snapshot*"))
    assert verify(path).clean


@pytest.mark.parametrize("unable", [errno.EXDEV, errno.EINVAL])
def test_copies_are_whole_on_any_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unable: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 1000)
    with source.open("rb") as given:
        snapshot.copy(given.fileno(), target)
    assert target.read_bytes() == source.read_bytes()

    def refuse(*given: object) -> int:
        raise OSError(unable, os.strerror(unable))

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    with source.open("rb") as given:
        snapshot.copy(given.fileno(), target)
    assert target.read_bytes() == source.read_bytes()
