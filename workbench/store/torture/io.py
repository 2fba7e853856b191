"""Failing every n-th write, fsync and rename of a small run: a clean error, what was stored intact, and the run goes on afterwards.

DuckDB writes from C++, so the calls are caught below it: a small library is compiled here and put before the C library (LD_PRELOAD). Each
trial is a process of its own; the call fails once, or it and all of its kind from then on (a disk that stays full).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store.content import content_hash
from workbench.store.torture import io_child
from workbench.store.torture.io_child import KINDS
from workbench.store.torture.phase import copied
from workbench.store.verify import verify

Progress = Callable[[str, int, int], None]

SOURCE = Path(__file__).with_name("io_shim.c")
ERRORS = {"write": (errno.ENOSPC, errno.EIO), "fsync": (errno.EIO,), "rename": (errno.EIO, errno.ENOSPC)}


@dataclass(slots=True)
class Report:
    """What failing calls of one kind did. `calls` is how many a run has; `unclean` ended otherwise than by a clear error."""

    kind: str
    calls: int = 0
    failed: int = 0
    refused: int = 0
    carried: int = 0
    lost: int = 0
    unclean: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every failure was a clear error or harmless, nothing was lost and every run could go on."""
        return not (self.lost or self.unclean)


def io(
    every: int = 1, *, kinds: Sequence[str] = KINDS, lasting: Sequence[bool] = (False, True), progress: Progress | None = None
) -> list[Report]:
    """Fail every `every`-th call of each kind, once and from then on. StoreError where that cannot be done here."""
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise StoreError(f"fail every {unknown[0]}", f"calls {', '.join(KINDS)}", "choose among these")
    with tempfile.TemporaryDirectory(prefix="workbench-torture-") as folder:
        shim = compiled(Path(folder))
        start = Path(folder) / "start" / "store.duckdb"
        start.parent.mkdir()
        promised = io_child.prepare(start)
        with Trials(shim) as trials:
            whole = copied(start, Path(folder) / "whole" / start.name)
            undisturbed = trials.run(whole, "write", 0, errno.EIO, lasting=False)
            if undisturbed["outcome"] != "done":
                raise StoreError(
                    "fail calls of a small run", f"a run that nobody disturbs: {undisturbed['error']}", "run `workbench doctor`"
                )
            calls = undisturbed["calls"]
            trial = Trial(start, Path(folder) / "trial", promised, said(whole), trials)
            reports, done = [], 0
            chosen = {kind: range(min(every, calls[kind]), calls[kind] + 1, every) for kind in kinds}
            total = sum(len(places) * len(lasting) for places in chosen.values())
            for kind in kinds:
                report, began = Report(kind, calls[kind]), time.monotonic()
                for stays in lasting:
                    for nth in chosen[kind]:
                        trial.one(report, nth, ERRORS[kind][nth % len(ERRORS[kind])], lasting=stays)
                        done += 1
                        if progress:
                            progress("fail", done, total)
                report.seconds = time.monotonic() - began
                reports.append(report)
    return reports


@dataclass(slots=True)
class Trial:
    """One run in which calls fail, and what must hold after it."""

    start: Path
    folder: Path
    promised: set[str]
    expected: list[str]
    trials: Trials

    def one(self, report: Report, nth: int, number: int, *, lasting: bool) -> None:
        """Fail the `nth` call; look at what is left; let the run go on."""
        shutil.rmtree(self.folder, ignore_errors=True)
        path = copied(self.start, self.folder / self.start.name)
        found = self.trials.run(path, report.kind, nth, number, lasting=lasting)
        if not found["fired"]:
            return
        report.failed += 1
        what = f"{report.kind} {nth} of {report.calls}, {errno.errorcode[number]}{' from then on' if lasting else ''}"
        if found["outcome"] == "refused":
            report.refused += 1
        elif found["outcome"] == "done":
            report.carried += 1
        else:
            report.unclean.append(f"{what}: {found['error']}")
        kept = self.promised | set(found["kept"])
        try:
            missing = kept - io_child.holds(path)
        except StoreError as error:
            missing = kept
            report.unclean.append(f"{what}: {found['error'] or 'no error'}, then {error.found}")
        if missing:
            report.lost += len(missing)
            report.unclean.append(f"{what}: lost {sorted(missing)[:3]}")
            return
        again = self.trials.run(path, report.kind, 0, number, lasting=False)
        if again["outcome"] != "done":
            report.unclean.append(f"{what}: the run does not go on: {again['error']}")
        elif said(path) != self.expected:
            report.unclean.append(f"{what}: the end is another")
        for store in io_child.stores(path):
            report.unclean += [f"{what}: {finding}" for finding in verify(store) if finding.status == "error"]


def said(path: Path) -> list[str]:
    """What the stores of a trial say at the end."""
    return [content_hash(store) for store in io_child.stores(path)]


def compiled(folder: Path) -> Path:
    """The library that fails calls; StoreError where there is no Linux or no C compiler."""
    asked = "fail writes, fsyncs and renames below DuckDB"
    if sys.platform != "linux":
        raise StoreError(asked, f"the system {sys.platform}", "run it on Linux, where a library can stand before the C library")
    compiler = next((name for name in (os.environ.get("CC"), "cc", "gcc", "clang") if name and shutil.which(name)), None)
    if compiler is None:
        raise StoreError(asked, "no C compiler (cc, gcc, clang)", "install one, for example: apt-get install gcc libc6-dev")
    library = folder / "io_shim.so"
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise StoreError(
            asked, f"{compiler} says: {made.stderr.strip()[:300]}", "install the C library's headers: apt-get install libc6-dev"
        )
    return library


class Trials:
    """A process behind the library that has imported everything and forks for each trial."""

    def __init__(self, shim: Path) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(shim)}
        command = [sys.executable, "-m", io_child.__name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )

    def run(self, path: Path, kind: str, nth: int, number: int, *, lasting: bool) -> dict[str, Any]:
        """One trial: outcome (done, refused, broken), error, kept, calls by kind, fired; `nth` 0 fails nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"path": str(path), "kind": kind, "nth": nth, "errno": number, "lasting": lasting}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Trials:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
