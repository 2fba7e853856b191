"""One execution of a pipeline: read, plan, work, keep. Interrupt it at any moment and run it again: it goes on where it was.

The store is asked once what is missing and then only appended to, a transaction for each job.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import polars as pl

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.corpora import Declaration, Report, language_of
from workbench.document import Document
from workbench.fingerprint import Json
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.executors import batches, load_worker
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Plan, plan, wanted
from workbench.pipeline.worker import Progress, Worker, silent
from workbench.rules.composite import composite
from workbench.store import Store

#: |gap| / max(|target|, 1) up to which a ledger counts as closed, by precision.
LARGEST_GAP = {"float32": 1e-4, "float64": 1e-10, "bfloat16": 5e-2}


@dataclass(slots=True)
class Summary:
    """What a run did, in numbers of documents, tokens and seconds."""

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
    notices: list[str] = field(default_factory=list)
    tokenizer_losses: dict[str, dict[str, int]] = field(default_factory=dict)


def planned(store: Store, documents: Sequence[Document], corpus: str, model: str, pipeline: Pipeline) -> Plan:
    """What of the pipeline's documents the store has not got."""
    everything = wanted(documents, model, pipeline)
    frame = pl.DataFrame(
        {
            "corpus": [item.document.corpus for item in everything],
            "identifier": [item.document.identifier for item in everything],
            "fingerprint": [item.fingerprint for item in everything],
        },
        schema={"corpus": pl.String, "identifier": pl.String, "fingerprint": pl.String},
    )
    missing = set(store.missing(frame)["identifier"])
    stored = dict(store.stored_documents(corpus).select("identifier", "fingerprint").iter_rows())
    return plan(everything, missing, stored, pipeline.batch)


def forecast(pipeline: Pipeline, path: Path) -> Plan:
    """What `run` would do, without doing it; a store that does not exist has nothing."""
    worker = load_worker(pipeline)
    declaration, documents, _ = worker.read(silent)
    if not path.exists():
        everything = wanted(documents, worker.fingerprint, pipeline)
        return plan(everything, {item.document.identifier for item in everything}, {}, pipeline.batch)
    with Store.open(path, "read") as store:
        return planned(store, documents, declaration.name, worker.fingerprint, pipeline)


def run(
    pipeline: Pipeline,
    path: Path,
    *,
    workers: int = 1,
    progress: Progress = silent,
) -> Summary:
    """Brings the store at `path` up to the pipeline, faithfulness included where the pipeline asks for it.

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
        todo = planned(store, documents, declaration.name, worker.fingerprint, pipeline)
        summary.stored, summary.reasons = todo.stored, todo.reasons
        number = store.begin_run(pipeline.name, pipeline.model_dump(mode="json"), environment())
        status = "interrupted"
        try:
            keep_rejected(store, declaration.name, report, number)
            work_through(store, todo, worker, workers, number, progress, summary)
            reannotate(store, documents, worker, number, summary)
            if pipeline.evaluation.documents:
                summary.evaluated = worker.evaluate(store, number, progress)
            status = "finished"
        finally:
            summary.seconds = time.monotonic() - started
            store.end_run(number, status, counts(summary))
    return summary


def work_through(store: Store, todo: Plan, worker: Worker, workers: int, number: int, progress: Progress, summary: Summary) -> None:
    """Does every job and keeps its batch at once."""
    done = 0
    progress("explain", done, todo.missing)
    for job, batch in zip(todo.jobs, batches(todo.jobs, worker, workers), strict=True):
        store.append(batch, number)
        done += len(job)
        summary.explained += len(batch["document"])
        summary.failed += len(batch["failure"])
        summary.tokens += len(batch["token"])
        summary.open_ledgers += open_ledgers(batch["explanation"])
        losses = batch["score"].filter(pl.col("method") == "tokenizer")
        for model, kind, documents in losses.group_by("model", "metric").len().iter_rows():
            by_kind = summary.tokenizer_losses.setdefault(model, {})
            by_kind[kind] = by_kind.get(kind, 0) + documents
        progress("explain", done, todo.missing)


def open_ledgers(explanations: pl.DataFrame) -> int:
    """How many explanations have a relative gap above what their precision allows: relevance went somewhere that no rule has booked."""
    allowed = pl.col("precision").replace_strict(LARGEST_GAP, return_dtype=pl.Float64)
    relative = pl.col("gap").abs() / pl.max_horizontal(pl.col("target_value").abs(), 1.0)
    return explanations.filter(relative > allowed).height


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
    rules = composite(worker.pipeline.composite)
    store.register_composite(rules.name, rules.fingerprint, asdict(rules))


def keep_rejected(store: Store, corpus: str, report: Report, number: int) -> None:
    """Keeps what the reader refused as failures of those documents."""
    if not report.rejected:
        return
    rows = [(corpus, item.identifier, "", "read", item.reason, False) for item in report.rejected]
    store.append(Batch({"failure": pl.DataFrame(rows, schema=dict(SCHEMAS["failure"]), orient="row")}), number)


def environment() -> dict[str, Json]:
    """Where a run happened: versions of what its numbers depend on."""
    packages = ("torch", "transformers", "tokenizers", "spacy", "duckdb", "polars")
    return {"python": platform.python_version(), "machine": platform.machine(), **{name: version(name) for name in packages}}


def counts(summary: Summary) -> Mapping[str, Json]:
    """A summary as it is kept with its run."""
    return asdict(summary)
