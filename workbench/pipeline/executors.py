"""Who does the work: this process, or several with one torch thread each.

An executor turns blocks of jobs into results. Only a few blocks are handed out at a time: who keeps the results is never overrun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Protocol

from workbench.pipeline.lanes import Lane
from workbench.pipeline.tally import Result
from workbench.pipeline.work import Block, Work, planned
from workbench.pipeline.worker import Told, Worker, no_one

#: Blocks for each process, the one at hand among them, so that none of them waits.
AHEAD = 3
#: Seconds between looks at what processes say of their progress.
LISTEN = 0.25


class Executor(Protocol):
    """Whoever turns blocks into results; one that `writes_parts` can do nothing else."""

    workers: int
    writes_parts: bool

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = ..., work: Work | None = ..., /) -> Iterator[Result]:
        """Results of all blocks, in any order; `worker` is this process's own, `told` hears how far it is within a block.

        `work` is what to do with them, by default batches for a store.
        """


class InProcess:
    """This process does everything, one block after another."""

    workers = 1
    writes_parts = False

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = no_one, work: Work | None = None) -> Iterator[Result]:
        """A result for each block, in their order."""
        do = (work or planned(worker)).here(worker)
        for block in blocks:
            yield do(block, told)


class Processes:
    """So many processes with one torch thread each; one that is lost is replaced, and a document that kills them is a failure."""

    writes_parts = False

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def results(self, blocks: Sequence[Block], worker: Worker, told: Told = no_one, work: Work | None = None) -> Iterator[Result]:
        """Results of all blocks, in their order; while one is kept the next are computed."""
        if len(blocks) <= 1:
            yield from InProcess().results(blocks, worker, told, work)
            return
        lanes = [Lane(work or planned(worker)) for _ in range(min(self.workers, len(blocks)))]
        idle: SimpleQueue[Lane] = SimpleQueue()
        for lane in lanes:
            idle.put(lane)

        def through(block: Block) -> list[Result]:
            lane = idle.get()
            try:
                return lane.results(block, heard.put)
            finally:
                idle.put(lane)

        heard: SimpleQueue[float] = SimpleQueue()
        waiting: deque[Future[list[Result]]] = deque()
        threads = ThreadPoolExecutor(len(lanes))
        try:
            for block in blocks:
                waiting.append(threads.submit(through, block))
                if len(waiting) >= len(lanes) * AHEAD:
                    yield from patiently(waiting.popleft(), heard, told)
            while waiting:
                yield from patiently(waiting.popleft(), heard, told)
        finally:
            for lane in lanes:
                lane.close()
            threads.shutdown(cancel_futures=True)
            for lane in lanes:
                lane.stop()


def patiently(future: Future[list[Result]], heard: SimpleQueue[float], told: Told) -> list[Result]:
    """The results that a thread waits for; meanwhile this one, and no other, tells what was heard of progress."""
    while True:
        with suppress(TimeoutError):
            return future.result(timeout=LISTEN)
        while not heard.empty():
            told(heard.get())


def local(workers: int) -> Executor:
    """This machine: one process, this one, or several."""
    return InProcess() if workers <= 1 else Processes(workers)
