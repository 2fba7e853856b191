"""Killing writers on purpose: a store that was interrupted and run again says what an undisturbed one says."""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from workbench.store.content import content_hash
from workbench.store.lock import beside
from workbench.store.mirror import SUFFIX, unsealed
from workbench.store.store import Store
from workbench.store.synthetic import batch, wanted
from workbench.store.verify import verify

DOCUMENTS = 12
AT_ONCE = 2
LAST = "second"


@dataclass(frozen=True, slots=True)
class Report:
    """What killing did, and whether content and verification are those of an undisturbed store.

    `during_write` counts the kills between a batch's announcement and its acknowledgement; `stores` the stores that were filled meanwhile.
    """

    kills: int
    runs: int
    during_write: int
    stores: int
    seconds: float
    same_content: bool
    clean: bool
    findings: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether no kill left a trace."""
        return self.same_content and self.clean


def fill(path: Path, documents: int, at_once: int, told: Pipe | None = None) -> None:
    """Append what is missing of a synthetic corpus, batch by batch; some documents are edited and given new words on the way."""
    names = [f"document-{number:04}" for number in range(documents)]
    with Store.open(path, "write", wait=30) as store:
        if told is not None:
            told.send(True)
        run = store.begin_run("torture", {"documents": documents}, {})
        done = set(
            store.sql(f"SELECT DISTINCT identifier FROM words JOIN documents USING (document) WHERE annotator = '{LAST}'")["identifier"]
        )
        for start in range(0, documents, at_once):
            if not done.issuperset(names[start : start + at_once]):
                step(store, run, names[start : start + at_once])
        store.end_run(run, "finished", {})


def step(store: Store, run: int, names: list[str]) -> None:
    """One batch in three changes: a first version of the texts, the edited texts, new words."""
    final = batch(names, version=1, annotator=LAST)
    if not store.missing(wanted(final)).is_empty():
        store.append(batch(names, version=0), run)
        store.append(batch(names, version=1), run)
    store.replace_words(final, run)


def kill(n: int, seed: int = 0, *, documents: int = DOCUMENTS, at_once: int = AT_ONCE) -> Report:
    """Kill a writing child `n` times at random moments (SIGKILL), each time going on where it was, then let it finish and compare.

    A store that is complete before all kills are spent is started anew, so that every kill meets a store that is being written.
    """
    chance, started = random.Random(seed), time.monotonic()
    kills = runs = during = 0
    findings: list[str] = []
    same = clean = True
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Path(folder) / "undisturbed.duckdb"
        begun = time.monotonic()
        fill(undisturbed, documents, at_once)
        span, expected = time.monotonic() - begun, content_hash(undisturbed)
        store_number = 0
        while kills < n:
            path = Path(folder) / f"killed-{store_number}.duckdb"
            finished = False
            while kills < n and not finished:
                finished = killed_after(path, documents, at_once, chance.uniform(0, min(span, 2.0) * 0.8))
                kills, runs = kills + (not finished), runs + 1
                during += not finished and unacknowledged(path)
            fill(path, documents, at_once)
            outcome = verify(path)
            same, clean = same and content_hash(path) == expected, clean and outcome.clean
            findings += [str(finding) for finding in outcome if finding.status == "error"]
            store_number, runs = store_number + 1, runs + 1
    return Report(kills, runs, during, store_number, time.monotonic() - started, same, clean, findings)


def unacknowledged(path: Path) -> bool:
    """Whether the last line of the store's ledger announces a batch that nobody acknowledged."""
    ledger = beside(path, SUFFIX)
    last = ledger.read_bytes().splitlines(keepends=True)[-1:] if ledger.exists() else []
    record = unsealed(last[0]) if last else None
    return record is not None and record["state"] == "begin"


def killed_after(path: Path, documents: int, at_once: int, seconds: float) -> bool:
    """Start a child, wait until it writes and some moments more, kill it; True where it had finished before."""
    context = multiprocessing.get_context("forkserver")  # forks from a process that has imported everything and started nothing
    context.set_forkserver_preload([__name__])
    ready, told = context.Pipe(duplex=False)
    child = context.Process(target=fill, args=(path, documents, at_once, told))
    child.start()
    told.close()
    with ready, suppress(EOFError):
        ready.recv()
    child.join(timeout=seconds)
    finished = child.exitcode == 0
    child.kill()
    child.join()
    return finished
