"""What is done with a block of jobs, by whoever does it: its batch, made ready for a store.

A job is cut by the plan and computed alone, so that its numbers are the same whoever does it; a block of jobs is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from workbench.batch import Batch, joined, of_documents
from workbench.errors import PipelineError
from workbench.fingerprint import of_json
from workbench.pipeline.attempt import attempt
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import Wanted
from workbench.pipeline.tally import Result, tally
from workbench.pipeline.worker import Job, Model, Told, Worker, no_one
from workbench.store.parts import part
from workbench.store.parts.part import Numbers, Part
from workbench.store.parts.place import Place
from workbench.store.prepared import Preparation, Prepared

#: A block is what a killed run has to compute again: at most so many jobs, and about so many characters.
JOBS = 8
CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """Jobs that are kept together; `first` is the place of their first document among all that a run wants."""

    jobs: tuple[Job, ...]
    first: int = 0

    @property
    def items(self) -> list[Wanted]:
        """The explanations that are wanted of it."""
        return [item for job in self.jobs for item in job if not item.beside]

    @property
    def wanted(self) -> int:
        """How many explanations are wanted of it."""
        return len(self.items)

    @property
    def characters(self) -> int:
        """The size of the texts in it."""
        return sum(item.characters for job in self.jobs for item in job)

    def halves(self) -> tuple[Block, Block]:
        """Its wanted explanations in two blocks of one job each."""
        items = self.items
        middle = (len(items) + 1) // 2
        return Block((items[:middle],), self.first), Block((items[middle:],), self.first + middle)


def blocks(jobs: Sequence[Job], workers: int) -> list[Block]:
    """Jobs in blocks that are worth a transaction, yet so many that every worker has several.

    The longest texts come first: what does not fit into memory is known at once, and short blocks last let all workers end together.
    """
    found: list[Block] = []
    held: list[Job] = []
    most = size = first = 0
    for place, job in enumerate(reversed(jobs)):
        characters = sum(item.characters for item in job)
        if held and (len(held) >= most or size + characters > CHARACTERS):
            found.append(Block(tuple(held), first))
            first += found[-1].wanted
            held, size = [], 0
        if not held:
            shared = JOBS if workers == 1 else (len(jobs) - place) // (2 * workers)
            most = max(1, min(JOBS, len(jobs) // (4 * workers), shared))
        held.append(job)
        size += characters
    return [*found, Block(tuple(held), first)] if held else found


def module_of(pipeline: Pipeline) -> str:
    """The module of the worker that a pipeline's task needs."""
    task = "similarity" if pipeline.similarity else "translation" if pipeline.translation else "classification"
    return f"workbench.pipeline.{task}.worker"


def load_worker(pipeline: Pipeline, device: str = "cpu") -> Worker:
    """The worker that a pipeline's task needs, with its annotators, and its models on a device."""
    if pipeline.similarity:
        from workbench.pipeline.similarity.worker import SimilarityWorker

        return SimilarityWorker(pipeline, device)
    if pipeline.translation:
        from workbench.pipeline.translation.worker import TranslationWorker

        return TranslationWorker(pipeline, device)
    from workbench.pipeline.classification.worker import ClassificationWorker

    return ClassificationWorker(pipeline, device)


def preparation(models: Sequence[Model]) -> Preparation:
    """What makes batches of these models ready for a store."""
    return Preparation((model.name, model.fingerprint, model.kind, model.parameters) for model in models)


def work_on(block: Block, worker: Worker, told: Told = no_one, scratch: Preparation | None = None) -> Result:
    """The result of one block: a batch, made ready where there is a scratch store."""
    batch = joined([own(attempt(worker, job, told), job) for job in block.jobs])
    return Result(block.wanted, scratch.prepare(batch) if scratch else batch, tally(batch), block.characters)


def own(batch: Batch, job: Job) -> Batch:
    """What of a job's batch is to be kept: nothing of what only stood beside."""
    if not any(item.beside for item in job):
        return batch
    return of_documents(batch, {item.document.identifier for item in job if not item.beside})


#: What is done with a block once a worker is loaded.
Do: TypeAlias = Callable[[Block, Told], Result]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, by whichever process: explain documents with these models, as they were planned with."""

    pipeline: Pipeline
    fingerprint: str
    models: tuple[Model, ...]

    def here(self, worker: Worker) -> Do:
        """In this process, with its worker: batches as they are."""
        return lambda block, told: work_on(block, worker, told)

    def begin(self, device: str = "cpu") -> Do:
        """In a process of its own: batches are made ready there, so that the store's one hand only puts them in.

        Raises PipelineError where the models are not those that were planned with.
        """
        worker = self.loaded(device)
        scratch = preparation(self.models)
        return lambda block, told: work_on(block, worker, told, scratch)

    def loaded(self, device: str) -> Worker:
        """A worker with the models that were planned with."""
        worker = load_worker(self.pipeline, device)
        if worker.fingerprint != self.fingerprint:
            found = "models that changed after the work was planned, or that are others on this machine"
            raise PipelineError(f"load the models of {self.pipeline.name}", found, "run it again", retryable=True)
        return worker


@dataclass(frozen=True, slots=True)
class WriteParts(Work):
    """Explain documents and write a part for each block; `numbers` are the run's, of which every document has `each` for explanations."""

    url: str
    numbers: Numbers
    each: int

    def here(self, worker: Worker) -> Do:
        """In this process, with its worker."""
        place, scratch = Place(self.url), preparation(self.models)

        def write(block: Block, told: Told) -> Result:
            found = work_on(block, worker, told, scratch)
            assert isinstance(found.batch, Prepared)
            return replace(found, batch=self.write(place, found.batch, block, found))

        return write

    def begin(self, device: str = "cpu") -> Do:
        """In a process of its own."""
        return self.here(self.loaded(device))

    def write(self, place: Place, ready: Prepared, block: Block, found: Result) -> Part:
        """The part of one block."""
        items = [[item.document.corpus, item.document.identifier, item.fingerprint] for item in block.items]
        told = {"wanted": found.wanted, "characters": found.characters, **asdict(found.tally)}
        return part.write(place, ready, self.of(block.first, block.wanted), of_json(items), told)

    def of(self, first: int, count: int) -> Numbers:
        """The numbers of some of the run's documents."""
        numbers = self.numbers
        return Numbers(numbers.run, numbers.document + first, numbers.explanation + first * self.each, count * self.each)


def planned(worker: Worker) -> Work:
    """Batches for a store, by the models that a worker has."""
    return Work(worker.pipeline, worker.fingerprint, tuple(worker.models()))


def numbers_of_each(models: Sequence[Model]) -> int:
    """How many explanations a document can have at most by each model that is asked: one by each, and one of each of its texts."""
    return len(models) + 2
