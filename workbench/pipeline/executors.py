"""Who does the work: this process, or several with one torch thread each. An executor is anything that maps jobs to batches in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from workbench.batch import Batch
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.worker import Job, Worker


def load_worker(pipeline: Pipeline) -> Worker:
    """The worker that a pipeline's task needs, with its models and annotators."""
    if pipeline.similarity:
        from workbench.pipeline.similarity.worker import SimilarityWorker

        return SimilarityWorker(pipeline)
    from workbench.pipeline.classification.worker import ClassificationWorker

    return ClassificationWorker(pipeline)


_workers: list[Worker] = []


def start(pipeline: Pipeline) -> None:
    """Loads this process's worker."""
    _workers[:] = [load_worker(pipeline)]


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
