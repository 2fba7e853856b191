"""The long-running scheduler: APScheduler wakes it, each due pipeline runs in a process of its own, and every minute all are looked at.

What is due is always asked of the journal, so that waking too often, too late or twice changes nothing: a clock that is changed, a machine
that slept, a second scheduler.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.due import standing
from workbench.pipeline.schedule.journal import read
from workbench.pipeline.schedule.once import Log, remembered
from workbench.pipeline.schedule.slots import Slots, slots_of

HEARTBEAT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One pipeline of a scheduler: its name as declared, as given on the command line, when, and into which store."""

    pipeline: str
    given: str
    choice: ScheduleChoice
    store: Path


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Wakes at every slot."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The slot after the last one, or after now."""
        return self.slots.after((previous_fire_time or now).astimezone(UTC))


class Service:
    """Runs pipelines whenever they are due, until it is told to stop; `start` runs one pipeline and returns its process."""

    def __init__(self, entries: Sequence[Entry], log: Log, start: Callable[[Entry], subprocess.Popen[bytes]] | None = None) -> None:
        self.entries, self.log, self.start = tuple(entries), log, start or self.process
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.guard = threading.Lock()
        self.scheduler = BlockingScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(max(2, 2 * len(self.entries)))})

    def run(self) -> None:
        """Blocks until SIGTERM or SIGINT, which also ends the runs at hand: what they finished is kept, and the rest goes on next time."""
        options: dict[str, Any] = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        for entry in self.entries:
            remembered(entry.pipeline, entry.choice, entry.store, datetime.now(UTC))
            slots = slots_of(entry.choice.every, entry.choice.at, entry.choice.timezone)
            self.scheduler.add_job(self.look, SlotTrigger(slots), [entry], id=entry.pipeline, **options)
            heartbeat = IntervalTrigger(seconds=HEARTBEAT_SECONDS)
            now = datetime.now(UTC)
            self.scheduler.add_job(self.look, heartbeat, [entry], id=f"heartbeat {entry.pipeline}", next_run_time=now, **options)
            self.log("scheduled", {"pipeline": entry.pipeline, "store": str(entry.store), "next": str(slots.after(now))})
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        self.scheduler.start()

    def look(self, entry: Entry) -> None:
        """Runs a pipeline in a process of its own where it is due and not running here already."""
        now = datetime.now(UTC)
        if standing(entry.choice, read(entry.store, entry.pipeline), now).due is None:
            return
        with self.guard:
            running = self.children.get(entry.pipeline)
            if running is not None and running.poll() is None:
                return
            child = self.children[entry.pipeline] = self.start(entry)
        code = child.wait()
        if code not in (0, 75):
            self.log("process ended", {"pipeline": entry.pipeline, "exit_code": code})

    def process(self, entry: Entry) -> subprocess.Popen[bytes]:
        """A process that looks at one schedule and runs it."""
        command = [sys.executable, "-m", "workbench", "schedule", "once", entry.given, "--store", str(entry.store), "--log", "json"]
        return subprocess.Popen(command)

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """Ends runs and scheduler."""
        self.log("stopping", {"signal": signal.Signals(number).name})
        for child in list(self.children.values()):
            if child.poll() is None:
                child.terminate()
        self.scheduler.shutdown(wait=False)


def as_fields(entry: Entry) -> Mapping[str, Any]:
    """An entry for a log."""
    return {"pipeline": entry.pipeline, "store": str(entry.store), "every": entry.choice.every}
