"""Who does the work: this process, or several with one torch thread each. An executor is anything that maps jobs to batches in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from workbench.batch import Batch
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import Wanted

Job = Sequence[Wanted]


class Worker:
    """A process's own model and annotator, loaded once and used for many jobs."""

    def __init__(self, pipeline: Pipeline) -> None:
        import torch

        from workbench.annotation.annotator import annotator
        from workbench.models.ensemble import load_ensemble

        torch.set_num_threads(1)
        self.pipeline = pipeline
        self.ensemble = load_ensemble(pipeline.model.name, revision=pipeline.model.revision, precision=pipeline.model.precision)
        self.annotator = annotator(pipeline.annotation.pipeline)

    def __call__(self, job: Job) -> Batch:
        """The batch of one job."""
        from workbench.pipeline.work import work

        return work(job, self.ensemble, self.annotator, self.pipeline)


_workers: list[Worker] = []


def start(pipeline: Pipeline) -> None:
    """Loads this process's worker."""
    _workers[:] = [Worker(pipeline)]


def call(job: Job) -> Batch:
    """Does a job with this process's worker."""
    return _workers[0](job)


def batches(jobs: Sequence[Job], worker: Worker, workers: int) -> Iterator[Batch]:
    """The batches of all jobs in their order, made by this process (`workers` 1) or by so many others."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(worker, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, start, (worker.pipeline,)) as pool:
        try:
            yield from pool.map(call, jobs)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
