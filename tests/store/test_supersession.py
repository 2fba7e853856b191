"""What is superseded: other weights under one name, edited texts, other annotators; and what of it is still known word by word."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from workbench.batch import SCHEMAS, Batch
from workbench.store import Store, synthetic, verify
from workbench.store.synthetic import LABELS


def by(weights: str, batch: Batch, label: str) -> Batch:
    """The part of a batch that explains one label, as if computed by other weights."""
    chosen = batch["explanation"].filter(pl.col("label") == label)
    renamed = chosen.with_columns(fingerprint=pl.col("fingerprint") + weights)
    frames = {"explanation": renamed}
    for table, schema in SCHEMAS.items():
        if "explanation" in schema and table != "explanation":
            frames[table] = batch[table].join(chosen.select("explanation"), on="explanation", how="semi")
    return Batch({**batch.frames, **frames})


def registered(store: Store, weights: str) -> None:
    for name in ("first", "second", "ensemble"):
        store.register_model(name, weights * 64, "classifier", {"tokenizer": name}, changed=True)


def test_other_weights_supersede_every_answer_and_the_scores_measured_on_them(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a", "b"])
    score = {"role": "text", "method": "lrp", "ordering": "signed", "metric": "comprehensiveness", "value": 0.5}
    with Store.open(path, "write") as store:
        registered(store, "1")
        first = store.begin_run("test", {}, {})
        store.append(by("old", batch, LABELS[0]), first)
        store.append_scores(pl.DataFrame([{"corpus": "posts", "identifier": name, "model": "ensemble", **score} for name in "ab"]), first)
        said = store.sql("SELECT d.identifier, r.word, r.relevance FROM word_relevance r JOIN documents d USING (document) "
                         "WHERE r.model = 'ensemble' AND d.identifier = 'a' ORDER BY r.kind, r.word")  # fmt: skip
        registered(store, "2")
        second = store.begin_run("test", {}, {})
        store.append(by("new", synthetic.batch(["a"]), LABELS[1]), second)
        kept = store.sql("SELECT d.identifier, e.label, e.weights FROM explanations e JOIN documents d USING (document) "
                         "WHERE e.model = 'ensemble' ORDER BY 1")  # fmt: skip
        assert kept.rows() == [("a", LABELS[1], "2" * 64), ("b", LABELS[0], "1" * 64)]
        assert store.sql("SELECT d.identifier FROM faithfulness JOIN documents d USING (document)")["identifier"].to_list() == ["b"]
        earlier = store.sql("SELECT * FROM earlier_explanations")
        assert earlier.select("identifier", "model", "label", "weights", "made", "gone").rows() == [
            ("a", "ensemble", LABELS[0], "1" * 64, first, second)
        ]
        words = store.sql("SELECT 'a' AS identifier, word, relevance FROM earlier_words ORDER BY kind, word")
        assert words.equals(said)
        assert store.sql("SELECT count(*) AS n FROM kept.earlier_model")["n"][0] == 3
    assert verify(path).clean


def test_an_edited_text_is_still_known_word_by_word(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        first = store.begin_run("test", {}, {})
        store.append(synthetic.batch(["a", "b"]), first)
        before = store.sql("SELECT sum(relevance) AS total FROM word_relevance JOIN documents d USING (document) "
                           "WHERE d.identifier = 'b' AND model = 'ensemble'")["total"][0]  # fmt: skip
        store.append(synthetic.batch(["b"], version=1), store.begin_run("test", {}, {}))
        assert set(store.sql("SELECT DISTINCT identifier FROM earlier_explanations")["identifier"]) == {"b"}
        assert abs(store.sql("SELECT sum(relevance) AS total FROM earlier_words")["total"][0] - before) < 1e-5
    assert verify(path).clean


def test_a_text_says_which_version_of_which_annotator_looked_at_it(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    batch = synthetic.batch(["a", "b"])
    row = {"document": 0, "role": "text", "annotator": "blank", "fingerprint": "1" * 64}
    signed = Batch({**batch.frames, "annotation": pl.DataFrame([row], schema=dict(SCHEMAS["annotation"]))})
    with Store.open(path, "write") as store:
        store.append(signed, 1)
        found = "SELECT d.identifier, a.annotator, a.fingerprint FROM annotations a JOIN documents d USING (document) ORDER BY 1"
        assert store.sql(found).rows() == [("a", "blank", "1" * 64), ("b", "blank", None)]
        other = signed["annotation"].with_columns(fingerprint=pl.lit("2" * 64))
        store.replace_words(Batch({**signed.frames, "annotation": other}), 2)
        assert store.sql(found).rows() == [("a", "blank", "2" * 64), ("b", "blank", None)]
        batches = len(store.sql("FROM batches"))
        store.replace_words(Batch({**signed.frames, "annotation": other}), 3)
        assert len(store.sql("FROM batches")) == batches
    assert verify(path).clean
