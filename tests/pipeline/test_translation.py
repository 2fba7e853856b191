"""Translations from corpus to store: every generated token's contributions close their ledger, and every refusal is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from tests.pipeline import tiny_translations as tiny
from workbench import corpora
from workbench.attribution.contributions import contributions
from workbench.attribution.translations import Translation
from workbench.models.places import embedded
from workbench.models.translation import load_translator, source_of, target_of, translate
from workbench.pipeline.declaration import Pipeline, find, names
from workbench.pipeline.executors import local
from workbench.pipeline.forecast import forecast
from workbench.pipeline.run import run
from workbench.pipeline.translation.hypothesis import as_generated, text_of
from workbench.pipeline.translation.worker import TranslationWorker
from workbench.pipeline.worker import silent
from workbench.store import Store, content_hash, verify

ROWS = tiny.sentences(12)
ACCOUNTS = ("source", "prefix", "beginning", "positions", "biases", "softmax", "nonlinear")


@pytest.fixture(scope="session")
def translators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two systems from French and one from Kazakh, saved once."""
    folder = tmp_path_factory.mktemp("translators")
    tiny.save_translator(folder / "one", seed=3)
    tiny.save_translator(folder / "two", seed=4)
    tiny.save_translator(folder / "steppe", seed=5, source="kk")
    return folder


@pytest.fixture
def pipeline(tmp_path: Path, translators: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Twelve sentences, explained five at a time."""
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny.save_corpus(tmp_path / "corpora", ROWS)))
    return declared(translators)


def declared(translators: Path, *systems: str, model: str = "one", corpus: str = "tiny-sentences", **choice: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "tiny",
            "corpus": {"name": corpus},
            "model": {"name": str(translators / model)},
            "translation": {"beams": 2, "systems": [str(translators / name) for name in systems], **choice},
            "annotation": {"pipeline": "blank:xx"},
            "batch": 5,
        }
    )


def test_what_is_kept_is_what_the_model_says_and_took(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    told: list[tuple[str, int, int]] = []
    summary = run(pipeline, path, progress=lambda *said: told.append(said))
    assert (summary.explained, summary.failed, summary.open_ledgers) == (12, 0, 0)
    assert verify(path).clean, str(verify(path))
    counts = [done for stage, done, _ in told if stage == "explain"]
    assert counts == sorted(counts)
    assert len(set(counts)) > 4  # within the jobs as well
    translator = load_translator(pipeline.model.name)
    with Store.open(path) as store:
        found = store.sql("FROM translations ORDER BY identifier")
        assert found["text"].to_list() == translate(translator, [source for source, _ in ROWS], beams=2)
        assert found["source_text"].to_list() == [source for source, _ in ROWS]
        assert set(found["role"]) == {"hypothesis:one"}
        assert set(found["composite"]) == {"attnlrp.v1"}
        one = found.row(3, named=True)
        pair = Translation(source_of(translator, one["source_text"]).ids, target_of(translator, one["text"]).ids)
        own = contributions(translator.module, [pair])[0]
        cells = store.sql("SELECT * FROM contributions WHERE explanation = ? ORDER BY step, token", [one["explanation"]])
        for side, wanted in (("source", own.source), ("prefix", own.prefix)):
            part = cells.filter(pl.col("side") == side)
            np.testing.assert_allclose(part["relevance"], wanted[part["step"], part["token"]], atol=1e-5)
        steps = store.sql("SELECT * FROM steps WHERE explanation = ? ORDER BY step", [one["explanation"]])
        np.testing.assert_allclose(steps["target_value"], own.target_value, rtol=1e-5)
        np.testing.assert_allclose(steps["log_probability"], own.log_probability, atol=1e-5)
        np.testing.assert_allclose(steps["source_share"], own.source_share, atol=1e-5)
        given = [None if one == other else tiny.PIECES[other] for one, other in zip(own.target_ids, own.likeliest, strict=True)]
        assert steps["likeliest"].to_list() == given


@pytest.mark.parametrize("method", ["attnlrp", "cplrp", "gradient_x_input", "alpha_beta", "alti_plus", "gradient_x_input_l2"])
def test_every_method_is_kept_with_a_ledger_that_closes(pipeline: Pipeline, tmp_path: Path, method: str) -> None:
    path = tmp_path / "t.duckdb"
    translation = pipeline.translation.model_copy(update={"method": method})
    few = pipeline.corpus.model_copy(update={"limit": 4})
    chosen = pipeline.model_copy(update={"translation": translation, "corpus": few})
    assert run(chosen, path).open_ledgers == 0
    assert verify(path).clean, str(verify(path))
    with Store.open(path) as store:
        steps = store.sql("SELECT * FROM steps")
        parts = steps.select(ACCOUNTS).cast(pl.Float64)
        left = (steps["target_value"].cast(pl.Float64) - parts.sum_horizontal()).abs()
        assert (left / parts.select(pl.all().abs()).sum_horizontal().clip(lower_bound=1)).max() < 1e-5  # as exact as what is added up
        if method != "gradient_x_input":
            assert (left / steps["target_value"].abs().clip(lower_bound=1)).max() < 1e-4
        worst = store.sql("SELECT max(value) FROM qualities WHERE metric = 'logit_difference'").item()
        assert worst < 1e-4
        if method in ("alpha_beta", "alti_plus", "gradient_x_input_l2"):
            assert (steps["source"].min(), steps["prefix"].min()) >= (0, 0)
            np.testing.assert_allclose(steps.select(pl.sum_horizontal("source", "prefix", "beginning")).to_series(), 1, atol=1e-4)


def test_a_reference_and_an_output_are_two_explanations(pipeline: Pipeline, translators: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    both = declared(translators, prefix=["output", "reference"], target="log_probability")
    run(both, path)
    with Store.open(path) as store:
        found = store.sql(
            """SELECT role, count(*) AS n, sum(target_value) AS said, sum(log_probability * steps) AS summed
               FROM translations GROUP BY role ORDER BY role"""
        )
        assert found["role"].to_list() == ["hypothesis:one", "reference"]
        assert found["n"].to_list() == [12, 12]
        np.testing.assert_allclose(found["said"], found["summed"], rtol=1e-5)  # what is explained is the log-probability
        scored = store.sql("SELECT DISTINCT role, metric FROM qualities ORDER BY ALL").rows()
        assert ("reference", "chrf") not in scored
        assert ("hypothesis:one", "chrf") in scored
        assert ("reference", "log_probability") in scored


def test_a_document_in_little_memory_is_as_in_much(pipeline: Pipeline) -> None:
    worker = TranslationWorker(pipeline)
    item = worker.wanted(worker.read(silent)[1])[7]
    whole, small = worker([item]), worker.sparingly(item, 6)
    for table in ("step", "contribution"):
        for name, kind in whole[table].schema.items():
            if kind.is_float():
                np.testing.assert_allclose(small[table][name], whole[table][name], rtol=1e-4, atol=1e-5)


def test_running_twice_is_running_once_and_other_beams_are_other_numbers(pipeline: Pipeline, translators: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    run(pipeline, path)
    before = content_hash(path)
    again = run(pipeline, path)
    assert (again.explained, again.stored) == (0, 12)
    assert content_hash(path) == before
    assert forecast(declared(translators, beams=1), path).plan.missing == 12
    assert forecast(declared(translators, beams=1, prefix="reference"), path).plan.missing == 12
    assert forecast(declared(translators, "two"), path).plan.missing == 12
    assert forecast(declared(translators, "two"), path).plan.stored == 12


def test_another_annotator_finds_the_words_of_outputs_as_well(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    few = pipeline.model_copy(update={"corpus": pipeline.corpus.model_copy(update={"limit": 3})})
    run(few, path)
    other = few.model_copy(update={"annotation": few.annotation.model_copy(update={"pipeline": "blank:en"})})
    assert run(other, path).reannotated == 3
    with Store.open(path) as store:
        assert store.sql("SELECT DISTINCT annotator FROM words")["annotator"].to_list() == ["blank:en"]
        assert store.sql("SELECT count(DISTINCT role) FROM words").item() == 3
    assert run(other, path).reannotated == 0
    assert verify(path).clean


def test_several_systems_are_one_corpus(pipeline: Pipeline, translators: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    run(pipeline, path)
    summary = run(declared(translators, "two", "steppe"), path, executor=local(2))  # made ready by other processes
    assert (summary.explained, summary.failed) == (12, 0)
    assert verify(path).clean
    with Store.open(path) as store:
        found = store.sql("SELECT model, count(*) AS n, count(DISTINCT document) AS d FROM translations GROUP BY model ORDER BY model")
        assert found.rows() == [("one", 12, 12), ("two", 12, 12)]
        assert store.sql("SELECT count(*) FROM documents").item() == 12


def test_what_fails_is_recorded_and_the_rest_goes_on(translators: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*ROWS[:3], (" ".join(["le chat"] * 9), "the cat"), ("le chien dort", "the giraffe sleeps"), (" ", "the dog")]
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny.save_corpus(tmp_path / "corpora", rows)))
    path = tmp_path / "t.duckdb"
    summary = run(declared(translators, prefix=["output", "reference"]), path)
    assert summary.rejected == 1
    with Store.open(path) as store:
        failed = dict(
            store.sql("SELECT identifier || ' ' || stage, string_agg(error, '; ') FROM kept.failure GROUP BY ALL ORDER BY ALL").rows()
        )
        assert set(failed) == {"fr-en-00004 encode", "fr-en-00005 encode", "fr-en-00006 read"}
        assert "19 tokens, the model allows 16" in failed["fr-en-00004 encode"]
        assert "'giraffe', which is not in its vocabulary" in failed["fr-en-00005 encode"]
        assert "an empty text (source)" in failed["fr-en-00006 read"]
        assert store.sql("SELECT count(*) FROM translations WHERE role = 'reference'").item() == 3
        assert store.sql("SELECT count(*) FROM translations WHERE role <> 'reference'").item() == 4  # its own words are in the vocabulary
    assert run(declared(translators, prefix=["output", "reference"]), path).explained == 0  # no retry can help


def test_a_language_without_a_system_is_recorded(translators: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.save_corpus(tmp_path / "corpora", ROWS[:2], source="kk", name="tiny-steppe")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(folder))
    path = tmp_path / "t.duckdb"
    assert run(declared(translators, corpus="tiny-steppe"), path).failed == 2
    with Store.open(path) as store:
        error = store.sql("SELECT DISTINCT error FROM kept.failure").item()
        assert "translate kk into en" in error
        assert "systems one (fr-en)" in error
    summary = run(declared(translators, "steppe", corpus="tiny-steppe"), path)  # a system for it is another question
    assert (summary.explained, summary.failed) == (2, 0)


def test_declarations_that_cannot_be_carried_out_are_refused(translators: Path) -> None:
    for choice, said in (
        ({"method": "attention"}, "the method 'attention'"),
        ({"prefix": []}, "prefix names the texts"),
        ({"prefix": "source"}, "not source"),
        ({"target": "wish"}, "target"),
        ({"prompt": "translate this"}, "needs {source} once"),
    ):
        with pytest.raises(ValidationError, match=said.replace("{", r"\{")):
            declared(translators, **choice)
    with pytest.raises(ValidationError, match=r"\[similarity\] and \[translation\] in one pipeline"):
        Pipeline.model_validate(declared(translators).model_dump(exclude={"relevance"}) | {"similarity": {}})
    whole = declared(translators, prefix=["output", "reference"])
    assert Pipeline.model_validate(whole.model_dump(mode="json", exclude={"relevance"})) == whole


def test_generated_tokens_keep_their_spans_where_the_text_would_be_read_otherwise(translators: Path) -> None:
    tokenizer = load_translator(str(translators / "one")).tokenizer
    number = tokenizer.convert_tokens_to_ids
    ids = [number("cat"), 2, number("<unk>"), number("dog"), 0]  # what is skipped in the text stands nowhere in it
    text = text_of(tokenizer, ids)
    encoding, other = as_generated(tokenizer, ids, text, None)
    assert other
    assert encoding.ids == tuple(ids)
    assert [text[start:end] for start, end in encoding.spans] == ["cat", "", "", "dog", ""]
    assert encoding.special == (False, True, True, False, True)
    stopped = as_generated(tokenizer, ids[:1], "cat", source_of(load_translator(str(translators / "one")), "cat"))
    assert stopped == (type(encoding)((number("cat"),), ("cat",), ((0, 3),), (False,)), False)


@pytest.mark.parametrize("name", sorted(name for name in names() if name.startswith("translation-")))
def test_declarations_that_come_along_name_what_is_there(name: str) -> None:
    pipeline = find(name)
    assert pipeline.translation is not None
    corpus = corpora.find(pipeline.corpus.name)
    systems = (pipeline.model.name, *pipeline.translation.systems)
    directions = {"-".join(system.split("-")[1:3]) for system in systems}
    assert all(embedded(system) for system in systems)
    assert set(pipeline.corpus.languages) == directions
    spoken = {language for direction in directions for language in direction.split("-")}
    assert spoken == set(pipeline.annotation.languages)
    assert spoken <= set(corpus.languages)
    splits = {file.split for file in corpus.source.files}
    assert set(pipeline.corpus.splits) <= splits
