"""Repair: what is damaged is taken out and said, so that the next run computes just that again.

1. A checkpoint that was interrupted is undone, as at every opening.
2. A file that DuckDB cannot open: without the damaged end of its log it may open; else the last snapshot takes its place; else it is set
   aside, and everything is to be computed again.
3. Blocks that cannot be read: all rows that can are written to a new file.
4. Rows that disagree with their digests, sums or ledger are removed, with what belongs to them; what is derived is made again.
5. A manifest of parts that is damaged is made again from the records of parts and runs; parts whose files are damaged are forgotten, and
   the store over them is made again.

What is set aside stays beside the store, named `.damaged`, until somebody deletes it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from workbench.errors import StoreError
from workbench.store import guard, mirror, salvage
from workbench.store.connection import HARDENED, explain, stands_over
from workbench.store.literal import quoted
from workbench.store.lock import WriterLock, beside
from workbench.store.mend import everything_wrong, mend
from workbench.store.parts.mend import mend_parts
from workbench.store.store import Store
from workbench.store.verify import Findings, compare_mirror, verify

ROUNDS = 4
#: Told what is at hand: a step's name.
Told = Callable[[str], None]


@dataclass(slots=True)
class Repaired:
    """What repairing did: sentences, what was removed by kind, the runs that had made it, and what verification says now.

    `over` are the parts that the store stands over.
    """

    path: Path
    done: list[str] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    runs: set[int] = field(default_factory=set)
    findings: Findings | None = None
    over: str | None = None

    @property
    def is_gone(self) -> bool:
        """Whether nothing of the store was left: everything is to be computed again."""
        return self.findings is None

    @property
    def was_damaged(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.done or self.removed)


def repair(path: str | os.PathLike[str], *, parts: str | None = None, told: Told = lambda _: None) -> Repaired:
    """Make a store sound again; what had to be removed is computed by the next run.

    `parts` says where the parts are of a store over parts whose file cannot tell. Raises StoreError where nothing can or must be done (no
    store, one in use, one that another workbench wrote) and where damage is left that nobody knows how to take out.
    """
    target = Path(path)
    done = Repaired(target)
    there(target, parts)
    lock = WriterLock(target)
    lock.acquire()
    try:
        if target.exists():
            told("open")
            open_again(target, done)
        done.over = parts or (place_of(target) if target.exists() else None)
    finally:
        lock.release()
    if done.over is not None:
        told("parts")
        said, done.runs = mend_parts(done.over, target)
        done.done += said
    elif target.exists():
        told("rows")
        rows(target, done)
    if target.exists():
        told("verify")
        done.findings = verify(target)
        if not done.findings.clean:
            left = "; ".join(f"{one.check}: {one.message}" for one in done.findings if one.status == "error")
            raise StoreError(f"repair {target}", left, "restore a copy, or compute again into a new store")
    return done


def there(path: Path, parts: str | None) -> None:
    """Refuse what was never a store."""
    asked = f"repair {path}"
    if path.is_dir():
        raise StoreError(asked, "a directory", "give the path of a store's file")
    if not path.exists() and parts is None:
        raise StoreError(asked, "no file there", "check the path; over parts: workbench repair --parts ADDRESS")
    if path.exists() and (error := refusal(path)) is not None and parts is None and not beside(path, mirror.SUFFIX).exists():
        found = f"{error.splitlines()[0][:200]}; and no {beside(path, mirror.SUFFIX).name} beside it"
        raise StoreError(asked, found, "give the path of a store; over parts that are elsewhere: add --parts ADDRESS")


def refusal(path: Path) -> str | None:
    """What DuckDB says against opening a file; None where it opens. StoreError where the file is not damaged but in use or newer."""
    try:
        with attached(path):
            return None
    except duckdb.Error as error:
        said = explain(error, f"repair {path}", path)
        if said.retryable or "newer than" in said.found:
            raise said from error
        return str(error)


def attached(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a file of any version, to read."""
    connection = duckdb.connect(":memory:", config=dict(HARDENED))
    try:
        connection.execute(f"ATTACH {quoted(path)} AS store (READ_ONLY)")
        connection.execute("USE store")
    except BaseException:
        connection.close()
        raise
    return connection


def place_of(path: Path) -> str | None:
    """Where the parts are that a store stands over."""
    with attached(path) as connection:
        return stands_over(connection)


def open_again(path: Path, done: Repaired) -> None:
    """Make a file that can be opened and read out of what there is; the caller holds the lock."""
    if guard.recover(path):
        done.done.append("a checkpoint that was interrupted is undone; the log has what it was about")
    if refusal(path) is not None:
        without_log, snapshot = salvage.shortened_log(path), beside(path, ".snapshot")
        if without_log is not None:
            done.done.append(
                f"the log beside it is damaged: its first {without_log:,} bytes are kept (whole: {beside(path, '.wal.damaged').name})"
            )
        elif snapshot.exists() and refusal(snapshot) is None:
            kept = salvage.set_aside(path)
            os.link(snapshot, path)
            done.done.append(f"DuckDB cannot open it: the last snapshot takes its place (the file is {kept.name} now)")
        else:
            kept = salvage.set_aside(path)
            done.done.append(f"DuckDB cannot open it and there is no snapshot: it is {kept.name} now, compute everything again")
            return
    with attached(path) as connection:
        if stands_over(connection) is not None:
            return
        damaged = salvage.damaged_tables(connection)
    if damaged:
        done.done += salvage.write_again(path, damaged)


def rows(path: Path, done: Repaired) -> None:
    """Take out rows that are wrong, until nothing is."""
    with Store.open(path, "write") as store:
        done.done += store.notices
        lines = mirror.read(path, store.identity)
        done.runs |= {lines.begun[batch]["run"] for batch in lines.lost & set(lines.begun)} if store.notices else set()
        for _ in range(ROUNDS):
            wrong = [*everything_wrong(store.connection), *(one for one in compare_mirror(store) if one.numbers)]
            if not wrong:
                break
            removed, made_by = mend(store, wrong)
            done.removed.update({what: count for what, count in removed.items() if "removed" in what})
            done.runs |= made_by
    with Store.open(path, "write"):  # enters in the mirror what went with rows of the ledger
        pass
