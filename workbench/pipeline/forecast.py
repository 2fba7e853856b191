"""What a run would do, without doing it: what is missing and why, and about how long it would take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.estimate import Estimate, Work, estimate
from workbench.pipeline.lazy import LazyWorker
from workbench.pipeline.plan import Plan, plan
from workbench.pipeline.reasons import NEW, Words, outdated_words
from workbench.pipeline.sample import sample, unmeasured
from workbench.pipeline.worker import Progress, silent
from workbench.store import Store


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be explained, which stored documents get new words, how many are to be measured, and how many are no longer in the corpus.

    `loaded` says whether the models had to be loaded to know; `seconds` is None where no earlier run can tell.
    """

    plan: Plan
    words: Words
    measure: int
    vanished: int
    loaded: bool
    time: Estimate | None

    @property
    def nothing(self) -> bool:
        """Whether the store is up to the pipeline."""
        return not (self.plan.missing or self.words.documents or self.measure)


def forecast(pipeline: Pipeline, path: Path, *, workers: int = 1, progress: Progress = silent) -> Forecast:
    """What `run` would do; a store that does not exist has nothing."""
    from workbench.pipeline.run import planned

    worker = LazyWorker(pipeline)
    declaration, documents, _ = worker.read(progress)
    progress("plan", 0, 1)
    if not path.exists():
        everything = worker.wanted(documents)
        fresh = plan(everything, {(item.document.identifier, item.fingerprint) for item in everything}, pipeline.batch)
        fresh = replace(fresh, reasons={NEW: len(everything)} if everything else {})
        return Forecast(fresh, Words((), {}), pipeline.evaluation.documents, 0, worker.loaded, None)
    with Store.open(path, "read") as store:
        todo = planned(store, documents, worker)
        again = {item.document.identifier for item in todo.items}
        words = outdated_words(store, documents, declaration.name, pipeline.annotation, worker.identity.annotators, again)
        measure = 0
        if pipeline.evaluation.documents:
            chosen = sample(pipeline)
            lacking = {document.identifier for document, _ in unmeasured(store, chosen, worker.models()[-1].name, pipeline)}
            measure = len(lacking | (again & {document.identifier for document in chosen}))
        here = {document.identifier for document in documents}
        whole = pipeline.corpus.split is None and pipeline.corpus.limit is None and pipeline.retrieval is None
        vanished = len(set(store.stored_documents(declaration.name)["identifier"]) - here) if whole else 0
        size = sum(item.characters for item in todo.items)
        again_words = sum(sum(map(len, document.segments.values())) for document in words.documents)
        time = estimate(store, pipeline, Work(size, again_words, measure, workers))
        return Forecast(todo, words, measure, vanished, worker.loaded, time)
