"""Every study runs from top to bottom in a notebook's shell, everything that it shows is drawn, and what it says in words holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.shell import FOLDER, run_study


def study(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everything that a study leaves behind."""
    monkeypatch.setenv("WORKBENCH_STUDY", str(tmp_path))
    left, shown = run_study(name)
    assert any("image/svg+xml" in output for output in shown), "no chart was drawn"
    return left


def test_bengali_hate_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("bengali_hate_speech", tmp_path, monkeypatch)
    assert found["summary"].explained == 48
    assert found["post"].ledger.relative_gap < 1e-4
    assert abs(found["by_part_of_speech"]["share"].sum() - 1) < 1e-9
    assert len(found["terms"]) > 4
    best = found["faithfulness"].sort("mean", descending=True)["method"].to_list()
    assert best.index("attnlrp") < best.index("random")


def test_similarity_of_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("similarity_of_sentences", tmp_path, monkeypatch)
    assert found["summary"].explained == 858
    assert found["trust"]["largest_gap"][0] < 1e-4
    assert abs(found["by_part_of_speech"]["share"].sum() - 1) < 1e-6
    assert set(found["matches"]["match"].cast(str)) == {"identical", "lemma", "translation", "other"}
    shown = found["pair"]
    assert abs(shown.cells["relevance"].sum() - shown.similarity) < 1e-4
    words = dict(zip(shown.right_words["word"], shown.right_words["form"], strict=True))
    best = shown.cells.filter(left_kind="word", right_kind="word", left_form="museum").sort("relevance", descending=True)
    assert words[best["right_word"][0]] == "Museum"


def test_source_and_target_contributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("source_and_target_contributions", tmp_path, monkeypatch)
    assert found["trust"]["translations"][0] == 24 * 3 * 2 + 24 * 2
    assert found["trust"]["largest_gap"][0] < 1e-4
    assert " ".join(found["sentence"].steps["form"][:3]) == "Two children are"
    shares = dict(found["levels"].select("model", "mean").iter_rows())
    given = dict(found["on_references"].select("model", "mean").iter_rows())
    tenth, more, every = "translation-fr-en-tenth", "translation-fr-en-backtranslated", "translation-fr-en"
    for means in (shares, given):
        assert means[tenth] + 0.1 < means[more] < means[every] - 0.1
    apart = found["difference"].filter(measure="source_share").row(0, named=True)
    assert apart["low"] > 0.3
    assert set(found["levels"]["group"]) == {"195,930 pairs", "19,708 pairs", "19,708 pairs + 131,127 back-translated"}
    unrelated, own = (found[name].steps["source_share"][1:].mean() for name in ("unrelated", "sentence"))
    assert unrelated < own
    assert not set(found["signs"]["model"]) & {every}


def test_every_study_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {
        "bengali_hate_speech", "similarity_of_sentences", "source_and_target_contributions"
    }  # fmt: skip
