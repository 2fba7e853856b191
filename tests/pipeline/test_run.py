"""A run from corpus to store: complete, idempotent, incremental, resumable, and conserving at every step."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.pipeline import tiny
from tests.pipeline.conftest import Bench
from workbench.annotation.annotator import annotator
from workbench.attribution.trace import explain
from workbench.attribution.words import to_words
from workbench.errors import ModelError, PipelineError, StoreError
from workbench.models.encode import encode
from workbench.models.ensemble import load_ensemble
from workbench.pipeline.declaration import Pipeline, find, names
from workbench.pipeline.executors import local
from workbench.pipeline.forecast import forecast
from workbench.pipeline.run import run
from workbench.pipeline.tally import open_ledgers
from workbench.store import Store, content_hash, verify


def test_everything_wanted_is_stored_once(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    assert forecast(bench.pipeline, store).plan.missing == 30
    first = run(bench.pipeline, store)
    assert (first.documents, first.explained, first.failed, first.reasons) == (30, 30, 0, {"new": 30})
    assert first.open_ledgers == 0
    content = content_hash(store)
    second = run(bench.pipeline, store)
    assert (second.explained, second.stored) == (0, 30)
    assert content_hash(store) == content
    assert verify(store).clean
    with Store.open(store) as opened:
        assert opened.sql("SELECT count(*) AS n FROM explanations")["n"][0] == 90
        assert opened.sql("SELECT max(relative_gap) AS worst FROM explanations")["worst"][0] < 1e-4


def test_one_edited_post_is_one_post_of_work(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    texts = tiny.posts(30)
    texts[4] = ("তুমি চোর নেতা, সব মিথ্যা কথা।", "Political")
    bench.write([*texts, ("নতুন কথা আর নয়", "Personal")])
    plan = forecast(bench.pipeline, store).plan
    assert plan.reasons == {"edited": 1, "new": 1}
    assert run(bench.pipeline, store).explained == 2
    fresh = bench.folder / "fresh.duckdb"
    run(bench.pipeline, fresh)
    with Store.open(store) as one, Store.open(fresh) as other:
        rows = [
            opened.sql(
                """SELECT d.identifier, w.model, w.kind::VARCHAR AS kind, w.word, w.relevance
                   FROM word_relevance w JOIN documents d USING (document) ORDER BY ALL"""
            )
            for opened in (one, other)
        ]
    assert rows[0].drop("relevance").equals(rows[1].drop("relevance"))
    np.testing.assert_allclose(rows[0]["relevance"], rows[1]["relevance"], atol=1e-6)


def test_stored_word_relevance_is_the_mean_of_the_members_words(bench: Bench) -> None:
    """Computed again outside the store: explain each member, sum tokens to words in Python, take the mean."""
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    ensemble = load_ensemble(bench.pipeline.model.name)
    words_by = annotator("blank:bn")
    with Store.open(store) as opened:
        kept = opened.sql(
            """SELECT d.identifier, s.text, e.label, w.kind::VARCHAR AS kind, w.word, w.relevance
               FROM word_relevance w JOIN explanations e USING (explanation) JOIN documents d ON d.document = w.document
               JOIN segments s ON s.document = d.document WHERE e.model = 'tiny' ORDER BY d.identifier, w.word"""
        )
    for (_, text, label), part in kept.group_by("identifier", "text", "label"):
        (words,) = words_by.annotate([str(text)])
        sums = []
        for member in ensemble.members:
            encoding = encode(member.tokenizer, str(text), member.window)
            explanation = explain(member.module, [encoding], labels=[ensemble.labels.index(str(label))])[0]
            sums.append(to_words(explanation.tokens, encoding, words))
        stored = part.filter(pl.col("kind") == "word").sort("word")["relevance"].to_numpy()
        np.testing.assert_allclose(stored, np.mean([one.words for one in sums], axis=0), atol=1e-6)
        special = part.filter(pl.col("kind") == "special")["relevance"].sum()
        assert special == pytest.approx(np.mean([one.special for one in sums]), abs=1e-6)


def test_another_annotator_brings_words_and_no_relevance_again(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    changed = bench.pipeline.model_copy(update={"annotation": bench.pipeline.annotation.model_copy(update={"pipeline": "blank:en"})})
    summary = run(changed, store)
    assert (summary.explained, summary.reannotated) == (0, 30)
    assert verify(store).clean
    with Store.open(store) as opened:
        assert opened.sql("SELECT DISTINCT annotator FROM words")["annotator"].to_list() == ["blank:en"]


def test_two_processes_give_the_same_content_as_one(bench: Bench) -> None:
    one, two = bench.folder / "one.duckdb", bench.folder / "two.duckdb"
    run(bench.pipeline, one)
    run(bench.pipeline, two, executor=local(2))
    assert content_hash(one) == content_hash(two)


def test_a_killed_run_goes_on_to_the_same_content(bench: Bench) -> None:
    undisturbed, store = bench.folder / "undisturbed.duckdb", bench.folder / "s.duckdb"
    run(bench.pipeline, undisturbed)
    program = bench.folder / "go.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from workbench.pipeline.declaration import Pipeline\nfrom workbench.pipeline.run import run\n"
        "pipeline = Pipeline.model_validate_json(sys.argv[1])\n"
        "run(pipeline, Path(sys.argv[2]), progress=lambda stage, done, total: print(stage, done, flush=True))\n"
    )
    moments = random.Random(0)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, str(program), bench.pipeline.model_dump_json(), str(store)],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("explain"):
                break
        time.sleep(moments.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    run(bench.pipeline, store)
    assert content_hash(store) == content_hash(undisturbed)
    assert verify(store).clean


def test_what_cannot_be_explained_is_recorded_and_the_rest_goes_on(bench: Bench) -> None:
    bench.write(
        [
            ("তুমি চোর", "Personal"),
            ("", "Personal"),
            ("   ", "Political"),
            ("\u200c", "Political"),
            ("🙂🙂", "Personal"),
            ("নেতা চোর", "Political"),
        ]
    )
    store = bench.folder / "s.duckdb"
    summary = run(bench.pipeline, store)
    assert summary.explained + summary.failed + summary.rejected == 6
    assert summary.explained >= 2
    with Store.open(store) as opened:
        failures = opened.sql("SELECT stage, error FROM failures")
    assert len(failures) == summary.failed + summary.rejected
    content = content_hash(store)
    assert run(bench.pipeline, store).explained == 0
    assert content_hash(store) == content
    with Store.open(store) as opened:
        assert opened.sql("SELECT stage, error FROM failures").sort("error").equals(failures.sort("error"))


def test_a_corpus_of_one_reading_evaluates_a_seeded_sample_once(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    pipeline = bench.pipeline.model_copy(update={"evaluation": bench.pipeline.evaluation.model_copy(update={"documents": 5})})
    assert run(pipeline, store).evaluated == 5
    assert run(pipeline, store).evaluated == 0
    with Store.open(store) as opened:
        methods = set(opened.sql("SELECT DISTINCT method FROM faithfulness")["method"])
    assert {"attnlrp", "occlusion", "random", "integrated_gradients"} <= methods


def test_ledgers_that_do_not_close_are_counted() -> None:
    frame = pl.DataFrame({"precision": ["float32", "float32", "bfloat16"], "target_value": [0.5, 40.0, 1.0], "gap": [2e-4, 2e-4, 2e-2]})
    assert open_ledgers(frame) == 1


def test_declared_pipelines_are_read_and_wrong_ones_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"bengali-hate", "bengali-hate-corpus"} <= set(names())
    assert all(find(name).name == name for name in names())
    with pytest.raises(PipelineError, match="bengali-hate"):
        find("bengali")
    for text, said in (("name = ", "Invalid"), ('name = "x"\ncolour = 1', "colour"), ('name = "x"', "corpus")):
        path = tmp_path / "p.toml"
        path.write_text(text)
        with pytest.raises(PipelineError, match=said):
            find(str(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PipelineError):
        find(str(path))


def test_a_store_knows_its_model_by_content(bench: Bench, tmp_path: Path) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    other = bench.pipeline.model_copy(update={"relevance": bench.pipeline.relevance.model_copy(update={"composite": "cplrp.v1"})})
    assert forecast(other, store).plan.reasons == {"not explained under cplrp.v1 yet": 30}
    missing = bench.pipeline.model_copy(
        update={"model": bench.pipeline.model.model_copy(update={"name": str(tmp_path / "nowhere" / "model")})}
    )
    with pytest.raises(ModelError, match="no such folder"):
        run(missing, store)
    with Store.open(store, "write"), pytest.raises(StoreError):
        run(bench.pipeline, store)


def test_a_declaration_is_frozen_and_complete() -> None:
    pipeline = find("bengali-hate")
    assert Pipeline.model_validate(pipeline.model_dump(mode="json")) == pipeline
    assert any("not hate" in note for note in pipeline.notes)
