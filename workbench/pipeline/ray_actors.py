"""Work on Ray: actors with warm models, on processors or GPUs of one machine or many, each block a part; what is lost is done again.

Blocks stream through the actors, a few at a time for each. Parts go straight from the worker to where they stay; only their records travel.
Ray Data, which streams data sets, is not needed for that: its own three actors and its loop in the driver cost more than they did for us.
"""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
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
READY = "ready"


class RayActors:
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

    An actor is given blocks once it answers, so that a cluster is used as it grows, and only so many at a time. Raises what an actor's
    worker raised, and PipelineError where no actor is left.
    """
    waiting = deque(enumerate(blocks))
    hands = Hands(ray, work, gpus)
    try:
        for _ in range(actors):
            hands.begin()
        while hands.asked:
            hand, place, answer = hands.answer()
            if answer is not None and waiting:
                following, block = waiting.popleft()
                hands.ask(hand, following, block)
            elif waiting:
                hands.look_after(hand, place)
            if isinstance(answer, Result) and place is not None:
                yield place, answer
        if waiting:
            found = f"actors that are lost before they work: {hands.heard}"
            remedy = "look at the cluster's memory and at its log; what was computed stays, run it again"
            raise PipelineError(f"run {work.pipeline.name} on Ray", found, remedy, retryable=True)
    finally:
        hands.end()


class Hand:
    """An actor: models loaded once, a part for each block."""

    def __init__(self, work: bytes) -> None:
        try:
            import torch

            self._do = pickle.loads(work).begin("cuda" if torch.cuda.is_available() else "cpu")
            self._refused: Exception | None = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the driver says it
            self._refused = sendable(error)

    def ready(self) -> bytes:
        """READY once the models are loaded, or what prevents it."""
        return pickle.dumps(self._refused or READY)

    def do(self, block: bytes) -> bytes:
        """The result of one block, or what was raised instead."""
        answer: Any = self._refused
        if answer is None:
            try:
                answer = self._do(pickle.loads(block), no_one)
            except Exception as error:  # noqa: BLE001 - as above
                answer = sendable(error)
        return pickle.dumps(answer)


class Hands:
    """The actors of a run and what they were asked: begun, looked after where they are lost, ended with the run."""

    def __init__(self, ray: Any, work: Work, gpus: bool) -> None:
        self.ray = ray
        self.kind = ray.remote(Hand).options(num_cpus=1, num_gpus=int(gpus), max_restarts=RESTARTS, max_task_retries=RETRIES)
        self.work = pickle.dumps(work)
        self.begun: list[Any] = []
        self.answered: set[int] = set()
        self.given_up: set[int] = set()
        #: Whom it was asked of, and the place of the block, None for the question whether it is there.
        self.asked: dict[Any, tuple[int, int | None]] = {}
        self.heard = ""

    def begin(self) -> None:
        """One more actor, asked whether it is there as often as it can have blocks."""
        self.begun.append(self.kind.remote(self.work))
        for _ in range(IN_FLIGHT):
            self.asked[self.begun[-1].ready.remote()] = (len(self.begun) - 1, None)

    def ask(self, hand: int, place: int, block: Block) -> None:
        """Gives an actor a block."""
        self.asked[self.begun[hand].do.remote(pickle.dumps(block))] = (hand, place)

    def answer(self) -> tuple[int, int | None, Result | str | None]:
        """The next answer of any actor: whose, to what block, and the result, READY without a block, or None where the actor was lost.

        Raises what its worker raised.
        """
        (first,), _ = self.ray.wait(list(self.asked), num_returns=1)
        hand, place = self.asked.pop(first)
        try:
            answer = pickle.loads(self.ray.get(first))
        except self.ray.exceptions.RayError as error:
            self.heard = first_line(error)
            return hand, place, None
        if isinstance(answer, Exception):
            raise answer
        self.answered.add(hand)
        return hand, place, answer

    def look_after(self, hand: int, place: int | None) -> None:
        """Asks an actor that lost a block whether it is there again; one that does not come back is replaced, if it ever was there."""
        if hand in self.given_up:
            return
        if place is not None:
            self.asked[self.begun[hand].ready.remote()] = (hand, None)
            return
        self.given_up.add(hand)
        if hand in self.answered:
            self.begin()

    def end(self) -> None:
        """Ends all actors: a cluster that goes on has their room again."""
        for hand in self.begun:
            self.ray.kill(hand)
