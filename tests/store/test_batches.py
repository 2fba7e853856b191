"""What cannot be kept is refused before the transaction begins, and names the document."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from workbench.batch import SCHEMAS, Batch
from workbench.errors import StoreError
from workbench.store import Store, synthetic


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("token_relevance", "relevance"),
        ("explanation", "decoder_inputs"),
        ("layer_relevance", "relevance"),
        ("position_relevance", "relevance"),
        ("component_relevance", "relevance"),
        ("prediction", "logit"),
    ],
)
def test_values_that_are_not_finite(tmp_path: Path, value: float, table: str, column: str) -> None:
    batch = synthetic.batch(["good", "poison"])
    frame = batch[table]
    last = [*frame[column].to_list()[:-1], value]
    wrong = Batch({**batch.frames, table: frame.with_columns(pl.Series(column, last, dtype=frame.schema[column]))})
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        with pytest.raises(StoreError, match=rf"{table}.{column} is (nan|-?inf) \(document poison of posts\)"):
            store.append(wrong, 1)
        assert len(store.sql("SELECT * FROM documents")) == 0
        store.append(batch, 1)


def test_frames_with_wrong_columns() -> None:
    with pytest.raises(StoreError, match="store a batch of score"):
        Batch({"score": pl.DataFrame({"document": [1]})})
    with pytest.raises(StoreError, match="unknown tables: poem"):
        Batch({"poem": pl.DataFrame()})


def altered(table: str, change: str) -> Batch:
    """A batch with one thing wrong."""
    batch = synthetic.batch(["a"])
    frame = batch[table]
    changes = {
        "twice": pl.concat([frame, frame.head(1)]),
        "null": frame.with_columns(pl.lit(None, dtype=pl.String).alias("form")) if table == "word" else frame,
        "dangling": frame.with_columns(pl.lit(77, dtype=pl.Int32).alias(frame.columns[0])),
        "outside": frame.with_columns(pl.lit(10_000, dtype=pl.Int32).alias("char_end")) if table in ("word", "token") else frame,
        "gone": frame.clear(),
        "elsewhere": frame.with_columns(pl.lit("poems").alias("account")) if table == "layer_relevance" else frame,
        "below": frame.with_columns(pl.lit(-2, dtype=pl.Int32).alias("unit")).head(1) if table == "component_relevance" else frame,
        "owner": frame.with_columns(pl.lit(0, dtype=pl.Int32).alias("explanation")).head(1),
    }
    return Batch({**batch.frames, table: changes[change]})


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("word", "twice", "two rows of word"),
        ("token_relevance", "twice", "two rows of token_relevance"),
        ("document", "twice", "two rows of document"),
        ("word", "null", "no value for word.form"),
        ("token_relevance", "dangling", "explanation 77 that is not in the batch"),
        ("component_relevance", "twice", "two rows of component_relevance"),
        ("position_relevance", "twice", "two rows of position_relevance"),
        ("layer_relevance", "dangling", "explanation 77 that is not in the batch"),
        ("layer_relevance", "elsewhere", "layers of poems, which is no account"),
        ("component_relevance", "below", "a component with token 0 and unit -2"),
        ("component_relevance", "owner", "an ensemble's explanation with component relevance of its own"),
        ("segment", "dangling", "document 77 that is not in the batch"),
        ("word", "outside", "span 0–10000"),
        ("token", "gone", "tokens of tokenizer first that are not there"),
    ],
)
def test_batches_that_cannot_be_kept(tmp_path: Path, table: str, change: str, words: str) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        with pytest.raises(StoreError, match=words):
            store.append(altered(table, change), 1)
        assert len(store.sql("SELECT * FROM documents")) == 0


def test_a_name_keeps_its_meaning_and_a_run_must_exist(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.register_model("m", "1" * 64, "classifier", {})
        store.register_model("m", "1" * 64, "classifier", {"tokenizer": "t"})
        with pytest.raises(StoreError, match="give the new model another name"):
            store.register_model("m", "2" * 64, "classifier", {})
        with pytest.raises(StoreError, match="no run 7"):
            store.end_run(7, "finished", {})
        assert store.sql("SELECT name FROM models")["name"].to_list() == ["m"]


def test_score_frames_that_cannot_be_kept(tmp_path: Path) -> None:
    names = [name for name in SCHEMAS["score"] if name != "document"]
    row = ["posts", "a", "text", "first", "lrp", "signed", "comprehensiveness", 0.5]
    good = pl.DataFrame([row], orient="row", schema=["corpus", "identifier", *names])
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        with pytest.raises(StoreError, match="not stored"):
            store.append_scores(good, 1)
        store.append(synthetic.batch(["a"]), 1)
        for wrong, words in (
            (good.drop("metric"), "no column metric"),
            (good.with_columns(value=pl.lit(float("nan"))), "comprehensiveness is nan"),
            (pl.concat([good, good]), "two values"),
        ):
            with pytest.raises(StoreError, match=words):
                store.append_scores(wrong, 1)
        store.append_scores(good, 1)
        before = store.sql("FROM batches")
        store.append_scores(good, 1)
        assert store.sql("FROM batches").equals(before)
        store.append_scores(good.with_columns(value=pl.lit(0.75)), 1)
        assert store.sql("SELECT value FROM faithfulness")["value"].to_list() == [0.75]
