"""A counterfactual test from a store: the texts of a pattern, the model of its run, and what stands at the terminal."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from tests.pipeline.conftest import Bench
from workbench.cli import app
from workbench.errors import InputError, PipelineError, StoreError
from workbench.pipeline.counterfactual import counterfactual
from workbench.pipeline.run import run
from workbench.store import Store

WORD = "চোর"


def test_words_of_a_run_are_edited_and_its_model_is_asked_again(bench: Bench) -> None:
    path = bench.folder / "s.duckdb"
    run(bench.pipeline, path)
    with Store.open(path) as store:
        holding = store.sql("SELECT DISTINCT identifier FROM words JOIN documents USING (document) WHERE form = $1", [WORD])
        holding = holding["identifier"].to_list()
        found = counterfactual(store, WORD, draws=2)
        assert found.matching == len(holding)
        assert set(found.found.frame["identifier"]) <= set(holding)
        for row in found.found.frame.iter_rows(named=True):
            stored = "SELECT max(probability) FROM predictions p JOIN documents USING (document) WHERE identifier = $1 AND p.model = 'tiny'"
            assert set(row["edited"].split()) == {WORD}
            assert row["before"] == pytest.approx(store.sql(stored, [row["identifier"]]).item(), abs=1e-5)
        swapped = counterfactual(store, WORD, edit="swap", swap=WORD, draws=2)
        assert swapped.found.fall == pytest.approx(0, abs=1e-7)
        moved = counterfactual(store, "[place>=0.8 & peak>=0.8]", edit="move", draws=2)
        assert 0 < len(moved.found.frame) <= moved.matching
        assert "a fifth of it away" in moved.answer.notices[0]
        shorter = counterfactual(store, "[words>=4 & abs(share)*words<1]", edit="length", words=3, draws=2)
        assert (shorter.found.frame["words_after"] < shorter.found.frame["words_before"]).all()
        assert "words a text on average" in shorter.answer.notices[0]
        with pytest.raises(InputError, match=r"(?s)the model never reads it.*keyness VALUE --by metadata\.source"):
            counterfactual(store, "metadata.source = x")
        with pytest.raises(StoreError, match="no class Weather"):
            counterfactual(store, WORD, label="Weather")
    asked = ["counterfactual", WORD, "--store", str(path), "--draws", "2", "--limit", "0"]
    page = CliRunner().invoke(app, [*asked, "--format", "table"], catch_exceptions=False)
    assert "95 % over documents" in page.stdout
    assert all(cell_len(line) <= 100 for line in page.stdout.splitlines())
    rows = json.loads(CliRunner().invoke(app, [*asked, "--format", "json"], catch_exceptions=False).stdout)
    assert {row["identifier"] for row in rows} == set(found.found.frame["identifier"])
    with Store.open(path, "write") as store:
        store.connection.execute("UPDATE kept.model SET fingerprint = 'other'")
        with pytest.raises(PipelineError, match="other weights"):
            counterfactual(store, WORD)
