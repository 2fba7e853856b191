"""Killing a store's process (SIGKILL) within every phase, again and again: what it acknowledged must be there, whole, and the end the same.

A child tells of the moments that matter; its parent kills it within one of them, at random, then looks at what is left, and lets another
child go on. A store that is finished before all kills are spent is started anew.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store.torture.phase import Phase, copied
from workbench.store.torture.phases import PHASES

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Report:
    """What killing within one phase did; `inside` counts the kills between the begin and the end of a moment that matters."""

    phase: str
    kills: int = 0
    inside: int = 0
    stores: int = 0
    seconds: float = 0.0
    lost: int = 0
    partial: int = 0
    different: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, nothing half done, and every end the same."""
        return not (self.lost or self.partial or self.different or self.findings)


@dataclass(slots=True)
class Course:
    """What an undisturbed run of a phase did: how many moments, how long one lasts, and what the store says at the end."""

    moments: int
    span: float
    content: str


def kill(n: int, seed: int = 0, *, phases: Sequence[str] = (), progress: Progress | None = None) -> list[Report]:
    """Kill `n` times, spread over the phases (all by default); StoreError for a phase that there is not."""
    if unknown := sorted(set(phases) - set(PHASES)):
        raise StoreError(f"kill in the phase {unknown[0]}", f"phases {', '.join(PHASES)}", "choose among these")
    chosen = [PHASES[name] for name in phases or PHASES]
    chance, reports, done = random.Random(seed), [], 0
    for place, phase in enumerate(chosen):
        share = (n - done) // (len(chosen) - place)
        if share:
            reports.append(within(phase, share, chance, lambda kills, before=done: progress and progress("kill", before + kills, n)))  # type: ignore[misc]
            done += share
    return reports


def within(phase: Phase, n: int, chance: random.Random, told: Callable[[int], None]) -> Report:
    """Kill `n` times within one phase."""
    report, began = Report(phase.name), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="workbench-torture-") as folder:
        start = Path(folder) / "start" / "store.duckdb"
        start.parent.mkdir()
        phase.prepare(start)
        course = undisturbed(phase, copied(start, Path(folder) / "undisturbed" / start.name))
        while report.kills < n and len(report.findings) < 10:
            path = copied(start, Path(folder) / f"killed-{report.stores}" / start.name)
            promised, finished = phase.promised(), False
            while report.kills < n and not finished:
                told(report.kills)
                child = Child(phase.name, path)
                finished = child.killed(chance.randint(1, min(3, course.moments)), chance.uniform(0, 1.2) * course.span)
                promised |= child.kept
                report.kills += not finished
                report.inside += child.inside
                look(phase, path, promised, report)
            last = Child(phase.name, path)
            if not last.killed(0, 0):
                report.findings.append(f"a run that nobody disturbed did not end: {last.error}")
            look(phase, path, promised | last.kept, report)
            report.different += phase.content(path) != course.content
            report.stores += 1
    report.seconds = time.monotonic() - began
    return report


def look(phase: Phase, path: Path, promised: set[str], report: Report) -> None:
    """What is missing of what was promised, and what is half done."""
    if not path.exists():
        report.lost += len(promised)
        return
    report.lost += len(promised - phase.holds(path))
    if wrong := phase.wrong(path):
        report.partial += 1
        report.findings += wrong


def undisturbed(phase: Phase, path: Path) -> Course:
    """A run that nobody disturbs."""
    spans: list[float] = []
    entered = 0.0

    def told(kind: str, _what: str) -> None:
        nonlocal entered
        if kind == "enter":
            entered = time.monotonic()
        elif kind == "leave":
            spans.append(time.monotonic() - entered)

    phase.work(path, told)
    return Course(len(spans), statistics.median(spans), phase.content(path))


class Child:
    """A process that works on a phase: what it told, and whether it was inside a moment when it ended."""

    def __init__(self, phase: str, path: Path) -> None:
        self.kept: set[str] = set()
        self.inside = False
        self.error = ""
        self._entered = 0
        context: Any = multiprocessing.get_context("forkserver")  # forks from a process that has imported everything and started nothing
        context.set_forkserver_preload([__name__])
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=perform, args=(phase, str(path), theirs))
        self._process.start()
        theirs.close()

    def killed(self, moment: int, seconds: float) -> bool:
        """Kill it `seconds` after it has entered a moment (from 1; 0: never); True where it had finished before."""
        with self._pipe, suppress(EOFError):
            while True:
                kind, what = self._pipe.recv()
                self._note(kind, what)
                if kind == "enter" and self._entered == moment:
                    time.sleep(seconds)
                    self._process.kill()
                    moment = -1
        self._process.join()
        return bool(self._process.exitcode == 0)

    def _note(self, kind: str, what: str) -> None:
        if kind == "kept":
            self.kept.add(what)
        elif kind == "error":
            self.error = what
        else:
            self._entered += kind == "enter"
            self.inside = kind == "enter"


def perform(phase: str, path: str, pipe: Pipe) -> None:
    """The life of a child."""
    try:
        PHASES[phase].work(Path(path), lambda kind, what: pipe.send((kind, what)))
    except StoreError as error:
        pipe.send(("error", str(error)))
        raise SystemExit(1) from None
