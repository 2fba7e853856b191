"""Batches made ready elsewhere: the store says the same of them, whatever it has of their documents already."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from workbench.batch import SCHEMAS, Batch, joined
from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic, verify
from workbench.store.prepared import Preparation, Prepared

NAMES = [f"document-{number}" for number in range(6)]


def stored(path: Path, batches: list[Batch | Prepared]) -> str:
    """The content hash of a store that was given these batches."""
    with Store.open(path, "write") as store:
        run = store.begin_run("test", {}, {})
        for batch in batches:
            store.append(batch, run)
        store.end_run(run, "finished", {})
    assert verify(path).clean
    return content_hash(path)


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    return Preparation()


def test_a_prepared_batch_is_stored_as_the_batch_would_be(tmp_path: Path, preparation: Preparation) -> None:
    """New documents, documents that are known, edited ones, and words of another annotator."""
    batches = [
        synthetic.batch(NAMES[:3]),
        synthetic.batch(NAMES[2:5]),
        synthetic.batch(NAMES[1:2], version=1),
        synthetic.batch(NAMES, version=1, annotator="second"),
    ]
    plain = stored(tmp_path / "plain.duckdb", list(batches))
    assert stored(tmp_path / "prepared.duckdb", [preparation.prepare(batch) for batch in batches]) == plain
    assert stored(tmp_path / "mixed.duckdb", [batches[0], preparation.prepare(batches[1]), *batches[2:]]) == plain


def test_a_prepared_batch_is_still_the_batch(preparation: Preparation) -> None:
    batch = synthetic.batch(NAMES[:2])
    again = preparation.prepare(batch).batch()
    for table in ("token", "word", "segment", "prediction", "token_relevance", "component_relevance"):
        moved = again[table].with_columns(pl.col(name) - 1 for name in ("document", "explanation") if name in again[table].columns)
        assert moved.sort(pl.all()).equals(batch[table].sort(pl.all())), table
    assert set(again.frames) - {"annotation"} == {table for table in SCHEMAS if len(batch[table])}  # who found the words is told by them


def test_batches_joined_are_one(tmp_path: Path) -> None:
    parts = [synthetic.batch(NAMES[:2]), synthetic.batch(NAMES[2:3]), synthetic.batch(NAMES[3:])]
    assert stored(tmp_path / "parts.duckdb", list(parts)) == stored(tmp_path / "whole.duckdb", [joined(parts)])


def test_failures_are_settled_by_the_explanation_that_comes(tmp_path: Path, preparation: Preparation) -> None:
    batch = synthetic.batch(NAMES[:1])
    row = dict.fromkeys(SCHEMAS["failure"], "x") | {
        "corpus": "posts", "identifier": NAMES[0], "fingerprint": batch["explanation"]["fingerprint"][0], "retryable": True,
    }  # fmt: skip
    failure = Batch({"failure": pl.DataFrame([row], schema=dict(SCHEMAS["failure"]))})
    with Store.open(tmp_path / "s.duckdb", "write") as store:
        run = store.begin_run("test", {}, {})
        store.append(preparation.prepare(failure), run)
        assert len(store.sql("FROM failures")) == 1
        store.append(preparation.prepare(batch), run)
        assert len(store.sql("FROM failures")) == 0


def test_what_no_store_would_take_is_refused_where_it_is_made(preparation: Preparation) -> None:
    batch = synthetic.batch(NAMES[:1])
    poisoned = batch["token_relevance"].with_columns(pl.lit(float("nan"), pl.Float32).alias("relevance"))
    with pytest.raises(StoreError, match=NAMES[0]):
        preparation.prepare(Batch({**batch.frames, "token_relevance": poisoned}))
    assert preparation.prepare(batch).frames  # and the scratch store goes on


def test_rows_of_another_schema_are_refused(tmp_path: Path, preparation: Preparation) -> None:
    older = dataclasses.replace(preparation.prepare(synthetic.batch(NAMES[:1])), schema=1)
    with Store.open(tmp_path / "s.duckdb", "write") as store, pytest.raises(StoreError, match="schema version 1"):
        store.append(older, store.begin_run("test", {}, {}))
