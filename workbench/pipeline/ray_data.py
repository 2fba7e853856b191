"""Work on Ray: actors with warm models, on processors or GPUs of one machine or many, each block a part; what is lost is done again.

Ray Data streams the blocks through the actors and holds back where results are not fetched. Parts go straight from the worker to where they
stay; only their records travel.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import MissingExtraError, PipelineError
from workbench.pipeline.lanes import lost
from workbench.pipeline.lanes import told as sendable
from workbench.pipeline.tally import Result
from workbench.pipeline.work import Block, Work
from workbench.pipeline.worker import Told, Worker, no_one

#: What a cluster on this machine needs to know before it starts: nothing is reported, nothing is printed, workers are not put back.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_worker_niceness": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TQDM_PATCH_PRINT": "0",
}
OBJECTS = 200 << 20
STARTS = 3
#: The names of Ray's sockets, which stand in its folder, may have no more than 103 characters.
ROOM = 40
#: Seconds to wait for the answer of a cluster that should be running.
PATIENCE = 10
IN_FLIGHT = 2
#: How often Ray gives a block to another actor, and starts an actor again.
RETRIES, RESTARTS = 2, 16


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

    Raises what an actor's worker raised.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    rows = [{"place": place, "block": pickle.dumps(block)} for place, block in enumerate(blocks)]
    source = ray.data.from_items(rows, override_num_blocks=len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray will say elsewhere how often what is lost is tried again, and does not yet
        answers = source.map_batches(
            Hand,
            fn_constructor_args=(pickle.dumps(work),),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=IN_FLIGHT),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
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


def first_line(error: Exception) -> str:
    """What an exception of Ray says first; the rest is for those who look after the cluster."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


class Hand:
    """An actor: models loaded once, a part for each block."""

    def __init__(self, work: bytes) -> None:
        try:
            import torch

            self.do = pickle.loads(work).begin("cuda" if torch.cuda.is_available() else "cpu")
            self.refused: Exception | None = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the driver says it
            self.refused = sendable(error)

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[Any]]:
        """The result of one block, or what was raised instead."""
        answer: Any = self.refused
        if answer is None:
            try:
                answer = self.do(pickle.loads(rows["block"][0]), no_one)
            except Exception as error:  # noqa: BLE001 - as above
                answer = sendable(error)
        return {"place": [rows["place"][0]], "answer": [pickle.dumps(answer)]}


@contextmanager
def cluster(workers: int, address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster, or with one of its own on this machine while the block lasts; a connection that is there is used."""
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise MissingExtraError("run on Ray", str(error), "pip install 'workbench-nlp[ray]'") from error
        if ray.is_initialized():
            yield ray
            return
        folder = tempfile.mkdtemp(prefix="ray-", dir=None if len(tempfile.gettempdir()) < ROOM else "/tmp")
        try:
            connect(ray, workers, address, folder)
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what is lost is done again, and what is raised is raised here
            yield ray
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def connect(ray: Any, workers: int, address: str | None, folder: str) -> None:
    """Joins a cluster, or starts one; on a busy machine its processes may miss each other, then it is tried again."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if address is not None:
        try:
            listened_to(address)
            ray.init(address=address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            raise PipelineError(
                f"run on the Ray cluster {address}", first_line(error), "check the address, and that the cluster runs"
            ) from error
        return
    for start in range(STARTS):
        try:
            with unheard():
                ray.init(
                    num_cpus=workers,
                    include_dashboard=False,
                    object_store_memory=OBJECTS,
                    _node_ip_address="127.0.0.1",  # nobody else's business
                    _temp_dir=folder,
                    **quiet,
                )
            return
        except Exception as error:
            ray.shutdown()
            if start == STARTS - 1:
                found = f"a cluster that does not start: {first_line(error)}"
                raise PipelineError("run on Ray", found, "run it again", retryable=True) from error
            time.sleep(1)


def listened_to(address: str) -> None:
    """Raises OSError where nobody answers at an address: Ray itself would ask for many minutes."""
    where = urlsplit(address if "://" in address else f"//{address}")
    if where.hostname and where.port:
        socket.create_connection((where.hostname, where.port), timeout=PATIENCE).close()


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing that a library writes to the standard error of this process is seen."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
