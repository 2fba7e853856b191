"""Writing once is writing once: what is stored stays, what is newer replaces."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from workbench.batch import Batch
from workbench.store import Store, content_hash, synthetic
from workbench.store.digest import PARTS

#: Parts that explanations of single texts have.
SINGLE = [table for table in PARTS if table not in ("interaction", "factor", "step", "contribution")]


def wanted(batch: synthetic.Batch) -> pl.DataFrame:
    return synthetic.wanted(batch)


def test_a_batch_stored_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a", "b", "c"])
    with Store.open(path, "write") as store:
        run = store.begin_run("test", {}, {})
        assert len(store.missing(wanted(batch))) == 18
        store.append(batch, run)
        before = store.sql("SELECT * FROM batches")
        store.append(batch, run)
        assert store.sql("SELECT * FROM batches").equals(before)
        assert len(store.missing(wanted(batch))) == 0
        assert store.stored_documents("posts")["identifier"].to_list() == ["a", "b", "c"]


def test_an_edited_document_supersedes_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        run = store.begin_run("test", {}, {})
        store.append(synthetic.batch(["a", "b", "c"]), run)
        kept = store.sql("SELECT * FROM documents WHERE identifier <> 'b' ORDER BY document")
        edited = synthetic.batch(["b"], version=1)
        assert len(store.missing(wanted(edited))) == 6
        store.append(edited, run)
        assert store.sql("SELECT * FROM documents WHERE identifier <> 'b' ORDER BY document").equals(kept)
        texts = store.sql("SELECT text FROM documents WHERE identifier = 'b'")["text"].to_list()
        assert texts == edited["segment"]["text"].to_list()
        for table in SINGLE:
            assert len(store.sql(f"SELECT * FROM kept.{table} ANTI JOIN kept.explanation USING (explanation)")) == 0
            assert len(store.sql(f"SELECT DISTINCT explanation FROM kept.{table}")) == 12


def test_what_an_explanation_is_made_of_comes_back_as_it_was_given(tmp_path: Path) -> None:
    batch = synthetic.batch(["a", "b"])
    views = {"layer_relevance": "layer_relevance", "position_relevance": "position_layers", "component_relevance": "component_relevance"}
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch, 1)
        for table, view in views.items():
            given = batch[table].with_columns(pl.col("explanation") + 1)  # the store counts from 1
            columns, keys = PARTS[table]
            kept = store.sql(f"SELECT explanation, {', '.join(columns)} FROM {view} ORDER BY explanation, {', '.join(columns[:keys])}")
            assert kept.equals(given.sort("explanation", *columns[:keys]))
            assert set(store.sql(f"SELECT DISTINCT model FROM {view}")["model"]) == set(synthetic.MODELS)


def test_other_components_are_another_content(tmp_path: Path) -> None:
    batch = synthetic.batch(["a"])
    hashes = set()
    for table in (None, *SINGLE):
        path = tmp_path / f"{table}.duckdb"
        frames = dict(batch.frames)
        if table is not None:
            frames[table] = frames[table].with_columns(pl.col("relevance") + 0.5)
        with Store.open(path, "write") as store:
            store.append(Batch(frames), 1)
        hashes.add(content_hash(path))
    assert len(hashes) == 5


def test_the_content_hash_knows_no_order(tmp_path: Path) -> None:
    first, second = tmp_path / "first.duckdb", tmp_path / "second.duckdb"
    with Store.open(first, "write") as store:
        store.append(synthetic.batch(["a", "b", "c", "d"]), 1)
    with Store.open(second, "write") as store:
        store.append(synthetic.batch(["d", "b"], version=7), 1)
        store.append(synthetic.batch(["c"]), 1)
        store.append(synthetic.batch(["d", "b"]), 1)
        assert content_hash_differs(first, second, store)
        store.append(synthetic.batch(["a"]), 2)
    assert content_hash(first) == content_hash(second)


def content_hash_differs(first: Path, second: Path, store: Store) -> bool:
    from workbench.store.content import hash_of_content

    return content_hash(first) != hash_of_content(store.connection)
