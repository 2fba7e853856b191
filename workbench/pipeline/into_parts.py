"""A run whose results are parts in a folder or an object store: for any number of workers and of documents.

What parts say is looked up in a store over them, which is made before the work, to plan it, and again after it, to be read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from workbench import fingerprint
from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.fingerprint import Json
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.executors import Executor, InProcess
from workbench.pipeline.lazy import LazyWorker
from workbench.pipeline.plan import Plan
from workbench.pipeline.reasons import made_texts, outdated_words
from workbench.pipeline.run import (
    Summary,
    begin,
    count,
    counts,
    environment,
    planned,
    ready,
    refused,
    reworded,
    same_name_other_weights,
)  # fmt: skip
from workbench.pipeline.stages import Stages
from workbench.pipeline.work import WriteParts, numbers_of_each, preparation
from workbench.pipeline.worker import Progress, Worker, silent
from workbench.store import Store
from workbench.store.parts import part
from workbench.store.parts.over import over
from workbench.store.parts.part import Part
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Prepared


def run_into_parts(
    pipeline: Pipeline,
    url: str,
    path: Path,
    *,
    executor: Executor | None = None,
    progress: Progress = silent,
    retry: bool = False,
    as_before: bool = False,
    summary: Summary | None = None,
) -> Summary:
    """Brings the parts at `url` up to the pipeline, and the store at `path`, which stands over them.

    Parts that a killed run left whole count at once. Faithfulness is measured by a run into a store with rows of its own.
    Raises the WorkbenchError of whatever cannot be read, loaded, explained or kept; parts that count already stay.
    """
    started, executor = time.monotonic(), executor or InProcess()
    worker, told, summary, (declaration, documents, report) = begin(pipeline, executor, progress, summary)
    parts = Parts(url)
    if adopted := parts.adopt():
        summary.notices.append(f"{len(adopted)} parts of an interrupted run were whole and count now")
    over(parts, path)
    with Store.open(path) as store:
        todo = planned(store, documents, worker, retry=retry, as_before=as_before)
        again = {item.document.identifier for item in todo.items}
        words = outdated_words(store, documents, declaration.name, pipeline.annotation, worker.identity.annotators, again).documents
        made = made_texts(store, declaration.name) if words else {}
        for model in worker.models():
            same_name_other_weights(store, model, pipeline)
    summary.stored, summary.reasons, summary.waiting = todo.stored, todo.reasons, todo.waiting
    if pipeline.evaluation.documents:
        summary.notices.append("faithfulness is not measured in a run into parts: run the pipeline into a compacted store")
    if todo.missing or words or new_refusals(path, declaration.name, report):
        work_through(parts, worker, executor, declaration, report, todo, reworded(words, made, worker), len(words), told, summary)
        told("store", 0, 1)
        over(parts, path)
    told.end()
    summary.seconds = time.monotonic() - started
    return summary


def new_refusals(path: Path, corpus: str, report: Report) -> bool:
    """Whether the reader refused documents that are not known to be refused."""
    with Store.open(path) as store:
        known = store.sql("SELECT identifier FROM kept.failure WHERE corpus = $1 AND stage = 'read'", [corpus])["identifier"]
    return bool({item.identifier for item in report.rejected} - set(known))


def work_through(
    parts: Parts, worker: LazyWorker, executor: Executor, declaration: Declaration, report: Report, todo: Plan,
    words: Iterator[Batch], reworded_ones: int, told: Stages, summary: Summary,
) -> None:  # fmt: skip
    """One run of the parts: what was refused, what is explained, and new words of what was explained before."""
    pipeline = worker.pipeline
    models = tuple(worker.models())
    each = numbers_of_each(models)
    numbers = parts.begin_run(
        pipeline.name, pipeline.model_dump(mode="json", exclude={"schedule"}), environment(), registered(declaration, worker),
        documents=todo.missing + reworded_ones, explanations=(todo.missing + reworded_ones) * each,
    )  # fmt: skip
    work = WriteParts(pipeline, worker.fingerprint, models, parts.place.url, numbers, each)
    status = "interrupted"
    began = time.monotonic()
    try:
        if report.rejected:
            keep(parts, work, refused(declaration.name, report))
        done, cut = 0, ready(worker, executor, todo, summary)
        if cut:
            told("explain", done, todo.missing)
        for result in executor.results(cut, worker, lambda _: None, work):
            keep(parts, work, result.batch)
            done += result.wanted
            count(summary, result.tally)
            summary.characters += result.characters
            told("explain", done, todo.missing)
        done = 0
        for batch in words:
            told("annotate", done, reworded_ones)
            keep(parts, work, batch, todo.missing + done)
            done += len(batch["document"])
            summary.annotated += int(batch["segment"]["text"].str.len_chars().sum())
        summary.reannotated = done
        status = "finished"
    finally:
        summary.seconds = time.monotonic() - began
        parts.end_run(numbers.run, status, counts(summary))


def keep(parts: Parts, work: WriteParts, found: Batch | Prepared | Part, first: int = 0) -> None:
    """Makes a part count; what has not been written as one is written now, with numbers from the place `first` among the run's."""
    if isinstance(found, Batch):
        found = preparation(work.models).prepare(found)
    if isinstance(found, Prepared):
        count = len(found.frames["document"]) if "document" in found.frames else 1
        numbers = work.of(first, count)
        found = part.write(parts.place, found, numbers, fingerprint.of_json(found.input_hash), {})
    parts.commit([found])


def registered(declaration: Declaration, worker: Worker) -> dict[str, Json]:
    """What corpora, models and rules are, as a store registers them."""
    description = declaration.model_dump(mode="json")
    rules = worker.rules()
    return {
        "corpora": [[declaration.name, fingerprint.of_json(description), description]],
        "models": [[model.name, model.fingerprint, model.kind, dict(model.parameters)] for model in worker.models()],
        "composites": [[rules.name, rules.fingerprint, dict(rules.parameters)]],
    }
