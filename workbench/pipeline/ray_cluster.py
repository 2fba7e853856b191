"""A Ray cluster: one that is there, or one of its own on this machine while a run lasts."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import MissingExtraError, PipelineError

#: What a cluster on this machine needs to know before it starts: nothing is reported, nothing is printed, workers are not put back.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_worker_niceness": "0",
}
OBJECTS = 200 << 20
STARTS = 3
#: The names of Ray's sockets, which stand in its folder, may have no more than 103 characters.
ROOM = 40
#: Seconds to wait for the answer of a cluster that should be running.
PATIENCE = 10


@contextmanager
def cluster(workers: int, address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster, or with one of its own on this machine while the block lasts; a connection that is there is used."""
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import ray
            import ray.data

            atexit.unregister(hushed)  # once, however many clusters a process meets
            atexit.register(hushed)
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


def first_line(error: Exception) -> str:
    """What an exception of Ray says first; the rest is for those who look after the cluster."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def hushed() -> None:
    """From here on nothing is written to this process's standard error.

    Ray and torch keep references until the very end of a process, of which DuckDB's binding then complains to the user, in forty lines.
    """
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
