"""One look at a schedule: run what is due, exactly one completed run for each slot, never two at once.

Two operating-system locks stand beside the store: one for the pipeline (a second look while a run goes on leaves at once) and one for the
store (pipelines of one store take turns). Both end with their process, however it ends. A slot is closed by one line of the journal, which
is written after the run; a process that dies between the two leaves a slot that runs again and finds everything stored.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.errors import StoreError, WorkbenchError
from workbench.pipeline.schedule import hooks
from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.due import standing
from workbench.pipeline.schedule.journal import Journal, add, read, written
from workbench.pipeline.schedule.slots import Due
from workbench.store.lock import beside

#: Other pipelines of the store are waited for so long.
TURN_SECONDS = 24 * 3600.0
#: Runs of one look: of a schedule whose runs take longer than its slots lie apart, the next look goes on.
RUNS = 2

Log = Callable[[str, Mapping[str, Any]], None]


def unheard(_event: str, _fields: Mapping[str, Any]) -> None:
    """Logs nothing."""


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Task:
    """What a schedule needs to run: its pipeline's name, when, into which store, and the work, which returns a run's counts."""

    pipeline: str
    choice: ScheduleChoice
    store: Path
    work: Callable[[], Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """What came of a look: runs that ended (their lines in the journal), whether another process is at it, and when to look again."""

    ended: tuple[dict[str, Any], ...]
    elsewhere: bool
    next: datetime

    @property
    def failed(self) -> bool:
        """Whether the last run of this look did not complete its slot."""
        return bool(self.ended) and self.ended[-1]["state"] != "done"


def look(task: Task, *, clock: Callable[[], datetime] = now, log: Log = unheard) -> Look:
    """Runs what is due, one run for all slots that are, and once more where slots came due meanwhile.

    Failures of the work become lines of the journal; what is no WorkbenchError, OSError or MemoryError is a defect: it is recorded too, and
    raised.
    """
    ended: list[dict[str, Any]] = []
    try:
        with held(task.store, f".{task.pipeline}.schedule.lock", 0.0):
            recover(task, clock, log)
            for _ in range(RUNS):
                if (due := begin_with(task, clock)) is None:
                    break
                with held(task.store, ".schedule.lock", TURN_SECONDS):
                    ended.append(attempt(task, *due, clock, log))
                if ended[-1]["state"] == "failed":
                    break
    except Timeout:
        log("elsewhere", {"pipeline": task.pipeline, "store": str(task.store)})
        return Look((), True, standing(task.choice, read(task.store, task.pipeline), clock()).next)
    return Look(tuple(ended), False, standing(task.choice, read(task.store, task.pipeline), clock()).next)


def begin_with(task: Task, clock: Callable[[], datetime]) -> tuple[Due, int] | None:
    """What is due now and as which attempt; the first look at a schedule is remembered, its slots count from then."""
    moment = clock()
    found = standing(task.choice, remembered(task.pipeline, task.choice, task.store, moment), moment)
    return None if found.due is None else (found.due, found.attempt)


def remembered(pipeline: str, choice: ScheduleChoice, store: Path, moment: datetime) -> Journal:
    """The journal of a schedule that has been seen: at this moment, if never before."""
    journal = read(store, pipeline)
    if journal.known is None or (journal.known > moment and journal.closed_until(moment) is None):
        add(store, {"state": "known", "pipeline": pipeline, "at": written(moment), "every": choice.every})
        journal = read(store, pipeline)
    return journal


def recover(task: Task, clock: Callable[[], datetime], log: Log) -> None:
    """Says of a run that began and never ended that it crashed: its lock is ours now."""
    left = read(task.store, task.pipeline).open
    if left is None:
        return
    often = left["attempt"] > task.choice.retries
    error = f"process {left.get('pid')} on {left.get('host')} ended without a word"
    record = {**left, "state": "crashed", "begun": left["at"], "at": written(clock()), "error": error}
    close(task, record, log)
    if often:
        close(task, {**record, "state": "gave up"}, log)


def attempt(task: Task, due: Due, number: int, clock: Callable[[], datetime], log: Log) -> dict[str, Any]:
    """One run of what is due, from its first line to its last."""
    begun = clock()
    slot = {"pipeline": task.pipeline, "slot": written(due.slot), "since": written(due.first), "slots": due.count, "attempt": number}
    first = {**slot, "state": "begin", "at": written(begun), "pid": os.getpid(), "host": socket.gethostname()}
    add(task.store, first)
    log("begin", first)
    defect: BaseException | None = None
    try:
        record: dict[str, Any] = {**slot, "state": "done", "counts": dict(task.work())}
    except (WorkbenchError, OSError, MemoryError) as error:
        passes = error.retryable if isinstance(error, WorkbenchError) else True
        state = "failed" if passes and number <= task.choice.retries else "gave up"
        record = {**slot, "state": state, "error": str(error) or type(error).__name__}
    except Exception as error:  # noqa: BLE001 - a defect is recorded like any failure, and raised below
        defect = error
        record = {**slot, "state": "gave up", "error": f"{type(error).__name__}: {error}"}
    moment = clock()
    close(task, {**record, "at": written(moment), "seconds": round((moment - begun).total_seconds(), 3)}, log)
    if defect is not None:
        raise defect
    return {**record, "at": written(moment)}


def close(task: Task, record: Mapping[str, Any], log: Log) -> None:
    """Writes how a run ended, then tells who wants to know."""
    add(task.store, record)
    log(str(record["state"]), record)
    command = task.choice.on_completion if record["state"] == "done" else task.choice.on_failure
    if said := hooks.call(command, record, str(task.store)):
        log("hook", {"pipeline": task.pipeline, "error": said})


@contextmanager
def held(store: Path, suffix: str, wait: float) -> Iterator[None]:
    """An operating-system lock beside the store; Timeout where another process has it."""
    store.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(beside(store, suffix), thread_local=False, is_singleton=False)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise
    except OSError as error:
        found = f"no lock file can be made there: {error}"
        raise StoreError(f"run on schedule into {store}", found, "choose a folder that can be written") from error
    try:
        yield
    finally:
        lock.release()
