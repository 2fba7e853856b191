"""How schedules stand: what ran last and how, what is running, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.fingerprint import Json
from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.due import standing
from workbench.pipeline.schedule.journal import CLOSED, ENDED, Journal, read, written
from workbench.store.lock import beside


@dataclass(frozen=True, slots=True)
class Status:
    """One schedule: `state` is waiting, due, running, or not seen (no scheduler ever looked at it); the rest stands in the journal."""

    pipeline: str
    store: str
    every: str
    state: str
    next: str
    last_slot: str | None
    last_end: str | None
    last_state: str | None
    seconds: float | None
    explained: int | None
    failed: int | None
    runs: int
    failures: int
    error: str | None
    damaged_lines: int

    def as_data(self) -> dict[str, Json]:
        """For other programs."""
        return asdict(self)


def status(pipeline: str, choice: ScheduleChoice, store: Path, now: datetime) -> Status:
    """How a schedule stands at a moment."""
    journal = read(store, pipeline)
    found = standing(choice, journal, now)
    last = journal.newest(*ENDED)
    counts: Mapping[str, Any] = last.get("counts", {}) if last else {}
    return Status(
        pipeline=pipeline,
        store=str(store),
        every=choice.every,
        state=state_of(journal, store, pipeline, found.due is not None),
        next=written(found.next),
        last_slot=last["slot"] if last else None,
        last_end=last["at"] if last else None,
        last_state=last["state"] if last else None,
        seconds=last.get("seconds") if last else None,
        explained=counts.get("explained"),
        failed=counts.get("failed"),
        runs=sum(line["state"] == "done" for line in journal.lines),
        failures=sum(line["state"] in ENDED and line["state"] not in CLOSED[:1] for line in journal.lines),
        error=last.get("error") if last else None,
        damaged_lines=journal.damaged,
    )


def state_of(journal: Journal, store: Path, pipeline: str, due: bool) -> str:
    """What a schedule does at this moment; a run without its lock has crashed and is due."""
    if journal.open is not None and is_held(store, pipeline):
        return "running"
    if journal.known is None:
        return "not seen"
    return "due" if due or journal.open is not None else "waiting"


def is_held(store: Path, pipeline: str) -> bool:
    """Whether a living process runs the pipeline."""
    target = beside(store, f".{pipeline}.schedule.lock")
    if not target.exists():
        return False
    probe = FileLock(target, thread_local=False, is_singleton=False)
    try:
        probe.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    probe.release()
    return False
