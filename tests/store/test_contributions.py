"""Contributions in the store: what a step took sums everywhere, and what a model says anew replaces what it said."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from workbench.errors import StoreError
from workbench.store import Store, content_hash, verify
from workbench.store.synthetic_translations import MODELS, translations

NAMES = [f"s{number:02}" for number in range(12)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with the translations of two systems."""
    target = tmp_path / "s.duckdb"
    with Store.open(target, "write") as store:
        run = store.begin_run("p", {}, {})
        for model in MODELS:
            store.append(translations(NAMES, model=model), run)
        store.end_run(run, "finished", {})
    return target


def test_a_store_of_translations_is_clean(path: Path) -> None:
    findings = verify(path)
    assert findings.clean, str(findings)
    assert any(one.check == "steps" and one.status == "ok" for one in findings)


def test_the_views_tell_what_every_step_took(path: Path) -> None:
    with Store.open(path) as store:
        found = store.sql("SELECT * FROM translations ORDER BY identifier, model")
        assert found["model"].to_list() == list(MODELS) * len(NAMES)
        assert set(found["source_language"]) == {"fr"}
        assert (found["source_share"].to_numpy()[::2] > found["source_share"].to_numpy()[1::2]).mean() > 0.8
        steps = store.sql("SELECT * FROM steps WHERE step = 1 AND model = 'strong'")
        assert len(steps) == len(NAMES)
        assert steps["special"].sum() == 0
        taken = store.sql(
            """SELECT s.explanation, s.step, any_value(s.source + s.prefix) AS said, sum(c.relevance) AS summed
               FROM steps s JOIN contributions c USING (explanation, step) GROUP BY ALL"""
        )
        np.testing.assert_allclose(taken["said"], taken["summed"], atol=1e-5)


def test_words_take_what_their_tokens_take(path: Path) -> None:
    with Store.open(path) as store:
        sums = store.sql(
            """SELECT t.explanation, any_value(t.source + t.prefix) AS tokens, sum(w.relevance) AS words
               FROM translations t JOIN word_contributions w USING (explanation) GROUP BY ALL"""
        )
        np.testing.assert_allclose(sums["tokens"], sums["words"], atol=1e-4)
        best = store.sql(
            """SELECT form, arg_max(other_form, relevance) AS source FROM word_contributions
               WHERE side = 'source' AND kind = 'word' AND generated = 'word' AND model = 'strong' GROUP BY explanation, word, form"""
        )
        assert set(best.filter(best["form"] == "cat")["source"]) == {"chat"}


def test_the_source_has_word_relevance_of_its_own(path: Path) -> None:
    with Store.open(path) as store:
        found = store.sql(
            """SELECT e.tokens, sum(w.relevance) AS words FROM word_relevance w JOIN explanations e USING (explanation)
               WHERE e.role = 'source' GROUP BY e.explanation, e.tokens"""
        )
    assert len(found) == 2 * len(NAMES)
    np.testing.assert_allclose(found["tokens"], found["words"], atol=1e-4)


def test_the_same_translations_change_nothing(path: Path) -> None:
    before = content_hash(path)
    with Store.open(path, "write") as store:
        run = store.begin_run("p", {}, {})
        store.append(translations(NAMES, model=MODELS[1]), run)
        store.end_run(run, "finished", {})
    assert content_hash(path) == before


def test_what_a_model_says_anew_replaces_what_it_said(path: Path, tmp_path: Path) -> None:
    with Store.open(path, "write") as store:
        run = store.begin_run("p", {}, {})
        store.append(translations(NAMES[:5], model="weak", version=1), run)
        store.end_run(run, "finished", {})
        assert store.sql("SELECT count(*) FROM translations").item() == 2 * len(NAMES)
    assert verify(path).clean, str(verify(path))
    other = tmp_path / "other.duckdb"
    with Store.open(other, "write") as store:
        run = store.begin_run("p", {}, {})
        store.append(translations(NAMES[:5], model="weak", version=1), run)
        store.append(translations(NAMES[5:], model="weak"), run)
        store.append(translations(NAMES, model="strong"), run)
        store.end_run(run, "finished", {})
    assert content_hash(other) == content_hash(path)


def test_steps_that_do_not_sum_are_noticed(path: Path) -> None:
    connection = duckdb.connect(str(path))
    connection.execute("UPDATE kept.contribution SET relevance = relevance + 1 WHERE explanation = 1 AND step = 0 AND token = 0")
    connection.close()
    wrong = [one.check for one in verify(path) if one.status == "error"]
    assert "steps" in wrong
    assert "digests" in wrong


def test_a_step_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    batch = translations(["a"])
    frames = dict(batch.frames)
    frames["step"] = frames["step"].with_columns(source=float("nan"))
    with Store.open(tmp_path / "s.duckdb", "write") as store:
        run = store.begin_run("p", {}, {})
        with pytest.raises(StoreError, match="step"):
            store.append(type(batch)(frames), run)
