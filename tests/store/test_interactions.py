"""Pairs in the store: cells that sum to the similarity, factors that come back to the bit, and damage that is noticed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from workbench.batch import Batch
from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic_pairs, verify


def stored(path: Path) -> Batch:
    batch = synthetic_pairs.pairs(["a", "b", "c"])
    with Store.open(path, "write") as store:
        run = store.begin_run("test", {}, {})
        store.append(batch, run)
        store.append(batch, run)  # a second time changes nothing
        store.end_run(run, "finished", {})
    return batch


def test_cells_and_factors_come_back_as_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = stored(path)
    assert verify(path).clean, verify(path)
    with Store.open(path) as store:
        for table, keys in (("interaction", ["left_kind", "left_word", "right_kind", "right_word"]), ("factor", ["kind", "word"])):
            given = batch[table].with_columns(pl.col("explanation") + 1).sort("explanation", *keys)
            kept = store.sql(f"SELECT * FROM kept.{table}").sort("explanation", *keys)
            assert kept.equals(given)
        pairs = store.sql("FROM pairs ORDER BY identifier")
        assert pairs["judged"].to_list() == [3.5] * 3
        assert pairs["left_role"].to_list() == ["text_a"] * 3
        sums = store.sql(
            "SELECT document, sum(relevance::DOUBLE) AS total, any_value(similarity) AS similarity FROM interactions GROUP BY ALL"
        )
        np.testing.assert_allclose(sums["total"], sums["similarity"], atol=1e-5)
        words = store.sql("SELECT role, sum(relevance::DOUBLE) AS words FROM word_relevance GROUP BY ALL ORDER BY role")
        accounts = store.sql(
            "SELECT role, sum(tokens) AS tokens FROM explanations WHERE role <> 'text_a~text_b' GROUP BY ALL ORDER BY role"
        )
        np.testing.assert_allclose(words["words"], accounts["tokens"], atol=1e-5)


def test_the_product_of_two_stored_factors_is_the_stored_cell(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    stored(path)
    with Store.open(path) as store:
        one = store.sql("SELECT vector FROM factors WHERE document = 1 AND role = 'text_a' AND word = 0")["vector"][0]
        other = store.sql("SELECT vector FROM factors WHERE document = 1 AND role = 'text_b' AND kind = 'bias'")["vector"][0]
        cell = store.sql("SELECT relevance FROM interactions WHERE document = 1 AND left_word = 0 AND right_kind = 'bias'")["relevance"][0]
    product = np.frombuffer(one, "<f2").astype(float) @ np.frombuffer(other, "<f2").astype(float)
    assert product == pytest.approx(cell, rel=1e-6)


def test_an_edited_pair_takes_its_cells_and_factors_along(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    stored(path)
    with Store.open(path, "write") as store:
        store.append(synthetic_pairs.pairs(["b"], version=1), store.begin_run("test", {}, {}))
        for table in ("interaction", "factor"):
            assert len(store.sql(f"SELECT * FROM kept.{table} ANTI JOIN kept.explanation USING (explanation)")) == 0
        assert len(store.sql("SELECT DISTINCT explanation FROM kept.interaction")) == 3
    assert verify(path).clean, verify(path)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE kept.interaction SET relevance = relevance + 0.5 WHERE explanation = 1 AND left_word = 0", "cells"),
        ("UPDATE kept.interaction SET left_upos = 'X' WHERE explanation = 1", "digests"),
        ("UPDATE kept.factor SET vector = '\\x00\\x00'::BLOB WHERE explanation = 2", "digests"),
        ("UPDATE kept.interaction SET explanation = 777 WHERE explanation = 1", "orphans"),
        ("INSERT INTO kept.factor SELECT * FROM kept.factor LIMIT 1", "duplicates"),
        ("DELETE FROM kept.interaction WHERE explanation = 1", "ensembles"),
    ],
)
def test_damage_is_noticed(tmp_path: Path, statement: str, check: str) -> None:
    path = tmp_path / "store.duckdb"
    stored(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
    assert check in {finding.check for finding in verify(path) if finding.status == "error"}


def test_other_cells_are_another_content(tmp_path: Path) -> None:
    hashes = set()
    for table, column in ((None, None), ("interaction", "matched"), ("factor", "vector")):
        batch = synthetic_pairs.pairs(["a"])
        frames = dict(batch.frames)
        if table == "interaction":
            frames[table] = frames[table].with_columns(pl.lit("translation").alias(column))
        elif table == "factor":
            frames[table] = frames[table].with_columns(pl.lit(b"\x00\x00" * 8).alias(column))
        path = tmp_path / f"{table}.duckdb"
        with Store.open(path, "write") as store:
            store.append(Batch(frames), 1)
        hashes.add(content_hash(path))
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("vector", np.array([np.nan] * 8, "<f2").tobytes(), "factors of word 0 that are not finite .document a of pairs"),
        ("precision", "float8", "factors in 'float8'"),
    ],
)
def test_factors_that_cannot_be_kept(tmp_path: Path, column: str, value: object, said: str) -> None:
    batch = synthetic_pairs.pairs(["a"])
    wrong = Batch({**batch.frames, "factor": batch["factor"].with_columns(pl.lit(value).alias(column))})
    with Store.open(tmp_path / "store.duckdb", "write") as store, pytest.raises(StoreError, match=said):
        store.append(wrong, 1)


def test_cells_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    batch = synthetic_pairs.pairs(["a"])
    wrong = batch["interaction"].with_columns(pl.lit(float("nan"), dtype=pl.Float32).alias("relevance"))
    with Store.open(tmp_path / "store.duckdb", "write") as store, pytest.raises(StoreError, match=r"interaction\.relevance is nan"):
        store.append(Batch({**batch.frames, "interaction": wrong}), 1)
