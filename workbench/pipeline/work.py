"""What is done with a block of jobs, by whoever does it: its batch, made ready for a store.

A job is cut by the plan and computed alone, so that its numbers are the same whoever does it; a block of jobs is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workbench.batch import joined
from workbench.errors import PipelineError
from workbench.pipeline.attempt import attempt
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.tally import Result, tally
from workbench.pipeline.worker import Job, Told, Worker, no_one
from workbench.store.prepared import Preparation

#: A block is what a killed run has to compute again: at most so many jobs, and about so many characters.
JOBS = 8
CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """Jobs that are kept together; `first` is the place of their first document among all that a run wants."""

    jobs: tuple[Job, ...]
    first: int = 0

    @property
    def wanted(self) -> int:
        """How many explanations are wanted of it."""
        return sum(map(len, self.jobs))

    @property
    def characters(self) -> int:
        """The size of the texts in it."""
        return sum(item.characters for job in self.jobs for item in job)

    def halves(self) -> tuple[Block, Block]:
        """Its wanted explanations in two blocks of one job each."""
        items = [item for job in self.jobs for item in job]
        middle = (len(items) + 1) // 2
        return Block((items[:middle],), self.first), Block((items[middle:],), self.first + middle)


def blocks(jobs: Sequence[Job], workers: int) -> list[Block]:
    """Jobs in blocks that are worth a transaction, yet so many that every worker has several."""
    most = max(1, min(JOBS, len(jobs) // (4 * workers)))
    found: list[Block] = []
    held: list[Job] = []
    size = first = 0
    for job in jobs:
        characters = sum(item.characters for item in job)
        if held and (len(held) == most or size + characters > CHARACTERS):
            found.append(Block(tuple(held), first))
            first += found[-1].wanted
            held, size = [], 0
        held.append(job)
        size += characters
    return [*found, Block(tuple(held), first)] if held else found


def module_of(pipeline: Pipeline) -> str:
    """The module of the worker that a pipeline's task needs."""
    task = "similarity" if pipeline.similarity else "translation" if pipeline.translation else "classification"
    return f"workbench.pipeline.{task}.worker"


def load_worker(pipeline: Pipeline) -> Worker:
    """The worker that a pipeline's task needs, with its models and annotators."""
    if pipeline.similarity:
        from workbench.pipeline.similarity.worker import SimilarityWorker

        return SimilarityWorker(pipeline)
    if pipeline.translation:
        from workbench.pipeline.translation.worker import TranslationWorker

        return TranslationWorker(pipeline)
    from workbench.pipeline.classification.worker import ClassificationWorker

    return ClassificationWorker(pipeline)


def preparation(worker: Worker) -> Preparation:
    """What makes a worker's batches ready for a store."""
    return Preparation((model.name, model.fingerprint, model.kind, model.parameters) for model in worker.models())


def work_on(block: Block, worker: Worker, told: Told = no_one, scratch: Preparation | None = None) -> Result:
    """The result of one block: a batch, made ready where there is a scratch store."""
    batch = joined([attempt(worker, job, told) for job in block.jobs])
    return Result(block.wanted, scratch.prepare(batch) if scratch else batch, tally(batch), block.characters)


#: What a process does with a block once it has begun.
Do: TypeAlias = Callable[[Block, Told], Result]


@dataclass(frozen=True, slots=True)
class Work:
    """What a process of its own is to do: batches of these models, made ready there, so that the store's one hand only puts them in."""

    pipeline: Pipeline
    fingerprint: str

    def begin(self) -> Do:
        """Loads the worker; PipelineError where its models are not those that were planned with."""
        worker = load_worker(self.pipeline)
        if worker.fingerprint != self.fingerprint:
            found = "models that changed after the work was planned"
            raise PipelineError(f"load the models of {self.pipeline.name}", found, "run it again", retryable=True)
        scratch = preparation(worker)
        return lambda block, told: work_on(block, worker, told, scratch)
