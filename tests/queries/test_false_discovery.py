"""Shuffled corpora through the functions that answer people: hardly ever an alarm, and always one where nothing was shuffled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.patterns.corpus import store as stored
from tests.queries.shortcut_corpus import texts
from workbench.cli import app
from workbench.errors import InputError, StoreError
from workbench.queries import false_discovery as counting
from workbench.queries.false_discovery import SHORTCUTS, Alarms, false_discovery
from workbench.store import content_hash


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shuffled") / "store.duckdb"
    stored(path, texts(1, 100)).close()
    return path


def test_shuffled_corpora_hardly_ever_raise_an_alarm(store: Path) -> None:
    before = content_hash(store)
    found = false_discovery(store, corpora=4, permutations=999)
    assert [alarms.corpora for alarms in found] == [4] * 5
    assert all(min(alarms.tested) >= 1 for alarms in found)
    assert sum(alarms.alarms for alarms in found) <= 4, "five per cent of 20; more than 4 by chance in 3 of 1,000 times"
    assert content_hash(store) == before


def test_a_corpus_that_is_not_shuffled_raises_it(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "replaced", lambda *_: None)
    answers = CliRunner().invoke(
        app, ["evaluate", "false-discovery", "--store", str(store), "--corpora", "1", "--permutations", "999", "--format", "json"]
    )
    assert answers.exit_code == 1
    rows = {row["question"]: row for row in json.loads(answers.stdout)}
    assert rows[SHORTCUTS]["alarms"] == 1
    assert rows["keyness of lemmas, by share"]["alarms"] == 1
    assert rows[SHORTCUTS]["rate_high"] == 1.0


def test_five_per_cent_is_the_bar() -> None:
    found = Alarms("x")
    for number in range(200):
        found.count(3 if number < 10 else 0, 7)
    assert (found.rate, found.met, found.findings) == (0.05, True, 30)
    assert found.row()["rate_low"] == pytest.approx(0.0242, abs=1e-4)
    found.count(1, 7)
    assert not found.met


def test_what_cannot_be_shuffled_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="200 tell 5 %"):
        false_discovery(store, corpora=0)
    one = tmp_path / "one.duckdb"
    stored(one, [text for text in texts(1, 10) if text.words[0].label == "a"]).close()
    with pytest.raises(StoreError, match="whose documents have labels"):
        false_discovery(one)
