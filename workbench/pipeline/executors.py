"""Who does the work: this process, or several with one torch thread each, which make batches ready for the store as well.

An executor turns blocks of jobs into results. A job is cut by the plan and computed alone, so that its numbers are the same whoever
does it; a block of jobs is one transaction. Only a few blocks are handed out at a time: who keeps the results is never overrun.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Protocol, TypeAlias

from workbench.batch import joined
from workbench.errors import InputError, PipelineError
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.frames import Rows
from workbench.pipeline.tally import Result, tally
from workbench.pipeline.worker import Job, Told, Worker, no_one
from workbench.store.prepared import Preparation

Block: TypeAlias = Sequence[Job]

#: A block is what a killed run has to compute again: at most so many jobs, and about so many characters.
JOBS = 8
CHARACTERS = 100_000
#: Blocks for each process beyond the one at hand, so that none of them waits.
AHEAD = 2
#: How often all processes may be lost in a row before the work that does it is looked for.
LOSSES = 2


class Executor(Protocol):
    """Whoever turns blocks into results."""

    workers: int

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = ..., /) -> Iterator[Result]:
        """A result for each block; `worker` is this process's own, `told` hears how far it is within a block."""


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


def blocks(jobs: Sequence[Job], workers: int) -> list[Block]:
    """Jobs in blocks that are worth a transaction, yet so many that every worker has several."""
    most = max(1, min(JOBS, len(jobs) // (4 * workers)))
    found: list[list[Job]] = []
    size = 0
    for job in jobs:
        characters = sum(item.characters for item in job)
        if not found or len(found[-1]) == most or size + characters > CHARACTERS:
            found.append([])
            size = 0
        found[-1].append(job)
        size += characters
    return list(found)


def preparation(worker: Worker) -> Preparation:
    """What makes a worker's batches ready for a store."""
    return Preparation((model.name, model.fingerprint, model.kind, model.parameters) for model in worker.models())


def work_on(block: Block, worker: Worker, scratch: Preparation | None = None, told: Told = no_one) -> Result:
    """The result of one block."""
    batch = joined([worker(job, told) for job in block])
    return Result(sum(map(len, block)), scratch.prepare(batch) if scratch else batch, tally(batch))


class InProcess:
    """This process does everything, one block after another."""

    workers = 1

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = no_one) -> Iterator[Result]:
        """A result for each block, in their order."""
        for block in blocks:
            yield work_on(block, worker, told=told)


class Processes:
    """So many processes with one torch thread each; those that are lost are started again, and what kills them alone is recorded."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = no_one) -> Iterator[Result]:
        """A result for each block, in their order."""
        if len(blocks) <= 1:
            yield from InProcess().results(blocks, worker, told)
            return
        left, losses = deque(blocks), 0
        while left:
            try:
                for result in self._through(left, worker.pipeline):
                    left.popleft()
                    losses = 0
                    yield result
            except BrokenProcessPool:
                losses += 1
                if losses >= LOSSES:
                    for _ in range(min(len(left), self.workers * AHEAD)):
                        yield from alone(left.popleft(), worker.pipeline)
                    losses = 0

    def _through(self, blocks: Sequence[Block], pipeline: Pipeline) -> Iterator[Result]:
        waiting: deque[Future[Result]] = deque()
        coming = iter(list(blocks))
        with pool(min(self.workers, len(blocks)), pipeline) as processes:
            try:
                for block in coming:
                    waiting.append(processes.submit(call, block))
                    if len(waiting) >= self.workers * AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                processes.shutdown(wait=True, cancel_futures=True)


def local(workers: int) -> Executor:
    """This machine: one process, this one, or several."""
    return InProcess() if workers <= 1 else Processes(workers)


def alone(block: Block, pipeline: Pipeline) -> Iterator[Result]:
    """A block in a process of its own; where that one is lost as well, in halves, down to the document that does it: a failure.

    Raises PipelineError where a process is lost before it has begun.
    """
    with pool(1, pipeline) as process:
        try:
            process.submit(ready).result()
        except BrokenProcessPool:
            found, remedy = "a process that is killed while it loads", "free memory, or use a smaller model"
            raise PipelineError(f"run {pipeline.name} in processes", found, remedy, retryable=True) from None
        try:
            yield process.submit(call, block).result()
            return
        except BrokenProcessPool:
            items = [item for job in block for item in job]
    if len(items) > 1:
        middle = (len(items) + 1) // 2
        yield from alone([items[:middle]], pipeline)
        yield from alone([items[middle:]], pipeline)
        return
    rows = Rows()
    found, remedy = "the process that worked on it was killed, again and again", "free memory or use a larger machine; shorter texts fit"
    rows.failure(items[0].document, items[0].fingerprint, "explain", InputError("explain a text", found, remedy, retryable=True))
    batch = rows.batch()
    yield Result(1, batch, tally(batch))


def pool(workers: int, pipeline: Pipeline) -> ProcessPoolExecutor:
    """Processes that begin with nothing of this one's and load the pipeline's worker once.

    On Linux they are forked from a server that has imported what a worker needs and has started nothing: that saves each of them seconds.
    """
    if sys.platform == "linux":
        context: BaseContext = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([module_of(pipeline)])
    else:
        context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, start, (pipeline, dict(os.environ)))


_loaded: list[tuple[Worker, Preparation]] = []
_refused: list[Exception] = []


def start(pipeline: Pipeline, environment: Mapping[str, str]) -> None:
    """Loads this process's worker; what prevents it is told by the first block."""
    os.environ.update(environment)
    try:
        worker = load_worker(pipeline)
        _loaded[:] = [(worker, preparation(worker))]
    except Exception as error:  # noqa: BLE001 - a pool would say no more than that it is broken
        _refused[:] = [error]


def ready() -> None:
    """Raises what prevented this process's worker from loading."""
    if _refused:
        raise _refused[0]


def call(block: Block) -> Result:
    """Works on a block with this process's worker."""
    ready()
    return work_on(block, *_loaded[0])
