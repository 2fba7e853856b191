"""Many writers and readers at once: every row arrives, nobody waits forever, and who is refused learns who holds the store."""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store import audit, synthetic
from workbench.store.content import content_hash
from workbench.store.store import Store
from workbench.store.verify import verify

Progress = Callable[[str, int, int], None]

#: Where no writer has stored, and no reader ended, for so many seconds, one waits for another forever.
SECONDS = 600.0
WAIT = 300.0


@dataclass(slots=True)
class Report:
    """What became of the writers' jobs and the readers' looks."""

    writers: int
    readers: int
    jobs: int
    stored: int = 0
    wanted: int = 0
    longest_wait: float = 0.0
    looks: int = 0
    snapshots: int = 0
    inconsistent: int = 0
    refusals: int = 0
    unnamed: int = 0
    stuck: int = 0
    same: bool = False
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all rows are there, every look was consistent, nobody was stuck and every refusal named the holder."""
        return self.stored == self.wanted and self.same and not (self.inconsistent or self.unnamed or self.stuck or self.findings)


def together(writers: int = 8, readers: int = 8, jobs: int = 25, progress: Progress | None = None) -> Report:
    """Let `writers` processes do `jobs` jobs each on one store, while `readers` look at it again and again."""
    report, began = Report(writers, readers, jobs, wanted=writers * jobs), time.monotonic()
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with tempfile.TemporaryDirectory(prefix="workbench-torture-") as folder:
        path = Path(folder) / "store.duckdb"
        Store.open(path, "write").close()
        told, done = context.Queue(), context.Event()
        at_work = [context.Process(target=write, args=(str(path), number, jobs, told)) for number in range(writers)]
        looking = [context.Process(target=look, args=(str(path), done, told)) for _ in range(readers)]
        for process in (*at_work, *looking):
            process.start()
        pids = {process.pid for process in (*at_work, *looking)}
        heard, stored, last = 0, 0, began
        while heard < writers and time.monotonic() - last < SECONDS:
            alive = any(process.is_alive() for process in at_work)
            heard += hear(told, report, pids)
            if report.stored > stored:
                stored, last = report.stored, time.monotonic()
            if not alive and told.empty():
                break
            if progress:
                progress("write", min(report.stored, report.wanted), report.wanted)
        done.set()
        left, last = readers, time.monotonic()
        while left and time.monotonic() - last < SECONDS:
            alive = any(process.is_alive() for process in looking)
            left -= hear(told, report, pids)
            if not alive and told.empty():
                break
        for process in (*at_work, *looking):
            process.join(timeout=5)
            report.stuck += process.is_alive()
            report.findings += [f"a process ended with {process.exitcode}"] if process.exitcode else []
            process.kill()
        outcome = verify(path)
        report.findings += [str(finding) for finding in outcome if finding.status == "error"]
        alone = Path(folder) / "alone.duckdb"
        with Store.open(alone, "write") as store:
            for number in range(writers):
                for job in range(jobs):
                    store.append(synthetic.batch([name_of(number, job)]), 1)
        report.same = content_hash(path) == content_hash(alone)
    report.seconds = time.monotonic() - began
    return report


def name_of(writer: int, job: int) -> str:
    """The document of one job."""
    return f"document-{writer}-{job}"


def hear(told: Any, report: Report, pids: set[int]) -> int:
    """One thing that a process told; 1 where it is its last."""
    try:
        kind, what = told.get(timeout=1.0)
    except Exception:  # noqa: BLE001 - nothing was told within a second
        return 0
    if kind == "stored":
        report.stored += 1
        report.longest_wait = max(report.longest_wait, what)
    elif kind == "look":
        report.looks += 1
        report.snapshots += what
    elif kind == "inconsistent":
        report.inconsistent += 1
        report.findings.append(what)
    elif kind == "refused":
        report.refusals += 1
        if not any(f"pid {pid}" in what or f"process {pid}" in what for pid in pids):
            report.unnamed += 1
            report.findings.append(f"a refusal that names no holder: {what}")
    elif kind == "error":
        report.findings.append(what)
        return 1
    return int(kind == "end")


def orphaned() -> bool:
    """Whether nobody is left to hear what this process tells: who asked was killed."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def write(path: str, number: int, jobs: int, told: Any) -> None:
    """A writer: it asks once without patience, then waits its turn; every third time it publishes before it writes."""
    try:
        for job in range(jobs):
            if orphaned():
                return
            try:
                Store.open(path, "write").close()
            except StoreError as refusal:
                told.put(("refused", refusal.found))
            began = time.monotonic()
            with Store.open(path, "write", wait=WAIT) as store:
                waited = time.monotonic() - began
                if job % 3 == 0:
                    store.publish()
                store.append(synthetic.batch([name_of(number, job)]), 1)
            told.put(("stored", waited))
        told.put(("end", os.getpid()))
    except BaseException as error:  # noqa: BLE001 - the parent tells it
        told.put(("error", f"a writer ended: {type(error).__name__}: {error}"))


def look(path: str, done: Any, told: Any) -> None:
    """A reader: whatever it sees agrees with its ledger."""
    logging.getLogger("workbench.store").setLevel(logging.ERROR)  # else every look at a snapshot says so
    try:
        while not (done.is_set() or orphaned()):
            try:
                with Store.open(path) as store:
                    wrong = [*audit.ledger(store.connection), *audit.digests(store.connection)]
                    told.put(("look", bool(store.notices)))
                if wrong:
                    told.put(("inconsistent", "; ".join(map(str, wrong))))
            except StoreError as refusal:
                told.put(("refused", refusal.found))
            time.sleep(0.02)
        told.put(("end", os.getpid()))
    except BaseException as error:  # noqa: BLE001 - the parent tells it
        told.put(("error", f"a reader ended: {type(error).__name__}: {error}"))
