"""One execution of a pipeline: read, plan, work, keep. Interrupt it at any moment and run it again: it goes on where it was.

The store is asked once what is missing and then only appended to, a transaction for each block of jobs.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.corpora import Declaration, Report, language_of
from workbench.document import Document
from workbench.fingerprint import Json
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.executors import Executor, InProcess
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Plan, plan
from workbench.pipeline.tally import Tally
from workbench.pipeline.work import blocks, load_worker
from workbench.pipeline.worker import Progress, Worker, silent
from workbench.store import Store


@dataclass(slots=True)
class Summary:
    """What a run did, in numbers of documents, tokens and seconds.

    `failures` counts by stage what failed now, `waiting` what failed before and is not tried again yet; `effort` what it took beyond the
    ordinary: batches `halved`, texts `windowed`, tries after a pause (`paused`).
    """

    documents: int = 0
    stored: int = 0
    explained: int = 0
    failed: int = 0
    rejected: int = 0
    reannotated: int = 0
    evaluated: int = 0
    tokens: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    open_ledgers: int = 0
    waiting: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    effort: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    tokenizer_losses: dict[str, dict[str, int]] = field(default_factory=dict)


def planned(store: Store, documents: Sequence[Document], corpus: str, worker: Worker, *, retry: bool = False) -> Plan:
    """What of the pipeline's documents the store has not got; with `retry` also what failed and would not be tried again yet."""
    everything = worker.wanted(documents)
    frame = pl.DataFrame(
        {
            "corpus": [item.document.corpus for item in everything],
            "identifier": [item.document.identifier for item in everything],
            "fingerprint": [item.fingerprint for item in everything],
        },
        schema={"corpus": pl.String, "identifier": pl.String, "fingerprint": pl.String},
    )
    lacking = store.missing(frame, failed=True)
    waiting = lacking.clear() if retry else store.waiting(lacking)
    missing = set(lacking.join(waiting, on=frame.columns, how="anti").select("identifier", "fingerprint").iter_rows())
    stored = dict(store.stored_documents(corpus).select("identifier", "fingerprint").iter_rows())
    found = plan(everything, missing, stored, worker.pipeline.batch)
    return replace(found, stored=found.stored - len(waiting), waiting=len(waiting))


def forecast(pipeline: Pipeline, path: Path) -> Plan:
    """What `run` would do, without doing it; a store that does not exist has nothing."""
    worker = load_worker(pipeline)
    declaration, documents, _ = worker.read(silent)
    if not path.exists():
        everything = worker.wanted(documents)
        return plan(everything, {(item.document.identifier, item.fingerprint) for item in everything}, {}, pipeline.batch)
    with Store.open(path, "read") as store:
        return planned(store, documents, declaration.name, worker)


def run(
    pipeline: Pipeline,
    path: Path,
    *,
    executor: Executor | None = None,
    progress: Progress = silent,
    retry: bool = False,
) -> Summary:
    """Brings the store at `path` up to the pipeline, faithfulness included where the pipeline asks for it.

    `executor` does the work, this process by default. What failed is tried again when something that could help has changed, or with
    `retry`.
    Raises the WorkbenchError of whatever cannot be read, loaded, explained or kept; what was stored before stays.
    """
    started = time.monotonic()
    progress("load", 0, 1)
    worker = load_worker(pipeline)
    declaration, documents, report = worker.read(progress)
    summary = Summary(documents=len(documents), rejected=len(report.rejected))
    with Store.open(path, "write") as store:
        summary.notices = list(store.notices)
        register(store, declaration, worker)
        todo = planned(store, documents, declaration.name, worker, retry=retry)
        summary.stored, summary.reasons, summary.waiting = todo.stored, todo.reasons, todo.waiting
        number = store.begin_run(pipeline.name, pipeline.model_dump(mode="json"), environment())
        status = "interrupted"
        try:
            keep_rejected(store, declaration.name, report, number)
            work_through(store, todo, worker, executor or InProcess(), number, progress, summary)
            reannotate(store, documents, worker, number, summary)
            if pipeline.evaluation.documents:
                summary.evaluated = worker.evaluate(store, number, progress)
            status = "finished"
        finally:
            summary.seconds = time.monotonic() - started
            store.end_run(number, status, counts(summary))
    return summary


def work_through(store: Store, todo: Plan, worker: Worker, executor: Executor, number: int, progress: Progress, summary: Summary) -> None:
    """Does every job and keeps what comes of it at once, a transaction for each block."""
    done, within = 0, 0.0

    def told(more: float) -> None:
        nonlocal within
        within += more
        progress("explain", done + int(within), todo.missing)

    progress("explain", done, todo.missing)
    for result in executor.results(blocks(todo.jobs, executor.workers), worker, told):
        store.append(result.batch, number)
        done, within = done + result.wanted, 0.0
        count(summary, result.tally)
        progress("explain", done, todo.missing)


def count(summary: Summary, more: Tally) -> None:
    """Adds the numbers of one result to those of the run."""
    summary.explained += more.explained
    summary.failed += more.failed
    summary.tokens += more.tokens
    summary.open_ledgers += more.open_ledgers
    add(summary.failures, more.failures)
    add(summary.effort, more.effort)
    for model, kinds in more.tokenizer_losses.items():
        add(summary.tokenizer_losses.setdefault(model, {}), kinds)


def add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Adds counts by name."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def reannotate(store: Store, documents: Sequence[Document], worker: Worker, number: int, summary: Summary) -> None:
    """Gives stored documents the annotator's words where another annotator's are kept; no relevance is computed again."""
    names = sorted({annotator.name for annotator in worker.annotators.all()})
    other = store.sql(
        "SELECT DISTINCT d.corpus, d.identifier FROM kept.word w JOIN kept.document d USING (document) "
        "WHERE NOT list_contains($1, w.annotator)",
        [names],
    )
    outdated = set(other.iter_rows())
    chosen = [document for document in documents if (document.corpus, document.identifier) in outdated]
    size = worker.pipeline.batch
    for part in (chosen[start : start + size] for start in range(0, len(chosen), size)):
        rows = Rows()
        for document in part:
            here = rows.document(document)
            for role, text in document.segments.items():
                language = language_of(document, role)
                words = worker.annotators.annotate([text], [language])[0]
                rows.segment(here, role, text, words, worker.annotators.of(language))
        store.replace_words(rows.batch(), number)
    summary.reannotated = len(chosen)


def register(store: Store, declaration: Declaration, worker: Worker) -> None:
    """Keeps what corpus, models and composite are."""
    description = declaration.model_dump(mode="json")
    store.register_corpus(declaration.name, fingerprint.of_json(description), description)
    for model in worker.models():
        store.register_model(model.name, model.fingerprint, model.kind, model.parameters)
    rules = worker.rules()
    store.register_composite(rules.name, rules.fingerprint, rules.parameters)


def keep_rejected(store: Store, corpus: str, report: Report, number: int) -> None:
    """Keeps what the reader refused as failures of those documents."""
    if not report.rejected:
        return
    rows = [(corpus, item.identifier, "", "read", item.reason, False, "") for item in report.rejected]
    store.append(Batch({"failure": pl.DataFrame(rows, schema=dict(SCHEMAS["failure"]), orient="row")}), number)


def environment() -> dict[str, Json]:
    """Where a run happened: versions of what its numbers depend on."""
    packages = ("torch", "transformers", "tokenizers", "spacy", "duckdb", "polars")
    return {"python": platform.python_version(), "machine": platform.machine(), **{name: version(name) for name in packages}}


def counts(summary: Summary) -> Mapping[str, Json]:
    """A summary as it is kept with its run."""
    return asdict(summary)
