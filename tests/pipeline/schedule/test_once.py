"""Exactly one completed run for each slot, under a fake clock that jumps, with runs that fail, crash, overlap or never start."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import StoreError
from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.journal import SUFFIX, moment, read
from workbench.pipeline.schedule.once import Look, Task, look
from workbench.pipeline.schedule.slots import slots_of
from workbench.store.lock import beside

START = datetime(2026, 3, 27, 12, 0, 7, tzinfo=UTC)


class PulledPlugError(BaseException):
    """The process ends here: nothing after it is written."""


class Machine:
    """A store's folder, a clock that is set by hand, and work that does as it is told."""

    def __init__(self, folder: Path, **schedule: Any) -> None:
        self.store, self.now = folder / "s.duckdb", START
        self.choice = ScheduleChoice(**{"every": "1 hour", "timezone": "UTC", **schedule})
        self.takes, self.ends = timedelta(0), "well"
        self.runs = 0

    def work(self) -> Mapping[str, Any]:
        self.runs += 1
        self.now += self.takes
        if self.ends == "crash":
            raise PulledPlugError
        if self.ends == "busy":
            raise StoreError("write the store", "another process writes it", "wait", retryable=True)
        if self.ends == "wrong":
            raise StoreError("write the store", "no store", "name one")
        return {"explained": 1}

    def look(self) -> Look:
        return look(Task("nightly", self.choice, self.store, self.work), clock=lambda: self.now)

    def at(self, when: datetime) -> Look:
        self.now = when
        return self.look()

    def completed(self) -> list[tuple[datetime, datetime]]:
        lines = read(self.store, "nightly").lines
        return [(moment(line["since"]), moment(line["slot"])) for line in lines if line["state"] == "done"]

    def states(self) -> list[str]:
        return [line["state"] for line in read(self.store, "nightly").lines]


def test_slots_count_from_the_first_look_and_each_is_run_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.look().ended == ()
    assert machine.at(START.replace(hour=12, minute=59)).ended == ()
    first = machine.at(START.replace(hour=13, minute=0, second=1))
    assert [line["slot"] for line in first.ended] == ["2026-03-27T13:00:00+00:00"]
    assert first.next == START.replace(hour=14, minute=0, second=0)
    for minute in (1, 2, 59):
        assert machine.at(START.replace(hour=13, minute=minute)).ended == ()
    assert machine.runs == 1


def test_missed_slots_are_completed_by_one_run(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.look()
    (line,) = machine.at(START + timedelta(days=3)).ended
    assert (line["slots"], machine.runs) == (72, 1)
    assert machine.completed() == [(START.replace(hour=13, minute=0, second=0), (START + timedelta(days=3)).replace(minute=0, second=0))]


def test_slots_that_come_due_during_a_run_are_run_after_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path, every="1 minute")
    machine.look()
    machine.takes = timedelta(minutes=3, seconds=30)

    def work() -> Mapping[str, Any]:
        machine.runs += 1
        machine.now += machine.takes
        machine.takes = timedelta(seconds=1)
        return {}

    machine.now += timedelta(minutes=1)
    ended = look(Task("nightly", machine.choice, machine.store, work), clock=lambda: machine.now).ended
    assert [line["slots"] for line in ended] == [1, 3]


def test_two_looks_at_once_are_one_run(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.look()
    machine.now += timedelta(hours=1)
    inside, go = threading.Event(), threading.Event()

    def slow() -> Mapping[str, Any]:
        inside.set()
        assert go.wait(30)
        return machine.work()

    found: list[Look] = []
    thread = threading.Thread(
        target=lambda: found.append(look(Task("nightly", machine.choice, machine.store, slow), clock=lambda: machine.now))
    )
    thread.start()
    assert inside.wait(30)
    second = machine.look()
    go.set()
    thread.join()
    assert (second.elsewhere, second.ended, machine.runs) == (True, (), 1)
    assert len(found[0].ended) == 1


def test_a_crashed_run_is_run_again_and_given_up_when_it_crashes_always(tmp_path: Path) -> None:
    machine = Machine(tmp_path, retries=2)
    machine.look()
    machine.now += timedelta(hours=1)
    machine.ends = "crash"
    for _ in range(3):
        with pytest.raises(PulledPlugError):
            machine.look()
        machine.now += timedelta(minutes=16)
    assert machine.look().ended == ()
    assert machine.states()[-2:] == ["crashed", "gave up"]
    machine.ends = "well"
    (line,) = machine.at(START + timedelta(hours=2)).ended
    assert (line["state"], line["slots"], line["attempt"]) == ("done", 1, 1)
    assert machine.runs == 4


def test_what_can_pass_is_tried_again_after_growing_pauses_and_what_cannot_is_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path, every="1 day")
    machine.look()
    machine.ends = "busy"
    machine.now = START.replace(day=28, hour=0, minute=0)
    tried = []
    for _ in range(60 * 3):
        if machine.look().ended:
            tried.append(machine.now - START.replace(day=28, hour=0, minute=0))
        machine.now += timedelta(minutes=1)
    assert tried == [timedelta(minutes=minutes) for minutes in (0, 1, 5, 21)]
    assert machine.states()[-1] == "gave up"
    other = Machine(tmp_path / "other", every="1 day")
    other.look()
    other.ends = "wrong"
    assert other.at(START + timedelta(days=1)).failed
    assert other.at(START + timedelta(days=1, hours=3)).ended == ()
    assert other.states() == ["known", "begin", "gave up"]


def test_a_clock_that_is_set_back_runs_no_slot_twice_and_one_that_ran_ahead_stops_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.look()
    assert len(machine.at(START.replace(hour=13, minute=0, second=5)).ended) == 1
    machine.at(START.replace(hour=12, minute=50))
    assert machine.at(START.replace(hour=13, minute=0, second=6)).ended == ()
    assert machine.at(START.replace(year=2040)).ended[0]["slots"] == 10_000
    (line,) = machine.at(START.replace(hour=14, minute=0, second=9)).ended
    assert line["slot"] == "2026-03-27T14:00:00+00:00"
    assert machine.at(START.replace(hour=14, minute=30)).ended == ()
    late = Machine(tmp_path / "late")
    late.at(START.replace(year=2041))
    late.at(START)
    assert len(late.at(START + timedelta(hours=1)).ended) == 1


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_every_slot_is_completed_exactly_once(tmp_path: Path, seed: int) -> None:
    """Three weeks around a change to summer time: looks come early, late, never for days; runs crash, fail, take long; clocks step back."""
    chance = random.Random(seed)
    every = chance.choice(["1 hour", "30 2 * * *", "1 day", "*/20 1-4 * * *", "45 minutes"])
    machine = Machine(tmp_path, every=every, timezone="Europe/Berlin", retries=50)
    machine.look()
    end = START + timedelta(days=21)
    while machine.now < end:
        machine.ends = chance.choices(["well", "crash", "busy"], [8, 1, 1])[0]
        machine.takes = timedelta(minutes=chance.choice([0, 1, 5, 90]))
        with suppress(PulledPlugError):
            machine.look()
        machine.now += timedelta(minutes=chance.choice([1, 7, 30, 200, 3000]))
        if chance.random() < 0.1:
            machine.now -= timedelta(minutes=chance.choice([2, 20]))
    machine.ends = "well"
    machine.takes = timedelta(0)
    for _ in range(3):
        machine.now += timedelta(hours=2)
        machine.look()
    slots = slots_between(every, START, machine.now)
    times = {slot: sum(first <= slot <= last for first, last in machine.completed()) for slot in slots}
    assert set(times.values()) == {1}, [str(slot) for slot, count in times.items() if count != 1]


def slots_between(every: str, since: datetime, until: datetime) -> list[datetime]:
    found = []
    for slot in slots_of(every, timezone="Europe/Berlin")._after(since):
        if slot > until:
            return found
        found.append(slot)
    return found


def test_hooks_are_told_and_their_failures_change_nothing(tmp_path: Path) -> None:
    tell = "import json, os, sys; json.dump([os.environ['WORKBENCH_STATE'], json.load(sys.stdin)['slot']], open(sys.argv[1], 'w'))"
    done, failed = tmp_path / "done.json", tmp_path / "failed.json"
    on_completion = [sys.executable, "-c", tell, str(done)]
    on_failure = [sys.executable, "-c", tell + "; sys.exit(3)", str(failed)]
    machine = Machine(tmp_path, on_completion=on_completion, on_failure=on_failure)
    machine.look()
    said: list[tuple[str, Mapping[str, Any]]] = []
    machine.now += timedelta(hours=1)
    machine.look()
    assert json.loads(done.read_text()) == ["done", "2026-03-27T13:00:00+00:00"]
    machine.now += timedelta(hours=1)
    machine.ends = "wrong"
    task = Task("nightly", machine.choice, machine.store, machine.work)
    look(task, clock=lambda: machine.now, log=lambda event, fields: said.append((event, fields)))
    assert json.loads(failed.read_text())[0] == "gave up"
    assert [event for event, _ in said] == ["begin", "gave up", "hook"]
    assert "exit code 3" in said[-1][1]["error"]


def test_a_torn_or_damaged_line_stops_nobody(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.look()
    machine.at(START + timedelta(hours=1))
    target = beside(machine.store, SUFFIX)
    lines = target.read_bytes().splitlines(keepends=True)
    target.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert len(machine.at(START + timedelta(hours=1, minutes=1)).ended) == 1  # its end was lost: it runs again and finds all stored
    assert read(machine.store, "nightly").damaged == 1
    assert machine.at(START + timedelta(hours=1, minutes=2)).ended == ()
