"""Processes that work beside this one, each with a pipe of its own: what becomes of one of them is known, and touches no other."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from threading import Event, RLock
from typing import Any

from workbench.errors import InputError, PipelineError
from workbench.pipeline.frames import Rows
from workbench.pipeline.tally import Result, tally
from workbench.pipeline.work import Block, Work, module_of
from workbench.pipeline.worker import Told, no_one

#: How often a block is given to a new process after the one that had it was lost.
TRIES = 2
LOST = (EOFError, ConnectionError, BrokenPipeError)


class Lane:
    """One process and its pipe; a process that is lost (killed, out of memory) is replaced, and its block done again."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._stopped = Event()

    @property
    def pid(self) -> int | None:
        """The number of the process, None before it has begun."""
        return self._process.pid if self._process else None

    def results(self, block: Block, told: Told = no_one) -> list[Result]:
        """The result of a block; where its process is lost again and again, of its halves, down to one document, which is a failure then.

        Raises what the worker raised, and PipelineError where processes are lost before they have begun.
        """
        for _ in range(TRIES):
            try:
                return [self._ask(block, told)]
            except LOST:
                self.stop()
        if block.wanted == 1:
            return [lost(block)]
        return [result for half in block.halves() for result in self.results(half, told)]

    def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None

    def close(self) -> None:
        """Ends the process for good; a block that it was at is given up."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()

    def _ask(self, block: Block, told: Told) -> Result:
        if self._pipe is None:
            self._pipe = self._begin()
        self._pipe.send(block)
        while not isinstance(found := answer(self._pipe), Result):
            told(found)
        return found

    def _begin(self) -> Connection[Any, Any]:
        name = self.work.pipeline.name
        if self._stopped.is_set():
            raise PipelineError(f"run {name} in processes", "the run has ended", "run it again")
        context: Any = context_of(self.work)
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.work, dict(os.environ)), daemon=True)
        process.start()  # where the server of processes is lost, there is none to stop
        self._process = process
        theirs.close()
        if self._stopped.is_set():  # while it began
            process.kill()
        try:
            answer(ours)
        except LOST:
            found, remedy = "a process that is killed while it loads", "free memory, or use a smaller model"
            raise PipelineError(f"run {name} in processes", found, remedy, retryable=True) from None
        begun: Connection[Any, Any] = ours
        return begun


def answer(pipe: Connection[Any, Any]) -> Any:
    """What comes through a pipe; an exception is raised."""
    found = pipe.recv()
    if isinstance(found, BaseException):
        raise found
    return found


def context_of(work: Work) -> BaseContext:
    """How processes begin: with nothing of this one's.

    On Linux they are forked from a server that has imported what a worker needs and has started nothing: that saves each of them seconds.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module_of(work.pipeline)])
    return context


def serve(pipe: Connection[Any, Any], work: Work, environment: Mapping[str, str]) -> None:
    """The life of a process: load the worker, then a result for each block and how far it is, until the pipe ends."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who interrupts the run ends its processes
    os.environ.update(environment)
    tqdm.set_lock(RLock())  # its own is one of the system's, which a process that is killed never gives back
    with suppress(*LOST, OSError):
        try:
            do = work.begin()
            pipe.send(None)
            while True:
                pipe.send(do(pipe.recv(), pipe.send))
        except LOST:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side says it
            pipe.send(told(error))


def told(error: Exception) -> Exception:
    """An exception that can be sent, and says where it came from."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - exceptions of libraries need not survive it
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def lost(block: Block) -> Result:
    """The result of a document whose process was lost, again and again."""
    (item,) = block.items
    found, remedy = "the process that worked on it was killed, again and again", "free memory or use a larger machine; shorter texts fit"
    rows = Rows()
    rows.failure(item.document, item.fingerprint, "explain", InputError("explain a text", found, remedy, retryable=True))
    batch = rows.batch()
    return Result(1, batch, tally(batch))
