"""The phases in which a store's writer is killed: within batches, checkpoints, snapshots, migrations, compaction and commits of parts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from workbench.fingerprint import Json
from workbench.store import audit, migrate, snapshot, synthetic
from workbench.store.compact import compact
from workbench.store.connection import HARDENED, INTERRUPTED, Connection
from workbench.store.lock import beside
from workbench.store.parts import part as one_part
from workbench.store.parts.audit import damaged
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation
from workbench.store.store import Store
from workbench.store.torture.old import first_version
from workbench.store.torture.phase import NAMES, Phase, Told, copied, in_parts, moment

LAST = "second"


class Write(Phase):
    """Batches of new, edited and newly annotated documents."""

    name = "write"
    says = "new texts, edited texts, new words"

    def work(self, path: Path, told: Told) -> None:
        """Append what is missing, batch by batch."""
        with Store.open(path, "write", wait=30) as store:
            run = store.begin_run("torture", {}, {})
            done = by_last_annotator(store)
            for names in in_parts(NAMES, 2):
                if not done.issuperset(names):
                    self.step(store, run, names, told)
            store.end_run(run, "finished", {})

    def step(self, store: Store, run: int, names: list[str], told: Told) -> None:
        """One batch in three changes: a first version of the texts, the edited texts, new words."""
        final = synthetic.batch(names, version=1, annotator=LAST)
        if not store.missing(synthetic.wanted(final)).is_empty():
            for version in (0, 1):
                with moment(told):
                    store.append(synthetic.batch(names, version=version), run)
                for name in names:
                    told("kept", f"document {name}")
        with moment(told):
            store.replace_words(final, run)
        for name in names:
            told("kept", f"words {name}")

    def holds(self, path: Path) -> set[str]:
        """Documents, and the words of the last annotator."""
        with Store.open(path, "read", itself=True) as store:
            return super().holds(path) | {f"words {name}" for name in by_last_annotator(store)}


def by_last_annotator(store: Store) -> set[str]:
    """Documents whose words are the last annotator's."""
    found = store.sql(f"SELECT DISTINCT identifier FROM words JOIN documents USING (document) WHERE annotator = '{LAST}'")
    return set(found["identifier"])


def append_missing(store: Store, names: list[str], told: Told) -> bool:
    """Append documents that are not stored yet; whether there were any."""
    batch = synthetic.batch(names)
    if store.missing(synthetic.wanted(batch)).is_empty():
        return False
    store.append(batch, 1)
    for name in names:
        told("kept", f"document {name}")
    return True


class Checkpoint(Phase):
    """The write-ahead log is folded into the file."""

    name = "checkpoint"
    says = "the log is folded into the file"

    def work(self, path: Path, told: Told) -> None:
        """A checkpoint after every batch."""
        with Store.open(path, "write", wait=30) as store:
            for names in in_parts(NAMES, 2):
                if append_missing(store, names, told):
                    with moment(told):
                        store.checkpoint()


class Snapshot(Phase):
    """A snapshot is published after every batch; what readers find is whole at any moment."""

    name = "snapshot"
    says = "a snapshot is published"

    def work(self, path: Path, told: Told) -> None:
        """A snapshot after every batch."""
        with Store.open(path, "write", wait=30) as store:
            for names in in_parts(NAMES, 2):
                if append_missing(store, names, told):
                    with moment(told):
                        store.publish()

    def wrong(self, path: Path) -> list[str]:
        """What is wrong with the store, or with the snapshot that is there."""
        found = super().wrong(path)
        published = beside(path, snapshot.SUFFIX)
        if published.exists():
            with duckdb.connect(str(published), read_only=True, config=dict(HARDENED)) as connection:
                found += [f"the snapshot: {said}" for check in (audit.reads, audit.ledger, audit.digests) for said in check(connection)]
        return found


class Migration(Phase):
    """A store of the first version is taken to the present one."""

    name = "migration"
    says = "a store of version 1 is migrated"

    def prepare(self, path: Path) -> None:
        """An old store."""
        first_version(path, NAMES[:8])

    def promised(self) -> set[str]:
        """What the old store holds."""
        return {f"document {name}" for name in NAMES[:8]}

    def work(self, path: Path, told: Told) -> None:
        """Open it to write, which migrates it, and go on."""
        with moment(told):
            store = Store.open(path, "write", wait=30)
        with store:
            for names in in_parts(NAMES[8:], 2):
                append_missing(store, names, told)

    def holds(self, path: Path) -> set[str]:
        """Documents, in whatever version the store is."""
        with raw(path) as connection:
            return {f"document {row[0]}" for row in connection.execute("SELECT identifier FROM kept.document").fetchall()}

    def wrong(self, path: Path) -> list[str]:
        """A version between versions, or rows that cannot be read; of the present version all that `verify` finds."""
        with raw(path) as connection:
            numbers, known = sorted(migrate.applied(connection)), [step.number for step in migrate.migrations()]
            if numbers != known[: len(numbers)]:
                return [f"migrations {numbers} of {known}"]
            if numbers != known:
                return [str(one) for one in audit.reads(connection)]
        found = super().wrong(path)
        return completed(path, super().wrong) if any(INTERRUPTED in said for said in found) else found


def completed(path: Path, wrong: Callable[[Path], list[str]]) -> list[str]:
    """What is wrong with a copy of the store after it was opened once to write, as readers of an interrupted migration are told to do."""
    with tempfile.TemporaryDirectory(prefix="workbench-torture-") as folder:
        copy = copied(path, Path(folder) / path.name)
        Store.open(copy, "write", wait=30).close()
        return wrong(copy)


@contextmanager
def raw(path: Path) -> Iterator[Connection]:
    """A store of any version, to read; attached, so that the log of an interrupted migration is replayed (see `connection.fold_log`)."""
    with duckdb.connect(":memory:", config=dict(HARDENED)) as connection:
        connection.execute(f"ATTACH '{path}' AS store (READ_ONLY)")
        connection.execute("USE store")
        yield connection


class Compaction(Phase):
    """The store is written once more and takes the place of the old one, again and again as it grows."""

    name = "compaction"
    says = "the store is written once more"

    def work(self, path: Path, told: Told) -> None:
        """Compact after every few documents; what a killed writer left in the log counts as well."""
        for names in in_parts(NAMES, 3):
            with Store.open(path, "write", wait=30) as store:
                new = append_missing(store, names, told)
            if new:
                with moment(told):
                    compact(path)


class PartCommit(Phase):
    """Parts are written and made to count, as local processes and the actors of a cluster do it."""

    name = "parts"
    says = "parts are written and committed"

    def prepare(self, path: Path) -> None:
        """A store over a place that is still empty."""
        over(Parts(beside(path, ".place")), path)

    def work(self, path: Path, told: Told) -> None:
        """Take in what is whole, then write and commit what is missing; at the end the store stands over all of it."""
        parts = Parts(beside(path, ".place"))
        parts.adopt()
        done = in_place(parts)
        registered: dict[str, Json] = {"corpora": [], "models": [], "composites": []}
        first = parts.begin_run("torture", {}, {}, registered, documents=len(NAMES), explanations=6 * len(NAMES))
        scratch = Preparation()
        for place, names in enumerate(in_parts(NAMES, 2)):
            if done.issuperset(names):
                continue
            numbers = one_part.Numbers(first.run, first.document + 2 * place, first.explanation + 12 * place, 12)
            ready = scratch.prepare(synthetic.batch(names))
            with moment(told):
                parts.commit([one_part.write(parts.place, ready, numbers, f"work-{place}", {})])
            for name in names:
                told("kept", f"document {name}")
        scratch.close()
        parts.end_run(first.run, "finished", {})
        over(parts, path)

    def holds(self, path: Path) -> set[str]:
        """Documents of the parts that count."""
        return {f"document {name}" for name in in_place(Parts(beside(path, ".place")))}

    def wrong(self, path: Path) -> list[str]:
        """Parts that count and are not whole."""
        return [f"the part {one.name} is not whole" for one in damaged(Parts(beside(path, ".place")))]


def in_place(parts: Parts) -> set[str]:
    """Documents of the parts that count."""
    return {
        name for one in parts.state.parts.values() for name in one_part.read(parts.place, one).frames["document"]["identifier"].to_list()
    }


#: In the order in which they are told.
PHASES: dict[str, Phase] = {phase.name: phase for phase in (Write(), Checkpoint(), Snapshot(), Migration(), Compaction(), PartCommit())}
