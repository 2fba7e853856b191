"""The generated store, the questions that are timed on it against plain computations, and the command that times them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import InputError, WorkbenchError
from workbench.pipeline.bench.queries import queries
from workbench.queries import query, speed, trust
from workbench.store import Store
from workbench.store.generated import generate

ROWS = 30_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "generated.duckdb"
    stages = list(generate(path, ROWS))
    assert {"words", "tokens", "word relevance", "interactions"} <= set(stages)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return path


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def words(store: Store) -> pl.DataFrame:
    return store.sql("SELECT document, lemma, upos, relevance::DOUBLE AS relevance FROM word_relevance")


def test_the_generated_store_has_the_rows_and_words_that_its_texts_have(store: Store) -> None:
    for view in ("word_relevance", "token_relevance", "words", "tokens", "interactions"):
        assert store.sql(f"SELECT count(*) AS n FROM {view}")["n"][0] == ROWS
    placed = store.sql(
        "SELECT form, substring(text, char_start + 1, char_end - char_start) AS cut FROM words JOIN documents USING (document)"
    )
    assert placed["form"].equals(placed["cut"])
    assert (trust(store).tokens, trust(store).documents) == (ROWS, ROWS // 50)
    with pytest.raises(InputError, match="a file of that name"):
        next(generate(store.path, ROWS))


@pytest.mark.parametrize("minimum", [1, 3, 70, 150])
def test_top_terms_with_exact_documents(store: Store, words: pl.DataFrame, minimum: int) -> None:
    """Documents are counted by marks where they decide (of 600 documents 64 marks), else one by one."""
    counted = (
        words.filter(pl.col("upos") != "PUNCT")
        .group_by("lemma")
        .agg(pl.col("relevance").mean().alias("mean"), pl.len().alias("occurrences"), pl.col("document").n_unique().alias("documents"))
        .filter(pl.col("documents") >= minimum)
    )
    answer = query(store, "top_terms", minimum_documents=minimum, limit=7, resamples=0)
    for side, best in (("for", counted.filter(pl.col("mean") > 0).sort("mean", "lemma", descending=[True, False])),
                       ("against", counted.filter(pl.col("mean") < 0).sort("mean", "lemma"))):  # fmt: skip
        mine = answer.filter(side=side)
        assert mine["term"].to_list() == best["lemma"].to_list()[:7]
        assert mine["documents"].to_list() == best["documents"].to_list()[:7]
        assert mine["occurrences"].to_list() == best["occurrences"].to_list()[:7]
        assert np.allclose(mine["mean"], best["mean"][:7])


def test_relevance_by_upos(store: Store, words: pl.DataFrame) -> None:
    expected = words.group_by("upos").agg(
        pl.col("relevance").mean().alias("mean"),
        pl.col("relevance").abs().sum().alias("size"),
        pl.col("document").n_unique().alias("documents"),
        pl.len().alias("occurrences"),
    )
    both = query(store, "relevance_by_upos").join(expected, on="upos")
    assert len(both) == len(expected)
    assert np.allclose(both["mean"], both["mean_right"])
    assert np.allclose(both["share"], both["size"] / both["size"].sum())
    assert both["documents"].equals(both["documents_right"].cast(both["documents"].dtype), check_names=False)


def test_every_question_that_is_timed_has_an_answer(store: Store) -> None:
    found = list(speed.measured(store, 1, beside=True))
    assert [row["question"] for row in found if row["barred"]] == list(speed.QUESTIONS)
    assert all(row["wall"] > 0 for row in found)
    for ask in speed.QUESTIONS.values():
        assert len(ask(store)) > 0


def test_the_command_times_five_questions_and_memory(path: Path) -> None:
    run = CliRunner().invoke(app, ["bench", "queries", "--store", str(path), "--repetitions", "1", "--strict", "--json"])
    assert run.exit_code == 0, run.output
    rows = json.loads(run.stdout)
    assert sum(row["bar"] == "≤ 2" and row["met"] == "yes" for row in rows) == 5
    assert rows[-1]["met"] == "yes"
    assert f"{ROWS:,} token rows" in rows[-1]["shape"]


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "no.duckdb").write_text("no store")
    with pytest.raises(WorkbenchError, match="do:"):
        list(queries(tmp_path / "no.duckdb"))
