"""The suspects of a report: what is planted comes first with its test, and a model that always says the same has none."""

from __future__ import annotations

from pathlib import Path

from tests.patterns.corpus import store as stored
from tests.queries.shortcut_corpus import texts
from workbench.pipeline.report_suspects import SUSPECTS, suspects
from workbench.store import Store
from workbench.viz.data import COLUMNS

EXPLAINED = "SELECT DISTINCT model, composite FROM explanations"


def shown(store: Store) -> dict[str, str]:
    """The model and composite that the store holds."""
    return {**store.sql(EXPLAINED).row(0, named=True), "corpus": "posts"}


def test_the_planted_tag_comes_first_with_the_command_that_tests_it(tmp_path: Path) -> None:
    with stored(tmp_path / "store.duckdb", texts(1)) as store:
        found, control = suspects(store, shown(store))
    assert found is not None
    assert found.columns == list(COLUMNS["suspects"])
    assert len(found) <= SUSPECTS
    first = found.row(0, named=True)
    assert (first["kind"], first["item"], first["class"], first["passes"]) == ("tag", "@news", "b", True)
    assert first["command"].startswith("workbench counterfactual")
    assert "pass; with answers shuffled within labels" in control


def test_a_model_that_always_says_the_same_has_none_and_the_reason_is_told(tmp_path: Path) -> None:
    with stored(tmp_path / "store.duckdb", [text for text in texts(1) if text.explained == "b"]) as store:
        found, control = suspects(store, shown(store))
    assert found is None
    assert control == "answers of a single class: b"
