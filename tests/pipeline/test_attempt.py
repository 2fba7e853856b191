"""Failure is data: memory that runs out, poisonous documents, numbers that are not finite, errors that pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import torch

from tests.pipeline import tiny, tiny_pairs
from tests.pipeline.conftest import Bench
from workbench.batch import SCHEMAS, Batch
from workbench.document import Document
from workbench.errors import InputError, ModelError, PropagationError
from workbench.pipeline import attempt as attempts
from workbench.pipeline.attempt import attempt
from workbench.pipeline.classification import work as classification_work
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import Wanted
from workbench.pipeline.run import run
from workbench.pipeline.similarity import work as similarity_work
from workbench.pipeline.work import load_worker
from workbench.pipeline.worker import Job, Told, Worker, no_one, silent
from workbench.store import Store, synthetic, verify
from workbench.store.check import check

POISON = "document-2"
BESIDE = {"components": ["residual", "neurons"], "position_layers": True}


@pytest.fixture
def small(bench: Bench) -> Bench:
    """A pipeline of one model, with components and positions beside the tokens."""
    one = {"model": {"name": f"{bench.pipeline.model.name}/words"}, "relevance": BESIDE}
    bench.write(tiny.posts(4))
    return Bench(bench.folder, Pipeline.model_validate({**bench.pipeline.model_dump(exclude_unset=True), **one}))


@dataclass
class Synthetic:
    """A worker without a model: the batches of a store's tests, and what goes wrong on the way."""

    trouble: Callable[[list[str]], None] = lambda names: None
    harm: Callable[[Batch], Batch] = lambda batch: batch

    def __call__(self, job: Job, told: Told = no_one) -> Batch:
        names = [item.document.identifier for item in job]
        self.trouble(names)
        return self.harm(synthetic.batch(names))


JOB = [Wanted(Document("posts", f"document-{place}", {"text": f"text {place}"}), "text", f"print-{place}") for place in range(5)]


def attempted(*given: Any, job: Job = JOB) -> Batch:
    return attempt(cast("Worker", Synthetic(*given)), job)


def poison(names: list[str]) -> None:
    if POISON in names:
        raise IndexError("list index out of range")


def always(error: Exception) -> Callable[[list[str]], None]:
    def trouble(names: list[str]) -> None:
        raise error

    return trouble


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on a device whose memory would have to be given back, and nobody waits."""
    monkeypatch.setattr(attempts, "release", lambda: None)


def numbers(batch: Batch) -> dict[str, pl.DataFrame]:
    """Every table with its rows by natural keys, so that batches of other numbering compare."""
    documents = batch["document"].select("document", "identifier")
    owners = batch["explanation"].join(documents, on="document").select("explanation", "identifier", "model", "role")
    found = {}
    for table in SCHEMAS:
        frame = batch[table]
        for key, names in (("document", documents), ("explanation", owners)):
            if key in frame.columns and table != key:
                frame = frame.join(names, on=key).drop(key)
        frame = frame.drop([name for name in ("document", "explanation", "member_of", "vector") if name in frame.columns])
        found[table] = frame.sort([name for name, kind in frame.schema.items() if not kind.is_float()], nulls_last=True)
    return found


def alike(one: Batch, other: Batch, tolerance: float = 1e-5) -> None:
    mine, theirs = numbers(one), numbers(other)
    for table in SCHEMAS:
        floats = [name for name, kind in mine[table].schema.items() if kind.is_float()]
        assert mine[table].drop(floats).equals(theirs[table].drop(floats)), table
        for name in floats:
            np.testing.assert_allclose(
                theirs[table][name].to_numpy(), mine[table][name].to_numpy(), atol=tolerance, err_msg=f"{table}.{name}"
            )


def job_of(worker: Worker) -> Job:
    _, documents, _ = worker.read(silent)
    return worker.wanted(documents)


def with_memory_for(tokens: int) -> Callable[..., Any]:
    """The trace of the workbench on a machine that holds so many tokens at a time; layers computed again need a third."""
    own = classification_work.trace

    def limited(module: Any, encodings: Sequence[Any], rules: Any, **options: Any) -> Any:
        needed = sum(map(len, encodings)) / (3 if options.get("checkpoint") else 1)
        if needed > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return own(module, encodings, rules, **options)

    return limited


def test_results_are_the_same_whatever_batch_fits(small: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = load_worker(small.pipeline)
    job = job_of(worker)
    whole, own = attempt(worker, job), classification_work.work
    assert whole.effort == {}
    for size in range(1, len(job) + 1):

        def at_most(items: Any, *rest: Any, size: int = size) -> Batch:
            if len(items) > size:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory: you tried to allocate")
            return own(items, *rest)

        monkeypatch.setattr("workbench.pipeline.classification.worker.work", at_most)
        found = attempt(worker, job)
        assert (found.effort.get("halved", 0) > 0) == (size < len(job))
        assert found["failure"].is_empty()
        alike(whole, found)


def test_a_text_that_does_not_fit_is_read_sparingly_then_in_windows_then_recorded(small: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    small.write([("তুমি খুব খারাপ মানুষ নেতা চোর ভোট মসজিদ", "Personal"), ("তুমি চোর", "Personal")])
    worker, store = load_worker(small.pipeline), small.folder / "s.duckdb"
    job = job_of(worker)
    whole = attempt(worker, job)  # of 10 and 4 tokens
    with monkeypatch.context() as patched:
        patched.setattr(classification_work, "trace", with_memory_for(5))
        sparing = attempt(worker, job)
    assert sparing.effort == {"halved": 1}
    assert sparing["score"].filter(pl.col("method") == "memory").is_empty()
    alike(whole, sparing)

    with monkeypatch.context() as patched:
        patched.setattr(classification_work, "trace", with_memory_for(2))
        summary = run(small.pipeline, store)
    assert (summary.explained, summary.failed, summary.effort) == (2, 0, {"halved": 1, "windowed": 1})
    assert verify(store).clean
    with Store.open(store) as opened:
        assert opened.sql("SELECT windows FROM windows").rows() == [(2,)]
        assert opened.sql("FROM faithfulness").is_empty()
        kept = opened.sql("SELECT piece FROM tokens WHERE document = (SELECT document FROM windows) AND NOT special ORDER BY token")
        assert "".join(kept["piece"]) == "তুমিখুবখারাপমানুষনেতাচোরভোটমসজিদ"
        assert opened.sql("SELECT max(relative_gap) AS worst FROM explanations")["worst"][0] < 1e-5

    with monkeypatch.context() as patched:
        patched.setattr(classification_work, "trace", with_memory_for(0))
        none = attempt(worker, job)
    assert none["document"].is_empty()
    assert set(none["failure"]["stage"]) == {"memory"}
    assert none["failure"]["retryable"].all()


def test_pairs_keep_their_numbers_in_any_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_pairs.save_pairs(tmp_path / "corpora", tiny_pairs.pairs(3))
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    named = {"corpus": {"name": "tiny-pairs"}, "model": {"name": str(tiny_pairs.save_encoder(tmp_path / "model"))}}
    worker = load_worker(Pipeline.model_validate({"name": "t", **named, "similarity": {}, "annotation": {"pipeline": "blank:en"}}))
    job = job_of(worker)
    whole, own = attempt(worker, job), similarity_work.factors

    def limited(module: Any, encodings: Any, rules: Any, *, budget: int, **options: Any) -> Any:
        if len(encodings) * budget > 100_000:
            raise MemoryError
        return own(module, encodings, rules, budget=budget, **options)

    monkeypatch.setattr(similarity_work, "factors", limited)
    found = attempt(worker, job)
    assert found.effort == {"halved": 2}
    alike(whole, found)


def test_a_poisonous_document_is_found_and_the_others_are_kept() -> None:
    found = attempted(poison)
    assert found["failure"].select("identifier", "stage", "retryable", "fingerprint").rows() == [(POISON, "explain", False, "print-2")]
    assert "IndexError: list index out of range (tests.pipeline.test_attempt, line" in found["failure"]["error"][0]
    assert found["failure"]["content"].to_list() == [JOB[2].document.fingerprint]
    assert found["document"]["identifier"].to_list() == [item.document.identifier for item in JOB if item is not JOB[2]]
    alike(synthetic.batch(found["document"]["identifier"].to_list()), Batch({**found.frames, "failure": found["failure"].clear()}))


@pytest.mark.parametrize(
    "error",
    [PropagationError("explain", "no rule", "register one"), ModelError("load", "no weights", "fetch them"), KeyError()],
)
def test_what_meets_all_documents_ends_the_run(error: Exception) -> None:
    with pytest.raises(type(error)):
        attempted(always(error))


def test_what_is_a_documents_own_never_ends_the_run() -> None:
    assert len(attempted(always(InputError("read", "a bad text", "repair it")))["failure"]) == len(JOB)
    alone = PropagationError("explain", "an odd value", "look at the text")
    assert attempted(always(alone), job=JOB[:1])["failure"]["error"].to_list() == [str(alone)]


def test_an_error_that_passes_is_tried_again_after_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)

    def shaky(names: list[str]) -> None:
        calls.append(len(names))
        if len(calls) < attempts.TRIES:
            raise ConnectionResetError(104, "Connection reset by peer")

    found = attempted(shaky)
    assert found.effort == {"paused": attempts.TRIES - 1}
    assert len(found["document"]) == len(JOB)
    assert len(pauses) == attempts.TRIES - 1
    assert max(pauses) <= attempts.LONGEST_PAUSE
    with pytest.raises(TimeoutError):
        attempted(always(TimeoutError("timed out")))


@pytest.mark.parametrize("table", ["token_relevance", "prediction", "explanation", "layer_relevance", "component_relevance", "factor"])
def test_nan_never_enters(tmp_path: Path, table: str) -> None:
    def harm(batch: Batch) -> Batch:
        if table == "factor":
            vector = np.array([1, np.inf], "<f2").tobytes()
            frame = pl.DataFrame([(0, "bias", None, "float16", vector)], schema=dict(SCHEMAS["factor"]), orient="row")
        else:
            column = next(name for name, kind in SCHEMAS[table].items() if kind.is_float())
            first = pl.int_range(pl.len()) == 0
            frame = batch[table].with_columns(
                pl.when(first).then(float("nan")).otherwise(pl.col(column)).cast(SCHEMAS[table][column]).alias(column)
            )
        return Batch({**batch.frames, table: frame})

    found = attempted(lambda names: None, harm)
    assert found["document"]["identifier"].to_list() == [item.document.identifier for item in JOB[1:]]
    assert found["failure"].select("identifier", "stage").rows() == [("document-0", "not finite")]
    assert table in found["failure"]["error"][0]
    check(found)


def test_failed_work_waits_until_something_has_changed(small: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store, own = small.folder / "s.duckdb", classification_work.work

    def poisoned(items: Any, *rest: Any) -> Batch:
        if "তুমি মানুষ" in [item.document.segments["text"] for item in items]:
            raise IndexError("list index out of range")
        return own(items, *rest)

    posts = tiny.posts(5)
    posts[4] = ("তুমি মানুষ", "Personal")
    small.write(posts)
    with monkeypatch.context() as patched:
        patched.setattr("workbench.pipeline.classification.worker.work", poisoned)
        summary = run(small.pipeline, store)
        assert (summary.explained, summary.failed, summary.failures) == (4, 1, {"explain": 1})
        again = run(small.pipeline, store)
        assert (again.explained, again.failed, again.waiting, again.stored) == (0, 0, 1, 4)
        assert run(small.pipeline, store, retry=True).failed == 1
        patched.setattr("workbench.store.failures.version", lambda name: "9.9")
        newer = run(small.pipeline, store)
        assert (newer.failed, newer.waiting) == (1, 0)
    other = small.pipeline.model_copy(update={"relevance": small.pipeline.relevance.model_copy(update={"composite": "cplrp.v1"})})
    assert run(other, store).explained == 5
    with Store.open(store) as opened:
        assert opened.sql("SELECT attempts FROM failures").rows() == [(3,)]  # that of the other rules stays
    posts[4] = ("তুমি চোর নেতা", "Political")
    small.write(posts)
    assert run(small.pipeline, store).explained == 1
    with Store.open(store) as opened:
        assert opened.sql("FROM failures").is_empty()
