"""What a long run leaves behind: the store written once more where that is quickly done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.conftest import Bench
from workbench.errors import StoreError
from workbench.pipeline import order
from workbench.pipeline.order import put_in_order
from workbench.pipeline.run import run
from workbench.pipeline.worker import Progress
from workbench.store import content_hash, verify


def test_a_long_run_ends_with_the_store_written_once_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.folder / "s.duckdb"
    found = {}

    def looked_at(store: Path, told: Progress) -> list[str]:
        found["before"], found["file"] = content_hash(store), store.stat().st_ino
        return put_in_order(store, told)

    monkeypatch.setattr("workbench.pipeline.run.worth", lambda *_: True)
    monkeypatch.setattr("workbench.pipeline.run.put_in_order", looked_at)
    summary = run(bench.pipeline, path)
    assert (list(summary.stages)[-1], summary.notices) == ("compact", [])
    assert content_hash(path) == found["before"]
    assert path.stat().st_ino != found["file"]
    assert verify(path).clean


def test_it_is_worth_a_fiftieth_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_bytes(bytes(order.SPEED))
    assert order.worth(path, 2, 50.0)
    assert not order.worth(path, 2, 49.0)
    assert not order.worth(path, 1, 50.0)


def test_what_cannot_be_put_in_order_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("compact", "no space left to write", "free space")

    monkeypatch.setattr(order, "compact", full)
    (notice,) = order.put_in_order(tmp_path / "s.duckdb", lambda *_: None)
    assert notice.endswith("no space left to write")
