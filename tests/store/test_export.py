"""Results leave whole or not at all, and no spreadsheet runs them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from workbench.errors import StoreError
from workbench.store import Store, export, synthetic

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("export") / "store.duckdb", "write") as opened:
        opened.append(synthetic.batch(["a", "b"]), 1)
        yield opened


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_view_a_statement_and_a_frame(store: Store, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"words{ending}"
    expected = store.sql("FROM words")
    read = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson, ".parquet": pl.read_parquet}[ending]
    for question in ("words", "SELECT * FROM words", expected):
        assert export(store, question, target) == len(expected)
        assert read(target)["form"].to_list() == expected["form"].to_list()
    assert [file.name for file in tmp_path.iterdir()] == [target.name]


def test_formulas_are_neutralised_and_numbers_are_not(store: Store, tmp_path: Path) -> None:
    frame = pl.DataFrame({"=evil": FORMULAS, "plain": ["আমি"] * len(FORMULAS), "number": [-1.5] * len(FORMULAS)})
    export(store, frame, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["'=evil", "plain", "number"]
    assert [row[0] for row in rows[1:]] == [f"'{formula}" for formula in FORMULAS]
    assert {(row[1], row[2]) for row in rows[1:]} == {("আমি", "-1.5")}
    export(store, frame, tmp_path / "raw.csv", neutralise=False)
    assert pl.read_csv(tmp_path / "raw.csv")["=evil"].to_list() == FORMULAS


def test_what_cannot_be_exported_leaves_no_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("old")
    lists = pl.DataFrame({"x": [[1, 2]]})
    for question, target in [
        (lists, "old.csv"),
        ("words", "words.xlsx"),
        ("SELECT * FROM nowhere", "none.csv"),
        ("words", "no/such/folder.csv"),
    ]:
        with pytest.raises(StoreError):
            export(store, question, tmp_path / target)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"old.csv": "old"}
