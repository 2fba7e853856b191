"""Similarities from corpus to store: cells that sum to what the model says, once a text, and every refusal recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from sentence_transformers import SentenceTransformer

from tests.pipeline import tiny_pairs
from workbench.attribution.factors import factors
from workbench.attribution.words import unit_factors
from workbench.errors import PipelineError
from workbench.interaction import interactions, unit_interactions
from workbench.models.encode import encode
from workbench.models.encoder import load_encoder
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.forecast import forecast
from workbench.pipeline.run import run
from workbench.pipeline.similarity import work as similarity_work
from workbench.pipeline.similarity.matching import matched
from workbench.pipeline.similarity.retrieval import windows
from workbench.store import Store, content_hash, verify


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder saved once."""
    return tiny_pairs.save_encoder(tmp_path_factory.mktemp("encoders"))


@pytest.fixture
def pipeline(tmp_path: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Twelve pairs, explained five at a time."""
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny_pairs.save_pairs(tmp_path / "corpora", tiny_pairs.pairs(12))))
    return declared(encoder_folder)


def declared(encoder: Path, corpus: str = "tiny-pairs", **more: Any) -> Pipeline:
    base: dict[str, Any] = {
        "name": "tiny", "corpus": {"name": corpus}, "model": {"name": str(encoder)}, "similarity": {}, "batch": 5,
        "annotation": {"pipeline": "blank:en"},
    }  # fmt: skip
    return Pipeline.model_validate(base | more)


@pytest.mark.parametrize("composite", ["bilrp.v1", "attnlrp.v1"])
@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_cells_sum_to_the_models_own_similarity(pipeline: Pipeline, tmp_path: Path, composite: str, measure: str) -> None:
    path = tmp_path / "s.duckdb"
    chosen = pipeline.model_copy(update={"similarity": pipeline.similarity.model_copy(update={"composite": composite, "measure": measure})})
    assert run(chosen, path).explained == 12
    assert verify(path).clean, verify(path)
    own = SentenceTransformer(pipeline.model.name, device="cpu")
    with Store.open(path) as store:
        cells = store.sql("SELECT document, any_value(similarity) AS said, sum(relevance::DOUBLE) AS cells FROM interactions GROUP BY ALL")
        for document, said, total in cells.iter_rows():
            texts = store.sql("SELECT text FROM segments WHERE document = ? ORDER BY role", [document])["text"].to_list()
            left, right = own.encode(texts).astype(np.float64)
            assert said == pytest.approx(left @ right, abs=1e-6)
            assert total == pytest.approx(said, abs=1e-5)
        worst = store.sql("SELECT max(relative_gap) AS gap FROM explanations")["gap"][0]
        assert worst < 1e-5
        assert store.sql("SELECT max(value) AS gap FROM kept.score WHERE metric = 'embedding_gap'")["gap"][0] < 1e-5


def test_rows_and_columns_are_the_words_of_either_text(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    run(pipeline, path)
    with Store.open(path) as store:
        for role, side in (("text_a", "left"), ("text_b", "right")):
            of_words = f"FROM interactions SELECT document, {side}_word AS word, relevance::DOUBLE AS cell WHERE {side}_kind = 'word'"
            sums = store.sql(f"SELECT document, word, sum(cell) AS cells FROM ({of_words}) GROUP BY ALL")
            words = store.sql("SELECT document, word, relevance FROM word_relevance WHERE role = ? AND kind = 'word'", [role])
            both = sums.join(words, on=["document", "word"], how="full", coalesce=True)
            assert both.null_count().sum_horizontal()[0] == 0
            np.testing.assert_allclose(both["cells"], both["relevance"], atol=1e-5)


def test_a_cell_is_the_sum_over_the_tokens_of_both_words(encoder_folder: Path) -> None:
    encoder = load_encoder(str(encoder_folder))
    from workbench.annotation.annotator import annotator

    texts = ["the heart beats slowly", "a drug does not stop ."]
    encodings = [encode(encoder.tokenizer, text, encoder.window) for text in texts]
    left, right = factors(encoder.module, encodings)
    words = annotator("blank:en").annotate(texts)
    units = [unit_factors(one, encoding, of_text) for one, encoding, of_text in zip((left, right), encodings, words, strict=True)]
    by_unit, by_token = unit_interactions(*units), interactions(left, right)
    assert units[0].kinds == ("word",) * 4 + ("special", "positions", "bias")
    np.testing.assert_allclose(by_unit[:4, :6], by_token[1:5, 1:7], atol=1e-6)  # one token a word, between [CLS] and [SEP]
    assert by_unit[4, 6] == pytest.approx(by_token[[0, 5]][:, [0, 7]].sum(), abs=1e-6)  # special tokens with special tokens
    assert by_unit.sum() == pytest.approx(by_token.sum(), abs=1e-6)


def test_a_text_is_propagated_once_whatever_pairs_it_stands_in(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    own = similarity_work.factors

    def counting(module: Any, encodings: Any, rules: Any, **options: Any) -> Any:
        asked.append(len(encodings))
        return own(module, encodings, rules, **options)

    monkeypatch.setattr(similarity_work, "factors", counting)
    run(pipeline.model_copy(update={"batch": 12}), tmp_path / "s.duckdb")
    texts = {text for row in tiny_pairs.pairs(12) for name, text in row.items() if name != "identifier"}
    assert asked == [len(texts)]


def test_nothing_is_done_twice_and_an_edited_pair_is_one_pair_of_work(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    run(pipeline, path)
    content = content_hash(path)
    assert (again := run(pipeline, path)).explained == 0
    assert again.stored == 12
    assert content_hash(path) == content
    rows = tiny_pairs.pairs(12)
    rows[4]["text_b"] = "a drug lowers the pressure"
    tiny_pairs.save_pairs(tmp_path / "corpora", rows)
    assert forecast(pipeline, path).plan.reasons == {"edited": 1}
    assert run(pipeline, path).explained == 1
    fresh = tmp_path / "fresh.duckdb"
    run(pipeline, fresh)
    with Store.open(path) as one, Store.open(fresh) as other:
        statement = "SELECT identifier, similarity FROM pairs ORDER BY identifier"
        np.testing.assert_allclose(one.sql(statement)["similarity"], other.sql(statement)["similarity"], atol=1e-6)
    other_words = pipeline.model_copy(update={"annotation": pipeline.annotation.model_copy(update={"pipeline": "blank:xx"})})
    assert forecast(other_words, path).plan.reasons == {"annotator or settings changed": 12}  # words are what the cells stand for


def test_the_strongest_cells_and_the_sum_of_the_others(pipeline: Pipeline, tmp_path: Path) -> None:
    every, few = tmp_path / "every.duckdb", tmp_path / "few.duckdb"
    run(pipeline, every)
    run(pipeline.model_copy(update={"similarity": pipeline.similarity.model_copy(update={"strongest": 3, "factors": "none"})}), few)
    assert verify(few).clean
    with Store.open(every) as one, Store.open(few) as other:
        assert other.sql("SELECT count(*) AS n FROM factors")["n"][0] == 0
        for (document,) in other.sql("SELECT DISTINCT document FROM pairs").iter_rows():
            whole = one.sql("SELECT relevance FROM interactions WHERE document = ?", [document])["relevance"].to_numpy()
            kept = other.sql("SELECT relevance FROM interactions WHERE document = ? AND left_kind <> 'rest'", [document])["relevance"]
            rest = other.sql("SELECT relevance FROM interactions WHERE document = ? AND left_kind = 'rest'", [document])["relevance"]
            np.testing.assert_allclose(np.sort(np.abs(kept)), np.sort(np.abs(whole))[-3:], rtol=1e-6)
            assert rest[0] == pytest.approx(whole.sum() - kept.sum(), abs=1e-5)


def test_streams_in_bfloat16_are_near_and_say_what_they_are(pipeline: Pipeline, tmp_path: Path) -> None:
    exact, rough = tmp_path / "exact.duckdb", tmp_path / "rough.duckdb"
    run(pipeline, exact)
    half = pipeline.model_copy(update={"similarity": pipeline.similarity.model_copy(update={"streams": "bfloat16"})})
    assert run(half, rough).open_ledgers == 0
    assert verify(rough).clean
    with Store.open(exact) as one, Store.open(rough) as other:
        assert other.sql("SELECT DISTINCT precision FROM explanations")["precision"].to_list() == ["bfloat16"]
        statement = "SELECT similarity FROM pairs ORDER BY identifier"
        np.testing.assert_allclose(one.sql(statement)["similarity"], other.sql(statement)["similarity"], atol=1e-5)
        order = "ORDER BY document, left_kind, left_word, right_kind, right_word"
        cells = [store.sql(f"SELECT relevance FROM interactions {order}")["relevance"].to_numpy() for store in (one, other)]
        np.testing.assert_allclose(cells[1], cells[0], atol=0.05 * np.abs(cells[0]).max())
        assert not np.array_equal(*cells)


def test_what_fails_is_recorded_and_the_run_goes_on(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tiny_pairs.pairs(12)
    rows[2]["text_a"] = "the heart " * 20
    tiny_pairs.save_pairs(tmp_path / "corpora", rows)
    own = similarity_work.factors

    def poisoned(module: Any, encodings: Any, rules: Any, **options: Any) -> Any:
        found = own(module, encodings, rules, **options)
        for one, encoding in zip(found, encodings, strict=True):
            if rows[5]["text_b"] == " ".join(encoding.tokens[1:-1]):
                one.tokens[0, 0] = np.nan
        return found

    monkeypatch.setattr(similarity_work, "factors", poisoned)
    path = tmp_path / "s.duckdb"
    summary = run(pipeline, path)
    assert (summary.explained, summary.failed) == (10, 2)
    with Store.open(path) as store:
        failures = dict(store.sql("SELECT identifier, error FROM failures").iter_rows())
    assert "more than the 12 tokens" in failures["p02"]
    assert "[retrieval]" in failures["p02"]
    assert "factors that are not finite" in failures["p05"]
    cut = pipeline.model_copy(update={"similarity": pipeline.similarity.model_copy(update={"long": "cut"})})
    assert run(cut, path).explained == 12 - 1
    with Store.open(path) as store:
        assert store.sql("SELECT coverage FROM pairs WHERE identifier = 'p02'")["coverage"][0] == pytest.approx(0.25)


def test_texts_that_are_no_pairs_are_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    tiny_pairs.corpus(tmp_path / "corpora" / "tiny-pairs", tiny_pairs.pairs(3), '{ text_a = "text_a" }')
    with pytest.raises(PipelineError, match=r"p0\d with 1 text .text_a.; name the columns of text_a and text_b|p0\d with 1 text"):
        run(pipeline, tmp_path / "s.duckdb")


def test_a_search_makes_pairs_of_queries_and_their_best_passages(
    tmp_path: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny_pairs.save_search(tmp_path / "corpora")))
    path = tmp_path / "s.duckdb"
    assert run(declared(encoder_folder, "tiny-queries", retrieval={"top": 2}), path).explained == 4
    assert verify(path).clean
    own = SentenceTransformer(str(encoder_folder), device="cpu")
    encoder = load_encoder(str(encoder_folder))
    long = tiny_pairs.LONG
    parts = windows(encoder, 0, long, encoder.window)
    assert [long[part.start : part.end] for part in parts] == [
        "the heart beats slowly . the heart stops . a", "drug lowers the pressure . the pressure raises sleep .",
    ]  # fmt: skip
    with Store.open(path) as store:
        rows = store.sql(
            "SELECT p.*, d.metadata FROM pairs p JOIN documents d USING (document) WHERE p.identifier LIKE 'q1~%' ORDER BY similarity DESC"
        )
    assert rows["left_role"].to_list() == ["query"] * 2
    assert [int(one["rank"]) for one in rows["metadata"].str.json_decode(pl.Struct({"rank": pl.Int64}))] == [1, 2]
    texts = [long[part.start : part.end] for part in parts] + ["sleep raises pressure .", "the drug does not stop ."]
    scores = own.encode(["the heart stops"]).astype(float) @ own.encode(texts).astype(float).T
    best = sorted([max(scores[0, :2]), *scores[0, 2:]], reverse=True)[:2]
    np.testing.assert_allclose(rows["similarity"], best, atol=1e-6)
    assert set(rows["label"]) <= {"relevant", "not judged relevant"}
    assert set(rows["metadata"].str.json_path_match("$.relevant")) == {"1"}


def test_forms_lemmas_and_translations_match() -> None:
    from workbench.document import Word

    one = [Word(0, 0, 4, "Cats", "cat"), Word(1, 5, 8, "Dog", "dog"), Word(2, 9, 12, "sat", "sit")]
    other = [Word(0, 0, 3, "cat", "cat"), Word(1, 4, 7, "dog", "dog"), Word(2, 8, 12, "chat", "chat")]
    found = matched(one, other, frozenset({("cat", "chat")}))
    assert found == [["lemma", "other", "translation"], ["other", "identical", "other"], ["other", "other", "other"]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"relevance": {"composite": "attnlrp.v1"}}, "declare two"),
        ({"similarity": None, "retrieval": {}}, r"needs \[similarity\]"),
        ({"evaluation": {"documents": 3}}, "workbench evaluate similarity"),
        ({"annotation": {}}, "name a pipeline"),
        ({"similarity": {"measure": "euclid"}}, "cosine"),
    ],
)
def test_declarations_that_mean_nothing(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        declared(tmp_path, **changes)


def test_a_language_without_an_annotator_is_named(pipeline: Pipeline, tmp_path: Path) -> None:
    other = pipeline.model_copy(update={"annotation": pipeline.annotation.model_validate({"languages": {"de": "blank:de"}})})
    with pytest.raises(PipelineError, match="annotate a text in en"):
        run(other, tmp_path / "s.duckdb")
