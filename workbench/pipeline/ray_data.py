"""Work on Ray: actors with warm models, on processors or GPUs of one machine or many, each block a part; what is lost is done again.

Ray Data streams the blocks through the actors, a few at a time for each, and holds back where results are not fetched. Parts go straight
from the worker to where they stay; only their records travel.
"""

from __future__ import annotations

import gc
import os
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.errors import PipelineError
from workbench.pipeline.lanes import lost
from workbench.pipeline.lanes import told as sendable
from workbench.pipeline.ray_cluster import cluster, first_line
from workbench.pipeline.tally import Result
from workbench.pipeline.work import Block, Work
from workbench.pipeline.worker import Told, Worker, no_one

#: Blocks for each actor, the one at hand among them, so that none of them waits.
IN_FLIGHT = 2
#: How often Ray gives a block to an actor that was started again, and starts one again.
RETRIES, RESTARTS = 2, 8


class RayData:
    """As many actors as asked for; 0 stands for one on each GPU, or else on each processor, of the cluster.

    `address` is that of a running cluster ("auto": the one this machine belongs to); without one a cluster is started on this machine.
    """

    writes_parts = True

    def __init__(self, workers: int = 0, address: str | None = None) -> None:
        self.asked = workers
        self.address = address
        self.workers = workers or os.cpu_count() or 1

    def results(self, blocks: Sequence[Block], _worker: Worker, _told: Told = no_one, work: Work | None = None, /) -> Iterator[Result]:
        """A result for each block as they come; a block whose actors were lost is done again document by document."""
        if work is None:
            raise PipelineError("run on Ray", "work that writes no parts", "this is a defect: report it")
        if not blocks:
            return
        with cluster(self.workers, self.address) as ray:
            gpus = int(ray.cluster_resources().get("GPU", 0))
            size = self.asked or gpus or int(ray.cluster_resources().get("CPU", 1))
            done: set[int] = set()
            for place, result in through(ray, blocks, work, min(size, len(blocks)), gpus > 0):
                done.add(place)
                yield result
            alone = [one for place, block in enumerate(blocks) if place not in done for one in singles(block)]
            done = set()
            for place, result in through(ray, alone, work, min(size, max(len(alone), 1)), gpus > 0) if alone else ():
                done.add(place)
                yield result
            yield from (lost(block) for place, block in enumerate(alone) if place not in done)


def singles(block: Block) -> list[Block]:
    """The documents of a block as blocks of their own."""
    return [Block(((item,),), block.first + place) for place, item in enumerate(block.items)]


def through(ray: Any, blocks: Sequence[Block], work: Work, actors: int, gpus: bool) -> Iterator[tuple[int, Result]]:
    """Places of blocks with their results, as they come; those whose actors were lost too often are left out.

    Raises what an actor's worker raised, and PipelineError where no actor is left.
    """
    rows = [{"place": place, "block": pickle.dumps(block)} for place, block in enumerate(blocks)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray Data warns of settings of its own, and of how often what is lost is tried again
        source = ray.data.from_items(rows, override_num_blocks=len(rows))
        source.context.enable_progress_bars = False
        source.context.max_errored_blocks = -1
        answers = source.map_batches(
            Hand,
            fn_constructor_args=(pickle.dumps(work),),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=IN_FLIGHT),
            num_cpus=1,
            num_gpus=int(gpus),
            max_restarts=RESTARTS,
            max_task_retries=RETRIES,
        )
    try:
        for row in answers.iter_rows():
            answer = pickle.loads(row["answer"])
            if isinstance(answer, Exception):
                raise answer
            yield int(row["place"]), answer
    except ray.exceptions.RayError as error:
        found = f"actors that are lost before they work: {first_line(error)}"
        remedy = "look at the cluster's memory and at its log; what was computed stays, run it again"
        raise PipelineError(f"run {work.pipeline.name} on Ray", found, remedy, retryable=True) from error


class Hand:
    """An actor: models loaded once, a part for each block."""

    def __init__(self, work: bytes) -> None:
        gc.disable()  # what is loaded stays; looking through it for cycles takes a fifth of the time
        try:
            import torch

            self._do = pickle.loads(work).begin("cuda" if torch.cuda.is_available() else "cpu")
            self._refused: Exception | None = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the driver says it
            self._refused = sendable(error)
        gc.freeze()
        gc.enable()

    def __call__(self, rows: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The result of one block, or what was raised instead."""
        answer: Any = self._refused
        if answer is None:
            try:
                answer = self._do(pickle.loads(rows["block"][0]), no_one)
            except Exception as error:  # noqa: BLE001 - as above
                answer = sendable(error)
        return {"place": [rows["place"][0]], "answer": [pickle.dumps(answer)]}
