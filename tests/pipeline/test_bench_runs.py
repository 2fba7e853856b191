"""What the benches of whole runs ask for and how they judge; the runs themselves are those of other tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import PipelineError
from workbench.pipeline.bench import cluster as cluster_bench
from workbench.pipeline.bench.cluster import cluster
from workbench.pipeline.bench.incremental import incremental
from workbench.pipeline.bench.workplace import Workplace, posts


def test_no_text_comes_twice() -> None:
    texts = posts(1000, 3)
    assert len(set(texts.values())) == 1000
    assert posts(300)["00000007"] == posts(20)["00000007"]


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no file"):
        Workplace(tmp_path, "bengali-hate").command("verify", str(tmp_path / "no.duckdb"))


def test_incremental_edits_and_adds_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, str] = {}

    def command(self: Workplace, name: str, *_: str) -> tuple[float, dict[str, Any]]:
        now = {row["id"]: row["text"] for row in map(json.loads, self.texts.read_text("utf-8").splitlines())}
        missing = sum(known.get(key) != text for key, text in now.items())
        if name == "plan":
            return 1.0, {"missing": missing}
        known.update(now)
        return 4.0, {"explained": missing, "failed": 0, "reannotated": 0, "stages": {"read": 0.5, "plan": 1.0}}

    monkeypatch.setattr(Workplace, "command", command)
    found = list(incremental("m", 95, 10, repetitions=1))
    assert [(finding.value, finding.met) for finding in found] == [
        (4.0, None), (4.0, False), (1.0, True), (1.0, True), (4.0, None), (1.5, True), (20.0, True),
    ]  # fmt: skip
    assert "20 missing" in found[3].what


@pytest.mark.parametrize(("seconds", "met"), [((10.0, 5.5, 6.0), (None, True, True)), ((10.0, 7.0, 9.0), (None, False, False))])
def test_cluster_judges_ratios_of_whole_runs(monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], met: tuple[bool, ...]) -> None:
    asked: list[tuple[str, ...]] = []

    def run(_self: Workplace, _store: Path, *options: str) -> tuple[float, dict[str, Any]]:
        asked.append(options)
        return seconds[len(asked) - 1], {"tokens": 100}

    monkeypatch.setattr(Workplace, "run", run)
    monkeypatch.setattr(cluster_bench, "content_hash", lambda _: "same")
    found = list(cluster("m", 10))
    assert tuple(finding.met for finding in found) == met
    assert found[1].value == seconds[0] / seconds[1]
    assert asked[2] == ("--executor", "ray", "--workers", "2")
    turned = iter((10.0, 5.0, 6.0, 6.0, 4.0, 12.0))  # the second round begins with the last way

    monkeypatch.setattr(Workplace, "run", lambda *_: (next(turned), {"tokens": 100}))
    assert [finding.value for finding in cluster("m", 10, rounds=2)] == [1.0, 2.5, 1.35]
    monkeypatch.setattr(Workplace, "run", run)
    monkeypatch.setattr(cluster_bench, "content_hash", str)
    asked.clear()
    with pytest.raises(PipelineError, match="different things"):
        list(cluster("m", 10))
