"""What is missing and why, doing just that, what a run changed word by word, and removing what nobody wants: one store through its life."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.pipeline import tiny
from tests.pipeline.conftest import Bench
from workbench.errors import PipelineError, StoreError
from workbench.models.pooled import PooledClassifier
from workbench.pipeline import remembered
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.forecast import forecast
from workbench.pipeline.identity import recalled
from workbench.pipeline.lazy import LazyWorker
from workbench.pipeline.prune import outdated, prune
from workbench.pipeline.run import run
from workbench.queries.comparison.runs import runs_compared
from workbench.store import Store, content_hash, verify


@pytest.fixture
def patient(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with a model of its own, and a cache that believes files touched a moment ago."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKBENCH_PIPELINES", str(tmp_path / "pipelines"))
    monkeypatch.setattr(remembered, "RACY_SECONDS", -1.0)
    folder = tiny.save_ensemble(tmp_path / "own")
    model = bench.pipeline.model.model_copy(update={"name": str(folder)})
    return Bench(bench.folder, bench.pipeline.model_copy(update={"model": model}))


def changed_weights(folder: Path) -> None:
    model = PooledClassifier.from_pretrained(folder / "words")
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=torch.Generator().manual_seed(1)))
    model.save_pretrained(folder / "words")


def test_a_store_through_its_life(patient: Bench) -> None:
    pipeline, store = patient.pipeline, patient.folder / "s.duckdb"
    first = run(pipeline, store)
    assert (first.explained, first.workers, first.characters > 0) == (30, 1, True)
    assert {"load", "plan", "explain"} <= set(first.stages)

    # nothing to do: nothing is loaded, by plan or by run
    again = forecast(pipeline, store)
    assert (again.nothing, again.loaded, again.vanished) == (True, False, 0)
    assert recalled(pipeline) is not None

    # one edited, one new, one gone; the estimate comes from the first run
    texts = tiny.posts(30)
    patient.write([*texts[:4], ("তুমি চোর নেতা, সব মিথ্যা কথা।", "Political"), *texts[5:29]])
    found = forecast(pipeline, store)
    assert (found.plan.reasons, found.vanished, found.plan.stored) == ({"edited": 1}, 1, 28)
    assert found.time is not None
    assert found.time.seconds > 0
    assert run(pipeline, store).explained == 1

    # other weights under the same name: everything, and the reason is said
    changed_weights(Path(pipeline.model.name))
    found = forecast(pipeline, store)
    assert (found.plan.reasons, found.loaded) == ({"model weights changed": 29}, True)
    third = run(pipeline, store)
    assert third.explained == 29
    fresh = patient.folder / "fresh.duckdb"
    run(pipeline, fresh)
    with Store.open(store) as opened, Store.open(fresh) as other:
        kept = "SELECT d.identifier, e.model, e.label, e.weights FROM explanations e JOIN documents d USING (document) WHERE NOT {}"
        gone = "(d.identifier = 'post-0029' OR d.identifier LIKE '%-00030')"
        assert set(opened.sql(kept.format(gone)).rows()) == set(other.sql(kept.format(gone)).rows())
        assert opened.sql("SELECT count(*) AS n FROM kept.earlier_model")["n"][0] == 2  # one member and the ensemble

    # what changed, word by word
    with Store.open(store) as opened:
        edit = runs_compared(opened, 1, 2, resamples=50)
        assert dict(edit.changes.select("change", "texts").iter_rows()) == {"unchanged": 29, "edited": 1}
        weights = runs_compared(opened, 2, 3, minimum_texts=1, resamples=50)
        counted = dict(weights.changes.select("change", "texts").iter_rows())
        assert counted == {"other weights": 29, "unchanged": 1}
        assert 0 < weights.changes.filter(change="other weights")["moved"][0] < 1
        whole = runs_compared(opened, 1, 3, resamples=50)
        assert dict(whole.changes.select("change", "texts").iter_rows()) == {
            "other weights": 28, "edited": 1, "unchanged": 1,
        }  # fmt: skip
        assert len(weights.terms) > 0
        with pytest.raises(StoreError, match="runs 1, 2, 3"):
            runs_compared(opened, 1, 9)

    # the document that left, and what was superseded, can go
    (patient.folder / "pipelines").mkdir()
    with Store.open(store) as opened, pytest.raises(PipelineError, match="none of which is declared"):
        outdated(opened)
    path = patient.folder / "pipelines" / "tiny.toml"
    path.write_text(declared(pipeline))
    with Store.open(store) as opened:
        found_out = outdated(opened)
        assert (len(found_out.documents), len(found_out.explanations), found_out.earlier) == (1, 0, 30)
    prune(store)
    assert content_hash(store) == content_hash(fresh)
    assert verify(store).clean
    with Store.open(store) as opened:
        assert outdated(opened).nothing
        with pytest.raises(StoreError, match="what run 2 said of 1 of its 1 texts is no longer kept"):
            runs_compared(opened, 2, 3)
    assert forecast(pipeline, store).nothing


def declared(pipeline: Pipeline) -> str:
    corpus, model, words = pipeline.corpus.name, pipeline.model.name, pipeline.annotation.pipeline
    return f'name = "tiny"\nbatch = 8\n[corpus]\nname = "{corpus}"\n[model]\nname = "{model}"\n[annotation]\npipeline = "{words}"\n'


def test_another_composite_stays_until_nobody_wants_it_and_its_successor_is_there(patient: Bench) -> None:
    store = patient.folder / "s.duckdb"
    run(patient.pipeline, store)
    rules = patient.pipeline.relevance.model_copy(update={"composite": "cplrp.v1"})
    other = patient.pipeline.model_copy(update={"relevance": rules})
    (patient.folder / "pipelines").mkdir()
    path = patient.folder / "pipelines" / "tiny.toml"
    path.write_text(declared(other) + '[relevance]\ncomposite = "cplrp.v1"\n')
    with Store.open(store) as opened:
        assert outdated(opened).nothing  # the old ones have no successor yet
    run(other, store)
    with Store.open(store) as opened:
        assert len(outdated(opened).explanations) == 90
        assert runs_compared(opened, 1, 2, resamples=50).changes["change"].to_list() == ["attnlrp.v1 → cplrp.v1"]
    prune(store)
    with Store.open(store) as opened:
        assert opened.sql("SELECT DISTINCT composite FROM explanations")["composite"].to_list() == ["cplrp.v1"]
        assert opened.sql("SELECT name FROM composites")["name"].to_list() == ["cplrp.v1"]
    assert verify(store).clean


def test_where_nothing_is_missing_no_model_is_loaded_and_what_changed_is_noticed(patient: Bench) -> None:
    store = patient.folder / "s.duckdb"
    run(patient.pipeline, store)
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.pipeline import remembered\nremembered.RACY_SECONDS = -1.0\n"
        "from workbench.pipeline.declaration import Pipeline\nfrom workbench.pipeline.run import run\n"
        "summary = run(Pipeline.model_validate_json(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(summary.explained, sorted({'torch', 'transformers', 'spacy', 'tenacity', 'fsspec', 'http', 'tqdm'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, patient.pipeline.model_dump_json(), str(store)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split(maxsplit=1) == ["0", "[]\n"]
    worker = LazyWorker(patient.pipeline)
    assert worker.identity == recalled(patient.pipeline)
    changed_weights(Path(patient.pipeline.model.name))
    assert recalled(patient.pipeline) is None  # its files are others
    with pytest.raises(PipelineError, match="files that changed"):
        worker.load()


def test_an_annotator_that_changed_brings_words_alone(patient: Bench) -> None:
    store = patient.folder / "s.duckdb"
    run(patient.pipeline, store)
    with Store.open(store, "write") as opened:
        opened.connection.execute("UPDATE kept.annotation SET fingerprint = 'earlier' WHERE document <= 10")
        opened.connection.execute("DELETE FROM kept.annotation WHERE document > 28")
    found = forecast(patient.pipeline, store)
    assert (found.plan.missing, found.words.reasons) == (0, {"annotator changed": 10, "never annotated": 2})
    assert not found.loaded
    summary = run(patient.pipeline, store)
    assert (summary.explained, summary.reannotated) == (0, 12)
    assert forecast(patient.pipeline, store).nothing


def test_two_models_of_one_name_are_refused(patient: Bench, tmp_path: Path) -> None:
    store = patient.folder / "s.duckdb"
    run(patient.pipeline, store)
    folder = tiny.save_ensemble(tmp_path / "elsewhere" / "own")
    changed_weights(folder)
    model = patient.pipeline.model.model_copy(update={"name": str(folder)})
    with pytest.raises(PipelineError, match="another model of that name"):
        run(patient.pipeline.model_copy(update={"model": model}), store)


def test_hashes_are_remembered_only_for_files_that_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    first = remembered.hashes([file])
    assert remembered.load("files") == {}  # touched a moment ago
    monkeypatch.setattr(remembered, "RACY_SECONDS", -1.0)
    assert remembered.hashes([file]) == first
    read = []
    monkeypatch.setattr(remembered.fingerprint, "of_file", lambda path: read.append(path) or "read again")
    assert remembered.hashes([file]) == first
    assert read == []
    file.write_bytes(b"two")  # the same length
    assert remembered.hashes([file]) == {file: "read again"}
    (tmp_path / "cache" / "identity" / "files.json").write_text("{ torn")
    assert remembered.hashes([file]) == {file: "read again"}
    assert json.loads((tmp_path / "cache" / "identity" / "files.json").read_text())
