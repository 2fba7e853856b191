"""The relevance store: one DuckDB file, opened to read or, by one process at a time, to write."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import duckdb
import polars as pl

from workbench.batch import Batch
from workbench.errors import StoreError
from workbench.fingerprint import Json
from workbench.store import append, change, guard, migrate, mirror, registry, scope, snapshot
from workbench.store.check import check
from workbench.store.connection import Connection, connect_when_free, explain, explained, known_open, of_its_own, registered
from workbench.store.create import create
from workbench.store.input import hash_of
from workbench.store.lock import WriterLock
from workbench.store.prepared import Prepared
from workbench.store.prune import prune
from workbench.store.take import take
from workbench.store.wanted import missing

Mode = Literal["read", "write"]


class Store:
    """An open relevance store; use `Store.open(path, mode)` and `with`, which close it.

    `notices` has one sentence for each damage found while opening to write (lost commits, damaged ledger lines), and for a reader the one
    that says that this is a snapshot: show them.
    """

    def __init__(self, path: Path, mode: Mode, connection: Connection, lock: WriterLock | None) -> None:
        self.path, self.mode = path, mode
        self.notices: list[str] = []
        self._connection, self._lock = connection, lock
        self._published: float | None = None
        self._pause = snapshot.SECONDS
        self.publications, self._last_batch, self._closed = 0, 0, False
        with ExitStack() as opened:
            opened.enter_context(known_open(path))
            if mode == "write":  # one in a process: to close a reader's would give away the locks of others
                self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                opened.callback(os.close, self._descriptor)
            self.identity = str(connection.execute("SELECT any_value(identity) FROM kept.store").fetchall()[0][0])
            if mode == "write":
                status = path.stat()
                self._inode = (status.st_dev, status.st_ino)
                self._begin_to_write()
            self._opened = opened.pop_all()

    def _begin_to_write(self) -> None:
        registry.interrupt(self._connection)
        kept = change.announcements(self._connection)
        with explained(f"write the store {self.path}", self.path):
            self.notices = mirror.reconcile(self.path, self.identity, kept)
        self._last_batch = max(max(kept, default=0), mirror.read(self.path, self.identity).last)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        mode: Mode = "read",
        *,
        wait: float = 0.0,
        run: int | None = None,
        itself: bool = False,
    ) -> Store:
        """Open a store; mode "write" makes a new one where there is none, migrates an older one and keeps other writers out.

        `wait` is how many seconds to wait for other writers, and for readers to finish; `run` narrows all that is read to what that run
        explained. While another process writes, reading gives its snapshot and says so, unless the store `itself` is wanted. Raises
        StoreError with the reason and the remedy.
        """
        target = Path(path)
        if mode not in ("read", "write"):
            raise StoreError(f"open the store {target}", f"the mode {mode!r}", 'use "read" or "write"')
        if mode == "read":
            return cls._reader(target, run, itself)
        if run is not None:
            raise StoreError(f"open the store {target} to write", f"the run {run}", "name a run only to read")
        lock = WriterLock(target)
        if not target.is_dir():
            with explained(f"make the store {target}", target):
                target.parent.mkdir(parents=True, exist_ok=True)
            began = time.monotonic()
            lock.acquire(wait)
            wait -= time.monotonic() - began
        try:
            if not target.exists():
                create(target)
            guard.recover(target)
            connection = connect_when_free(target, wait)
            try:
                with explained(f"open the store {target}", target):
                    of_its_own(connection, target)
                    snapshot.withdraw(target)
                    steps = migrate.compare(connection, target)
                    migrate.apply(connection, steps, target)
                    store = cls(target, mode, connection, lock)
                    if steps:
                        store.checkpoint()  # a log that alters tables is hard to replay, see `connection.fold_log`
                    return store
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _reader(cls, target: Path, run: int | None, itself: bool) -> Store:
        reading = snapshot.read(target, snapshot=not itself)
        connection = reading.connection
        try:
            with explained(f"open the store {target}", target):
                if behind := migrate.compare(connection, target):
                    found = f"an older schema (version {behind[0].number - 1})"
                    raise StoreError(f"read the store {target}", found, "open it once to write (`workbench run`): that migrates it")
                for statement in scope.statements(connection, run, target) if run is not None else ():
                    connection.execute(statement)
                store = cls(reading.path, "read", connection, None)
                store.notices += [reading.notice] if reading.notice else []
                return store
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file and give the writer's lock back; doing so twice harms nobody.

        Where the log cannot be folded into the file (a full disk), a warning says so: all is in the log, which is read at the next opening.
        """
        if self.mode == "write" and not self._closed:
            guard.fold_at_the_end(self._connection, self.path, self._descriptor)
        self._closed = True
        with suppress(duckdb.Error):
            self._connection.close()
        self._opened.close()
        if self._lock is not None:
            if self._published is not None:
                snapshot.withdraw(self.path)
                self._published = None
            self._lock.release()

    def checkpoint(self) -> None:
        """Fold the log into the file; done by itself when the log is long, and at the end. StoreError where that fails; nothing is lost."""
        with explained(f"fold the log into {self.path}", self.path):
            guard.checkpoint(self._connection, self.path, self._descriptor)

    def publish(self) -> None:
        """Let others read what is stored now while this process goes on writing; it is renewed from time to time.

        Where there is no room for a snapshot, a notice says so and readers wait.
        """
        try:
            took = snapshot.publish(self._connection, self.path, self._descriptor)
        except StoreError as error:
            self.notices.append(f"no snapshot for readers: {error.found}")
            took = 0.0
        self.publications += 1
        self._published, self._pause = time.monotonic(), max(snapshot.SECONDS, snapshot.SHARE * took)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def connection(self) -> Connection:
        """The DuckDB connection, for the rooms store and queries alone."""
        return self._connection

    def sql(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The result of one SQL statement as a frame; parameters fill `?`, `$1` or `$name`. StoreError says what DuckDB says."""
        with explained("run a query", self.path):
            relation: duckdb.DuckDBPyRelation | None = self._connection.sql(statement, params=parameters or None)
            return pl.DataFrame() if relation is None else pl.DataFrame(relation.pl())

    def missing(self, wanted: pl.DataFrame, *, failed: bool = False, now: datetime | None = None) -> pl.DataFrame:
        """The rows of `wanted` whose explanation is not stored: see `workbench.store.wanted`."""
        return missing(self._connection, self.path, wanted, failed=failed, now=now)

    def stored_documents(self, corpus: str) -> pl.DataFrame:
        """Documents of a corpus: identifier, fingerprint (of the texts)."""
        return self.sql("SELECT identifier, fingerprint FROM kept.document WHERE corpus = ? ORDER BY identifier", [corpus])

    def append(self, batch: Batch | Prepared, run: int) -> None:
        """Store a batch in one transaction with its ledger row; what is stored already changes nothing.

        A batch that another process has prepared takes a fraction of the time. Raises StoreError, which names the document that is refused.
        """
        if isinstance(batch, Batch):
            check(batch)
        input_hash = batch.input_hash if isinstance(batch, Prepared) else hash_of(batch.frames)
        with self.changing("append", run, input_hash) as this:
            if isinstance(batch, Prepared):
                take(self._connection, batch, this)
            else:
                append.write(self._connection, batch, this)

    def replace_words(self, batch: Batch, run: int) -> None:
        """Give stored documents the words of a new annotator (frames document and word) and make their word relevance again."""
        check(batch)
        with self.changing("replace_words", run, hash_of(batch.frames)) as this:
            registry.require_stored(self._connection, batch)
            append.write(self._connection, batch, this)

    def append_scores(self, frame: pl.DataFrame, run: int) -> None:
        """Store evaluation scores: document (the store's number) or corpus and identifier; role, model, method, ordering, metric, value."""
        with (
            self.changing("scores", run, hash_of({"score": frame})) as this,
            registered(self._connection, "src_score", registry.checked_scores(frame)),
        ):
            registry.write_scores(self._connection, this)

    def prune(self, gone: Mapping[str, pl.DataFrame], run: int, *, earlier: bool) -> None:
        """Remove what the frames `document`, `explanation` and `failure` name, and what only that needed (see `workbench.store.prune`)."""
        with self.changing("prune", run, hash_of(gone)) as this:
            prune(self._connection, this, gone, earlier=earlier)

    def register_corpus(self, name: str, fingerprint: str, parameters: Mapping[str, Json]) -> None:
        """Keep what a corpus is; its fingerprint may change, the newest is kept."""
        self._register("corpus", name, fingerprint, [parameters], changeable=True)

    def register_model(self, name: str, fingerprint: str, kind: str, parameters: Mapping[str, Json], *, changed: bool = False) -> None:
        """Keep what a model is; `parameters["tokenizer"]` names its tokenizer (default: the model's name). A name keeps its fingerprint.

        Unless its weights `changed`: explanations by earlier ones stay until new ones supersede them, and say in `weights` which made them.
        """
        self._register("model", name, fingerprint, [kind, parameters], changeable=changed)

    def register_composite(self, name: str, fingerprint: str, parameters: Mapping[str, Json]) -> None:
        """Keep what a composite is. A name keeps its fingerprint."""
        self._register("composite", name, fingerprint, [parameters], changeable=False)

    def begin_run(self, pipeline: str, parameters: Mapping[str, Json], environment: Mapping[str, Json]) -> int:
        """Open a run and return its number."""
        with self._transaction("begin a run"):
            return registry.begin_run(self._connection, pipeline, parameters, environment)

    def end_run(self, run: int, status: str, counts: Mapping[str, Json]) -> None:
        """Close a run with its status (for example "finished", "failed", "interrupted") and its counts."""
        with self._transaction("end a run"):
            registry.end_run(self._connection, run, status, counts)

    def _register(self, table: str, name: str, fingerprint: str, rest: list[Any], *, changeable: bool) -> None:
        with self._transaction(f"register the {table} {name}"):
            registry.register(self._connection, table, name, fingerprint, rest, changeable=changeable)

    @contextmanager
    def _transaction(self, asked: str) -> Iterator[None]:
        if self.mode != "write":
            raise StoreError(f"{asked} in {self.path}", "the store is open to read", 'open it with mode="write"')
        try:
            self._connection.execute("BEGIN")
            yield
            change.still_there(self.path, self._inode)
            self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(duckdb.Error):
                self._connection.rollback()
            if isinstance(error, duckdb.Error | OSError):
                raise explain(error, f"{asked} in {self.path}", self.path) from error
            raise

    @contextmanager
    def changing(self, action: str, run: int, input_hash: str) -> Iterator[change.Change]:
        """A transaction with its ledger row, for the rooms store and queries alone."""
        if self.mode != "write":
            raise StoreError(f"write the store {self.path}", "it is open to read", 'open it with mode="write"')
        this = change.Change(self._last_batch + 1, run, action, input_hash)
        try:
            self._connection.execute("BEGIN")
            yield this
            if this.is_empty:
                self._connection.execute("ROLLBACK")
                return
            self._last_batch = this.batch
            change.close(self._connection, self.path, self.identity, self._inode, this)
        except BaseException as error:
            with suppress(duckdb.Error):
                self._connection.rollback()
            if isinstance(error, duckdb.Error | OSError):
                raise explain(error, f"write the store {self.path}", self.path) from error
            raise
        if self._published is not None and time.monotonic() - self._published > self._pause:
            self.publish()
        elif guard.log_bytes(self.path) > guard.LOG_BYTES:
            self.checkpoint()
