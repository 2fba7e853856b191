"""`workbench compare` at the terminal, for other programs, and as a gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.errors import StoreError
from workbench.store import Store, synthetic


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(10)]), opened.begin_run("one", {}, {}))
    return path


def compared(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare", *arguments, "--store", str(store)], catch_exceptions=False)


def test_a_person_sees_agreement_words_and_how_far_to_trust_them(store: Path) -> None:
    answer = compared(store, "first", "second", "--format", "table")
    assert answer.exit_code == 0
    assert all(cell_len(line) <= 100 for line in answer.output.splitlines())
    for said in ("first by attnlrp.v1 → second by attnlrp.v1", "spearman", "words whose relevance changed most", "words that change sides"):
        assert said in answer.output
    assert answer.output.count("association, not cause") == 2


def test_parts_are_written_for_other_programs(store: Path) -> None:
    rows = json.loads(compared(store, "first", "second", "--what", "documents", "--format", "json", "--limit", "0").stdout)
    assert len(rows) == 20
    assert {"moved", "spearman", "first_target_value"} <= set(rows[0])
    by_default = compared(store, "first", "second", "--limit", "2")
    assert by_default.stdout.splitlines()[0].startswith("term,first,second,difference,low,high")
    assert len(by_default.stdout.splitlines()) == 3
    assert "2 of" in by_default.stderr


def test_the_sql_is_complete_in_itself(store: Path) -> None:
    statement = compared(store, "model=first", "model=second", "--sql").stdout
    with Store.open(store, "read") as opened:
        assert len(opened.sql(statement)) == len(opened.sql("FROM word_relevance WHERE model = 'first' AND kind = 'word'"))


def test_a_row_leads_to_its_words(store: Path) -> None:
    assert "documents" in compared(store, "first", "second", "--row", "1").output


def test_the_gate_closes_below_its_bar(store: Path, tmp_path: Path) -> None:
    same = tmp_path / "copy.duckdb"
    same.write_bytes(store.read_bytes())
    assert compared(store, "model=first", f"store={same},model=first", "--fail-below", "0.99").exit_code == 0
    closed = compared(store, "first", "second", "--fail-below", "0.99")
    assert closed.exit_code == 1
    assert "below 0.99" in closed.stderr


def test_a_side_that_is_not_there_is_refused(store: Path) -> None:
    with pytest.raises(StoreError, match="no model or composite third"):
        compared(store, "first", "third")
