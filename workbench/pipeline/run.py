"""One execution of a pipeline: read, plan, work, keep. Interrupt it at any moment and run it again: it goes on where it was.

The store is asked once what is missing and then only appended to, a transaction for each block of jobs.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.corpora import Declaration, Report, language_of
from workbench.document import Document
from workbench.errors import PipelineError
from workbench.fingerprint import Json
from workbench.models.places import known_as
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.executors import Executor, InProcess
from workbench.pipeline.frames import Rows
from workbench.pipeline.lazy import LazyWorker
from workbench.pipeline.order import put_in_order, worth
from workbench.pipeline.plan import Plan, asked, plan
from workbench.pipeline.reasons import made_texts, outdated_words, reasons
from workbench.pipeline.stages import Stages
from workbench.pipeline.staging import Staging
from workbench.pipeline.tally import Tally
from workbench.pipeline.work import Block, blocks
from workbench.pipeline.worker import Model, Progress, Worker, silent
from workbench.store import Store
from workbench.store.parts.part import Part
from workbench.store.wanted import waiting as waiting_of


@dataclass(slots=True)
class Summary:
    """What a run did, in numbers of documents, tokens and seconds.

    `failures` counts by stage what failed now, `waiting` what failed before and is not tried again yet; `effort` what it took beyond the
    ordinary: batches `halved`, texts `windowed`, tries after a pause (`paused`).
    `characters` of `characters_wanted` were explained and `annotated` (characters too) got new words; `stages` are seconds by stage.
    """

    documents: int = 0
    stored: int = 0
    explained: int = 0
    failed: int = 0
    rejected: int = 0
    reannotated: int = 0
    evaluated: int = 0
    tokens: int = 0
    characters: int = 0
    characters_wanted: int = 0
    annotated: int = 0
    workers: int = 1
    stages: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    open_ledgers: int = 0
    waiting: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    effort: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    tokenizer_losses: dict[str, dict[str, int]] = field(default_factory=dict)


def planned(store: Store, documents: Sequence[Document], worker: LazyWorker, *, retry: bool = False, as_before: bool = False) -> Plan:
    """What of the pipeline's documents the store has not got, and why.

    With `retry` also what failed and would not be tried again yet; with `as_before` in the batches of a run that explains everything.
    """
    everything = worker.wanted(documents)
    frame = asked(everything)
    lacking = store.missing(frame, failed=True)
    waiting = lacking.clear() if retry else waiting_of(store.connection, store.path, lacking)
    missing = set(lacking.join(waiting, on=frame.columns, how="anti").select("identifier", "fingerprint").iter_rows())
    found = plan(everything, missing, worker.pipeline.batch, as_before=as_before)
    why = reasons(store, found.items, worker) if found.jobs else {}
    return replace(found, reasons=why, stored=found.stored - len(waiting), waiting=len(waiting))


def run(
    pipeline: Pipeline,
    path: Path,
    *,
    executor: Executor | None = None,
    progress: Progress = silent,
    retry: bool = False,
    as_before: bool = False,
    summary: Summary | None = None,
) -> Summary:
    """Brings the store at `path` up to the pipeline, faithfulness included where the pipeline asks for it.

    `executor` does the work, this process by default. What failed is tried again when something that could help has changed, or with
    `retry`; with `as_before` in the batches of a run that explains everything. A `summary` that is given is filled while the run goes on.
    Raises the WorkbenchError of whatever cannot be read, loaded, explained or kept; what was stored before stays.
    """
    started, executor = time.monotonic(), executor or InProcess()
    worker, told, summary, (declaration, documents, report) = begin(pipeline, executor, progress, summary)
    with Store.open(path, "write") as store:
        summary.notices = store.notices
        staging = Staging(store)
        if taken := staging.recover(store):
            summary.notices.append(f"{taken} blocks that an interrupted run had computed were taken in")
        register(store, declaration, worker)
        todo = planned(store, documents, worker, retry=retry, as_before=as_before)
        summary.stored, summary.reasons, summary.waiting = todo.stored, todo.reasons, todo.waiting
        number = store.begin_run(pipeline.name, pipeline.model_dump(mode="json", exclude={"schedule"}), environment())
        status = "interrupted"
        try:
            keep_rejected(store, declaration.name, report, number)
            if todo.missing or pipeline.evaluation.documents:
                store.publish()
            work_through(store, todo, worker, executor, number, told, summary, staging)
            staging.clear()
            reannotate(store, documents, todo, worker, number, told, summary)
            if pipeline.evaluation.documents:
                summary.evaluated = worker.evaluate(store, number, told)
            status = "finished"
        finally:
            told.end()
            summary.seconds = time.monotonic() - started
            store.end_run(number, status, counts(summary))
    if worth(path, store.publications, summary.seconds):
        summary.notices += put_in_order(path, told)
        told.end()
    return summary


def begin(
    pipeline: Pipeline, executor: Executor, progress: Progress, summary: Summary | None
) -> tuple[LazyWorker, Stages, Summary, tuple[Declaration, list[Document], Report]]:
    """What every run begins with: a worker that loads when it must, the stages, the summary, and what was read of the corpus."""
    told = Stages(progress)
    worker = LazyWorker(pipeline, told)
    found = worker.read(told)
    _, documents, report = found
    summary = summary or Summary()
    summary.documents, summary.rejected = len(documents), len(report.rejected)
    summary.workers, summary.stages = executor.workers, told.seconds
    told("plan", 0, 1)
    return worker, told, summary, found


def work_through(
    store: Store, todo: Plan, worker: LazyWorker, executor: Executor, number: int, progress: Progress, summary: Summary, staging: Staging
) -> None:
    """Does every job and keeps what comes of it at once, a transaction for each block."""
    done, within = 0, 0.0

    def told(more: float) -> None:
        nonlocal within
        within += more
        progress("explain", done + int(within), todo.missing)

    if not todo.missing:
        return
    cut = ready(worker, executor, todo, summary)
    progress("explain", done, todo.missing)
    for result in executor.results(cut, worker, told, staging.work(worker, number) if executor.writes_parts else None):
        if isinstance(result.batch, Part):
            staging.take(store, result.batch)
        else:
            store.append(result.batch, number)
        done, within = done + result.wanted, 0.0
        count(summary, result.tally)
        summary.characters += result.characters
        progress("explain", done, todo.missing)


def ready(worker: LazyWorker, executor: Executor, todo: Plan, summary: Summary) -> list[Block]:
    """What is to be explained, in blocks; where this process is to do it, its models are loaded: loading has a stage of its own."""
    cut = blocks(todo.jobs, executor.workers)
    summary.characters_wanted = sum(block.characters for block in cut)
    if cut and not executor.writes_parts and (executor.workers == 1 or len(cut) == 1):
        worker.load()
    return cut


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


def reannotate(
    store: Store, documents: Sequence[Document], todo: Plan, worker: LazyWorker, number: int, progress: Progress, summary: Summary
) -> None:
    """Gives stored documents the annotator's words where others' or none are kept; no relevance is computed again."""
    again = {item.document.identifier for item in todo.items}
    corpus = documents[0].corpus if documents else ""
    chosen = outdated_words(store, documents, corpus, worker.pipeline.annotation, worker.identity.annotators, again).documents
    done = 0
    for batch in reworded(chosen, made_texts(store, corpus) if chosen else {}, worker):
        progress("annotate", done, len(chosen))
        store.replace_words(batch, number)
        done += len(batch["document"])
        summary.annotated += int(batch["segment"]["text"].str.len_chars().sum())
    if chosen:
        progress("annotate", len(chosen), len(chosen))
    summary.reannotated = len(chosen)


def reworded(chosen: Sequence[Document], made: Mapping[str, Mapping[str, str]], worker: Worker) -> Iterator[Batch]:
    """Batches of the words that the worker's annotators find in documents and in what models `made` of them (by identifier and role)."""
    size = worker.pipeline.batch
    for start in range(0, len(chosen), size):
        rows = Rows()
        for document in chosen[start : start + size]:
            here = rows.document(document)
            for role, text in {**document.segments, **made.get(document.identifier, {})}.items():
                language = language_of(document, role)
                words = worker.annotators.annotate([text], [language])[0]
                rows.segment(here, role, text, words, worker.annotators.of(language))
        yield rows.batch()


def register(store: Store, declaration: Declaration, worker: Worker) -> None:
    """Keeps what corpus, models and composite are."""
    description = declaration.model_dump(mode="json")
    store.register_corpus(declaration.name, fingerprint.of_json(description), description)
    for model in worker.models():
        changed = same_name_other_weights(store, model, worker.pipeline)
        store.register_model(model.name, model.fingerprint, model.kind, model.parameters, changed=changed)
    rules = worker.rules()
    store.register_composite(rules.name, rules.fingerprint, rules.parameters)


def same_name_other_weights(store: Store, model: Model, pipeline: Pipeline) -> bool:
    """Whether the store knows a model under this name with other weights, as earlier runs of the same declared model left it.

    Raises PipelineError where they came from a model that is declared elsewhere: two folders of one name are two models.
    """
    known = store.sql("SELECT fingerprint FROM kept.model WHERE name = $1", [model.name])["fingerprint"].to_list()
    if not known or known[0] == model.fingerprint:
        return False
    declared = store.sql("SELECT DISTINCT json_extract_string(parameters, '$.model.name') AS name FROM kept.run").drop_nulls()
    elsewhere = [name for name in declared["name"] if known_as(name) == known_as(pipeline.model.name) and name != pipeline.model.name]
    if elsewhere and pipeline.model.name not in declared["name"].to_list():
        asked = f"explain with the model {pipeline.model.name}"
        found = f"a store that knows another model of that name, from {', '.join(sorted(elsewhere))}"
        raise PipelineError(asked, found, "rename the folder, use another store, or name the model as before if it is the same one")
    return True


def keep_rejected(store: Store, corpus: str, report: Report, number: int) -> None:
    """Keeps what the reader refused as failures of those documents."""
    if report.rejected:
        store.append(refused(corpus, report), number)


def refused(corpus: str, report: Report) -> Batch:
    """What the reader refused, as failures of those documents."""
    rows = [(corpus, item.identifier, "", "read", item.reason, False, "") for item in report.rejected]
    return Batch({"failure": pl.DataFrame(rows, schema=dict(SCHEMAS["failure"]), orient="row")})


def environment() -> dict[str, Json]:
    """Where a run happened: versions of what its numbers depend on."""
    packages = ("torch", "transformers", "tokenizers", "spacy", "duckdb", "polars")
    return {"python": platform.python_version(), "machine": platform.machine(), **{name: version(name) for name in packages}}


def counts(summary: Summary) -> Mapping[str, Json]:
    """A summary as it is kept with its run."""
    return asdict(summary)
