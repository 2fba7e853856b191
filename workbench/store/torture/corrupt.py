"""Harming a store's files in every way that disks know: after `verify`, no wrong answer may be silent.

Each harmed copy is judged in a process of its own. It is *noticed* where `verify` (or opening) says so, *harmless* where every row of every
table is what it was, and *silent* otherwise: that must never happen.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from workbench.errors import StoreError
from workbench.store import synthetic
from workbench.store.lock import beside
from workbench.store.mirror import SUFFIX
from workbench.store.parts import part as one_part
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation
from workbench.store.store import Store
from workbench.store.torture.answers import answers
from workbench.store.torture.damage import DAMAGES, harm
from workbench.store.torture.phase import NAMES, in_parts
from workbench.store.verify import verify

Progress = Callable[[str, int, int], None]

TARGETS = ("database", "log", "ledger", "parts")
#: Kinds of damage that make sense for a file of this kind: only a database has blocks.
BLOCKS = ("exchanged", "doubled")


@dataclass(slots=True)
class Report:
    """What became of harmed copies of one kind of file."""

    target: str
    harmed: int = 0
    noticed: int = 0
    harmless: int = 0
    crashed: int = 0
    silent: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Intact:
    """A store in a folder before it is harmed: the files that may be harmed, what they were before, and all that the store says."""

    store: Path
    files: tuple[Path, ...]
    before: dict[Path, bytes]
    says: str

    @property
    def copy(self) -> Path:
        """Where a copy of the folder is kept while its files are harmed."""
        return self.store.parent.with_name(f"{self.store.parent.name}-intact")


def corrupt(n: int, seed: int = 0, *, targets: Sequence[str] = TARGETS, progress: Progress | None = None) -> list[Report]:
    """Harm `n` copies, spread over the kinds of files. StoreError for a kind that there is not."""
    if unknown := sorted(set(targets) - set(TARGETS)):
        raise StoreError(f"harm {unknown[0]}", f"files of {', '.join(TARGETS)}", "choose among these")
    chance, reports, done = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory(prefix="workbench-torture-") as folder:
        for place, target in enumerate(targets):
            report, began = Report(target), time.monotonic()
            intact = MAKERS[target](Path(folder) / target)
            share = (n - done) // (len(targets) - place)
            for number in range(share):
                one(intact, chance, report)
                if progress:
                    progress("corrupt", done + number + 1, n)
            done += share
            report.seconds = time.monotonic() - began
            reports.append(report)
    judges.close()
    return reports


def one(intact: Intact, chance: random.Random, report: Report) -> None:
    """Harm one file where the store stands (parts are known by their place), judge, and put all back."""
    folder = intact.store.parent
    if not intact.copy.exists():
        shutil.copytree(folder, intact.copy)
    file, kind = harmed(intact, chance)
    report.harmed += 1
    verdict = judges.judge(intact.store)
    if verdict in ("noticed", "crashed"):
        setattr(report, verdict, getattr(report, verdict) + 1)
    elif verdict == intact.says:
        report.harmless += 1
    else:
        report.silent.append(f"{file.name}: {kind}")
    shutil.rmtree(folder)
    shutil.copytree(intact.copy, folder)


def harmed(intact: Intact, chance: random.Random) -> tuple[Path, str]:
    """Which file was harmed, and how; drawn again where the damage would have left it as it was."""
    while True:
        file = chance.choice(intact.files)
        kind = chance.choice([kind for kind in DAMAGES if file == intact.store or kind not in BLOCKS])
        file.chmod(0o644)
        if harm(file, intact.before.get(file, b""), kind, chance):
            return file, kind


class Judges:
    """A process that verifies, and another where it died over a harmed file."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def judge(self, path: Path) -> str:
        """`noticed`, `crashed`, or all that the store says where verification found nothing."""
        if self._pool is None:
            context: Any = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([__name__])
            self._pool = ProcessPoolExecutor(1, context)
        try:
            return self._pool.submit(judged, path).result()
        except BrokenProcessPool:
            self.close()
            return "crashed"

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


judges = Judges()


def judged(path: Path) -> str:
    """What verification says of a store; where it finds nothing, all that the store says."""
    signal.alarm(120)  # a damaged file must not keep anybody waiting forever
    try:
        if not verify(path).clean:
            return "noticed"
        return answers(path)
    except (StoreError, duckdb.Error):
        return "noticed"
    finally:
        signal.alarm(0)


def filled(path: Path, *, before: dict[Path, bytes] | None = None, killed: bool = False) -> None:
    """A store with all that one can hold: texts edited and annotated anew, scores, failures, registered things, runs that ended."""
    store = Store.open(path, "write")
    store.register_corpus("posts", "a" * 64, {"licence": "CC0"})
    store.register_model("first", "b" * 64, "classifier", {"tokenizer": "first"})
    store.register_composite("attnlrp.v1", "c" * 64, {})
    run = store.begin_run("torture", {}, {"python": "3"})
    for place, names in enumerate(in_parts(NAMES, 3)):
        store.append(synthetic.batch(names), run)
        store.append(synthetic.batch(names[:1], version=1), run)
        store.replace_words(synthetic.batch(names[1:2], annotator="second"), run)
        store.append(synthetic.failing(f"failing-{place}"), run)
        store.append_scores(synthetic.scores(names), run)
        if place == 1 and before is not None:
            store.checkpoint()
            before |= {file: file.read_bytes() for file in companions(path)}
    store.end_run(run, "finished", {"documents": len(NAMES)})
    if killed:
        os.kill(os.getpid(), signal.SIGKILL)
    store.close()


def companions(path: Path) -> list[Path]:
    """The database, its log and its ledger, as far as they are there."""
    return [file for file in (path, beside(path, ".wal"), beside(path, SUFFIX)) if file.exists()]


def database(folder: Path) -> Intact:
    """A store that was closed in order; its file is harmed."""
    folder.mkdir(parents=True)
    path = folder / "store.duckdb"
    before: dict[Path, bytes] = {}
    filled(path, before=before)
    return Intact(path, (path,), before, answers(path))


def ledger(folder: Path) -> Intact:
    """The same; its ledger is harmed."""
    intact = database(folder)
    return Intact(intact.store, (beside(intact.store, SUFFIX),), intact.before, intact.says)


def log(folder: Path) -> Intact:
    """A store whose writer was killed before a checkpoint: its write-ahead log is harmed."""
    folder.mkdir(parents=True)
    path = folder / "store.duckdb"
    Store.open(path, "write").close()
    context: Any = multiprocessing.get_context("forkserver")
    child = context.Process(target=filled, args=(path,), kwargs={"killed": True})
    child.start()
    child.join()
    file = beside(path, ".wal")
    data = file.read_bytes()
    return Intact(path, (file,), {file: data[: len(data) // 2]}, answers(path))


def parts(folder: Path) -> Intact:
    """A store over parts; one of their Parquet files, records or the manifest is harmed."""
    place, path = Parts(folder / "parts"), folder / "store.duckdb"
    scratch = Preparation()
    numbers = place.begin_run(
        "torture", {}, {}, {"corpora": [], "models": [], "composites": []}, documents=len(NAMES), explanations=6 * len(NAMES)
    )
    for number, names in enumerate(in_parts(NAMES, 3)):
        own = one_part.Numbers(numbers.run, numbers.document + 3 * number, numbers.explanation + 18 * number, 18)
        place.commit([one_part.write(place.place, scratch.prepare(synthetic.batch(names)), own, f"work-{number}", {})])
    place.end_run(numbers.run, "finished", {})
    scratch.close()
    over(place, path)
    files = tuple(sorted(file for file in (folder / "parts").rglob("*") if file.is_file()))
    others = {file: files[place - 1].read_bytes() for place, file in enumerate(files)}
    return Intact(path, files, others, answers(path))


MAKERS: dict[str, Callable[[Path], Intact]] = {"database": database, "log": log, "ledger": ledger, "parts": parts}
