"""A worker that loads its models when the first job comes: where nothing is missing, nothing is loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.errors import PipelineError
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import documents
from workbench.pipeline.identity import Identity, recalled, remember
from workbench.pipeline.plan import Wanted, wanted
from workbench.pipeline.sample import sample, unmeasured
from workbench.pipeline.work import load_worker
from workbench.pipeline.worker import Job, Model, Progress, Rules, Told, Worker, no_one, rules_of, silent
from workbench.store import Store


class LazyWorker:
    """The worker of a pipeline, known by its files as long as that is enough.

    A search needs its encoder to find its pairs, and which systems translate depends on the languages met: there the models come at once.
    """

    def __init__(self, pipeline: Pipeline, progress: Progress = silent) -> None:
        self.pipeline = pipeline
        self._progress = progress
        self._worker: Worker | None = None
        self._annotators = Annotators(pipeline.annotation)
        self._direct = pipeline.retrieval is not None or pipeline.translation is not None
        self._identity = None if self._direct else recalled(pipeline)

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._worker is not None

    def load(self) -> None:
        """Loads the models now."""
        self.worker  # noqa: B018 - loads where it has not

    @property
    def worker(self) -> Worker:
        """The worker with its models; PipelineError where they changed since they were known."""
        if self._worker is None:
            self._progress("load", 0, 1)
            worker = load_worker(self.pipeline)
            found = identity_of(worker)
            known, self._identity, self._worker = self._identity, found, worker
            if known != found and not self._direct:
                remember(self.pipeline, found)
            if known is not None and known != found:
                asked = f"load the models of {self.pipeline.name}"
                raise PipelineError(asked, "files that changed while they were looked at", "run it again", retryable=True)
        return self._worker

    @property
    def identity(self) -> Identity:
        """What models and annotators are."""
        return self._identity or identity_of(self.worker)

    @property
    def fingerprint(self) -> str:
        """What stands for all models, and annotators where they determine a number."""
        return self.identity.fingerprint

    @property
    def annotators(self) -> Annotators:
        """The annotators, which words alone need."""
        return self._worker.annotators if self._worker is not None else self._annotators

    def __call__(self, job: Job, told: Told = no_one) -> Batch:
        """The batch of one job."""
        return self.worker(job, told)

    @property
    def sparingly(self) -> Callable[[Wanted, int], Batch] | None:
        """How the worker explains one document in little memory, where it can."""
        return getattr(self.worker, "sparingly", None)

    def read(self, progress: Progress) -> tuple[Declaration, list[Document], Report]:
        """The pipeline's documents."""
        if self._direct:
            return self.worker.read(progress)
        progress("read", 0, 1)
        return documents(self.pipeline)

    def wanted(self, documents: Sequence[Document]) -> list[Wanted]:
        """All explanations that the pipeline wants, in the order of work."""
        return self.worker.wanted(documents) if self._direct else wanted(documents, self.fingerprint, self.pipeline)

    def models(self) -> Sequence[Model]:
        """What is to be registered."""
        return self.worker.models() if self._direct else self.identity.models

    def rules(self) -> Rules:
        """What is to be registered of how relevance is propagated."""
        return self.worker.rules() if self._direct else rules_of(self.pipeline.composite)

    def evaluate(self, store: Store, number: int, progress: Progress) -> int:
        """Measures what the pipeline asks for and is not measured yet."""
        if self._direct or self.pipeline.similarity or not unmeasured(store, sample(self.pipeline), self.models()[-1].name, self.pipeline):
            return 0
        return self.worker.evaluate(store, number, progress)


def identity_of(worker: Worker) -> Identity:
    """The identity that a loaded worker shows."""
    choice = worker.pipeline.annotation
    annotators = {}
    for language in [*choice.languages, *([None] if choice.pipeline else [])]:
        found = worker.annotators.of(language)
        annotators[choice.languages.get(language or "") or str(choice.pipeline)] = (found.name, found.fingerprint)
    return Identity(worker.fingerprint, tuple(worker.models()), annotators)
