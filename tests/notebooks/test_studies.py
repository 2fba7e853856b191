"""Every study runs from top to bottom, and its numbers hold together."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

STUDIES = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_study_runs(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_STUDY", str(tmp_path))
    found = runpy.run_path(str(study))
    assert found["summary"].explained == 48
    assert found["post"].ledger.relative_gap < 1e-4
    assert abs(found["by_part_of_speech"]["share"].sum() - 1) < 1e-9
    assert len(found["terms"]) > 4
    best = found["faithfulness"].sort("mean", descending=True)["method"].to_list()
    assert best.index("attnlrp") < best.index("random")


def test_there_are_studies() -> None:
    assert STUDIES
