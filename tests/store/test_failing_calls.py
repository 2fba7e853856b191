"""Writes, fsyncs and renames that fail: a clear error or none, nothing lost, and the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.store import guard, synthetic
from workbench.store.content import content_hash
from workbench.store.lock import beside
from workbench.store.store import Store
from workbench.store.torture import io as torture
from workbench.store.verify import verify


def test_calls_that_fail_leave_no_trace() -> None:
    reports = {report.kind: report for report in torture.io(60, lasting=(False,))}
    assert list(reports) == ["write", "fsync", "rename"]
    for report in reports.values():
        assert report.failed >= 1
        assert report.refused + report.carried == report.failed
        assert report.unclean == []
        assert report.passed
    assert reports["write"].refused >= 1


def test_calls_that_there_are_not() -> None:
    with pytest.raises(StoreError, match="write, fsync, rename"):
        torture.io(kinds=["read"])


def test_no_compiler_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(StoreError, match="no C compiler"):
        torture.compiled(tmp_path)


@pytest.mark.parametrize("how", ["torn", "complete", "damaged"])
def test_a_checkpoint_that_was_interrupted_is_undone(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["one"]), 1)
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["two"]), 1)
        before, log = path.read_bytes(), beside(path, ".wal").read_bytes()
        kept = guard.checkpoint.__globals__["sync_directory"]
        undo: list[bytes] = []

        def seen(folder: Path) -> None:
            undo.append(beside(path, guard.SUFFIX).read_bytes())
            kept(folder)

        monkeypatch.setattr(guard, "sync_directory", seen)
        store.checkpoint()
    monkeypatch.undo()
    after, said = path.read_bytes(), content_hash(path)
    if how != "complete":  # the power went before the last header was written, in the middle of a block of metadata
        state = bytearray(
            after[: guard.HEADER_BYTES // 3] + before[guard.HEADER_BYTES // 3 : guard.HEADER_BYTES] + after[guard.HEADER_BYTES :]
        )
        blocks = guard.Undo.decoded(undo[0])
        assert blocks is not None
        assert blocks.blocks
        for place, data in blocks.blocks.items():
            state[place + len(data) // 2 : place + len(data)] = bytes(len(data) - len(data) // 2)
        path.write_bytes(state if how == "torn" else before)
        beside(path, ".wal").write_bytes(log)
    beside(path, guard.SUFFIX).write_bytes(undo[0] if how != "damaged" else undo[0][:-1])
    assert content_hash(path) == said
    assert not beside(path, guard.SUFFIX).exists()
    assert verify(path).clean
