"""Runs, models, failures and missing work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl

from workbench.batch import SCHEMAS, Batch
from workbench.store import Store, synthetic, verify
from workbench.store.digest import PARTS


def failure(identifier: str, fingerprint: str, *, retryable: bool) -> Batch:
    row = {
        "corpus": "posts",
        "identifier": identifier,
        "fingerprint": fingerprint,
        "stage": "explain",
        "error": "too long",
        "retryable": retryable,
        "content": "of the text",
    }
    return Batch({"failure": pl.DataFrame([row], schema=dict(SCHEMAS["failure"]))})


def test_runs_count_up_and_the_dead_are_called_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        assert store.begin_run("demo", {"limit": 3}, {"python": "3.11"}) == 1
    with Store.open(path, "write") as store:
        run = store.begin_run("demo", {}, {})
        store.end_run(run, "finished", {"documents": 3})
        rows = store.sql("SELECT run, status, counts ->> 'documents' AS documents FROM runs ORDER BY run").rows()
    assert rows == [(1, "interrupted", None), (2, "finished", "3")]


def test_a_new_store_does_not_mix_with_what_a_deleted_one_left(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["a"]), 1)
    path.unlink()
    for leftover in (".wal", ".new-99"):
        (tmp_path / f"store.duckdb{leftover}").write_bytes(b"left over")
    with Store.open(path, "write") as store:
        assert store.notices == []
        store.append(synthetic.batch(["b"]), 1)
    assert verify(path).clean
    assert {file.name for file in tmp_path.iterdir() if file.name.endswith(".old")} == {
        "store.duckdb.wal.old",
        "store.duckdb.ledger.jsonl.old",
    }
    assert not list(tmp_path.glob("*.new-*"))


def test_hopeless_work_is_not_wanted_again_until_it_succeeds(tmp_path: Path) -> None:
    batch = synthetic.batch(["a"])
    wanted = synthetic.wanted(batch)
    print_of_first = wanted["fingerprint"][0]
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(failure("a", print_of_first, retryable=True), 1)
        assert len(store.missing(wanted)) == 6
        store.append(failure("a", print_of_first, retryable=False), 1)
        assert len(store.missing(wanted)) == 5
        assert len(store.missing(wanted, failed=True)) == 6
        assert store.missing(wanted)["fingerprint"].to_list() == wanted["fingerprint"].to_list()[1:]
        assert len(store.sql("FROM failures")) == 1
        store.append(batch, 1)
        assert len(store.sql("FROM failures")) == 0
        assert store.missing(wanted).is_empty()


def test_an_error_that_passes_is_tried_by_the_next_run_then_after_growing_pauses(tmp_path: Path) -> None:
    wanted = synthetic.wanted(synthetic.batch(["a"]))
    first = failure("a", wanted["fingerprint"][0], retryable=True)
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        for run, minutes in ((1, 0), (2, 1), (3, 4), (9, 16)):
            store.append(first, run)
            store.append(first, run)  # the same news twice counts once
            failed = store.sql("SELECT failed FROM failures")["failed"][0]
            assert store.sql("SELECT again FROM failures")["again"][0] == failed + timedelta(minutes=minutes)
            assert len(store.missing(wanted, now=failed + timedelta(minutes=minutes, seconds=1))) == 6
            if minutes:
                assert len(store.missing(wanted, now=failed + timedelta(minutes=minutes, seconds=-1))) == 5
        for run in range(10, 20):
            store.append(first, run)
        assert store.sql("SELECT again = failed + INTERVAL 1 DAY AS day FROM failures")["day"][0]


def test_failures_of_texts_that_are_no_more_are_cleared(tmp_path: Path) -> None:
    batch = synthetic.batch(["a"])
    unread = failure("a", "", retryable=False)["failure"].with_columns(stage=pl.lit("read"), content=pl.lit(""))
    other = failure("a", "work on an older text", retryable=False)
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(Batch({"failure": pl.concat([unread, other["failure"]])}), 1)
        assert len(store.sql("FROM failures")) == 2
        store.append(batch, 2)
        assert store.sql("FROM failures").is_empty()


def test_equal_texts_are_two_documents(tmp_path: Path) -> None:
    one, two = synthetic.batch(["a"], corpus="first"), synthetic.batch(["a"], corpus="second")
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(one, 1)
        assert len(store.missing(synthetic.wanted(two))) == 6
        assert store.missing(synthetic.wanted(two).drop("corpus", "identifier")).is_empty()
        store.append(two, 1)
        assert store.missing(synthetic.wanted(two)).is_empty()


def test_a_label_that_changes_is_kept_without_new_work(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a", "b"])
    renamed = batch["document"].with_columns(label=pl.lit("religious"))
    with Store.open(path, "write") as store:
        store.append(batch, 1)
        store.append(Batch({**batch.frames, "document": renamed}), 1)
        assert store.sql("SELECT DISTINCT label FROM documents")["label"].to_list() == ["religious"]
        assert store.sql("SELECT count(*) AS n FROM explanations")["n"][0] == 12
    assert verify(path).clean


def test_a_new_answer_to_the_same_question_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a"])
    other = batch["explanation"].with_columns(pl.col("fingerprint").str.reverse())
    with Store.open(path, "write") as store:
        store.append(batch, 1)
        store.append(Batch({**batch.frames, "explanation": other}), 1)
        assert sorted(store.sql("SELECT fingerprint FROM explanations")["fingerprint"]) == sorted(other["fingerprint"])
    assert verify(path).clean


def test_members_stored_alone_join_their_ensemble_later(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a"])
    alone = batch["explanation"].filter(pl.col("model") != "ensemble").with_columns(member_of=pl.lit(None, dtype=pl.Int32))
    with Store.open(path, "write") as store:
        store.append(Batch({**batch.frames, "explanation": alone}), 1)
        assert store.sql("SELECT count(*) AS n FROM word_relevance WHERE model = 'ensemble'")["n"][0] == 0
        store.append(batch, 1)
        assert store.sql("SELECT count(*) AS n FROM explanations WHERE member_of IS NOT NULL")["n"][0] == 4
        assert store.sql("SELECT count(*) AS n FROM word_relevance WHERE model = 'ensemble'")["n"][0] > 0
    assert verify(path).clean


def test_a_registered_model_names_its_tokenizer(tmp_path: Path) -> None:
    batch = synthetic.batch(["a"])
    shared = batch["token"].filter(pl.col("tokenizer") == "first").with_columns(tokenizer=pl.lit("shared"))
    only = batch["explanation"].filter(pl.col("model") == "first").with_columns(member_of=pl.lit(None, dtype=pl.Int32))
    parts = {table: batch[table].join(only.select("explanation"), on="explanation", how="semi") for table in PARTS}
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.register_model("first", "f" * 64, "classifier", {"tokenizer": "shared"})
        store.append(Batch({**batch.frames, "token": shared, "explanation": only, **parts}), 1)
        assert len(store.sql("FROM token_relevance")) == len(parts["token_relevance"])
