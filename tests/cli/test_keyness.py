"""Keyness and collocates at the terminal: a page that fits, numbers for programs, charts, SQL, and where a row leads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from tests.queries import keyness_corpus
from workbench.cli import app
from workbench.cli.counting import conditions
from workbench.errors import InputError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "store.duckdb"
    keyness_corpus.store(path, keyness_corpus.texts(1, 30)).close()
    return path


def run(*arguments: str | Path) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return str(answer.stdout)


def test_keyness_is_a_page_for_people_and_rows_for_programs(store: Path, tmp_path: Path) -> None:
    asked = ("keyness", "a", "--store", store, "--permutations", "199", "--limit", "2")
    page = run(*asked, "--side", "both", "--format", "table", "--chart", tmp_path / "chart.html")
    assert all(cell_len(line) <= 100 for line in page.splitlines())
    assert "with shuffled labels" in page
    assert "trust: " in page
    assert "zap" in page
    assert '"zap"' in (tmp_path / "chart.html").read_text("utf-8")
    rows = json.loads(run(*asked, "--where", "split=train", "--format", "json"))
    assert len(rows) == 2
    assert {"item", "lift", "log_ratio_low", "null_high", "q_value", "simple_maths", "log_likelihood"} <= set(rows[0])
    assert "per_document" in run(*asked, "--sql")
    assert "workbench find" in run("keyness", "a", "--store", store, "--permutations", "199", "--row", "1")


def test_collocates_are_a_page_and_a_chart(store: Path, tmp_path: Path) -> None:
    asked = ("collocates", "zap", "--store", store, "--permutations", "199", "--controls", "2", "--side", "both")
    page = run(*asked, "--minimum-documents", "2", "--format", "table", "--chart", tmp_path / "chart.html")
    assert all(cell_len(line) <= 100 for line in page.splitlines())
    assert "around random nodes" in page
    assert "logDice" in page
    assert (tmp_path / "chart.html").is_file()
    assert "node_hit" in run(*asked, "--sql")


def test_a_condition_needs_a_value() -> None:
    assert conditions(["split=test", "split=train", "label=a=b"]) == {"split": ["test", "train"], "label": ["a=b"]}
    with pytest.raises(InputError, match="--where attribute=value"):
        conditions(["split"])
