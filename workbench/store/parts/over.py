"""A store over parts: a DuckDB file whose large tables are views over Parquet files, to be read like any other store.

Documents that stand in several parts (edited, explained anew, given other words) are taken in one after another as every store takes
them, into tables of the file itself; the views leave them out. So what a document says is decided in one way, and most rows never move.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from workbench.errors import StoreError
from workbench.store import migrate, mirror
from workbench.store.building import building, move
from workbench.store.connection import explained, inspect, stands_over
from workbench.store.lock import WriterLock, beside
from workbench.store.parts import part as one_part
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import readable
from workbench.store.parts.views import raise_over
from workbench.store.prepared import Prepared
from workbench.store.store import Store


def over(parts: Parts, path: Path) -> None:
    """Makes the store at `path` say what the parts say; one that is there already must be over the same place.

    It appears when it is complete. Raises StoreError.
    """
    state = parts.manifest.refresh()
    parts.manifest.append(lambda _: None)  # a place that is still empty gets its identity
    schema = migrate.migrations()[-1].number
    if others := sorted({one.schema for one in state.parts.values()} - {schema}):
        found = f"parts of schema version {others[0]}, this workbench has version {schema}"
        raise StoreError(f"make a store over {parts.place}", found, "use the workbench that wrote them, or compute them into a new place")
    lock = WriterLock(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock.acquire()
    try:
        replaceable(parts, path)
        with building(path) as built:
            own(parts, built)
            with explained(f"make the store {path}", path):
                raise_over(parts, built)
                beside(path, mirror.SUFFIX).unlink(missing_ok=True)
                move(built, path)
    finally:
        lock.release()


def replaceable(parts: Parts, path: Path) -> None:
    """Refuses to replace anything but an earlier store over the same place."""
    if not path.exists():
        return
    inspect(path)
    asked = f"make a store over {parts.place} at {path}"
    with explained(asked, path), duckdb.connect(str(path), read_only=True) as connection:
        stood = stands_over(connection)
        identity = connection.execute("SELECT any_value(identity) FROM kept.store").fetchall()[0][0] if stood else None
    if identity != parts.state.identity:
        found = f"a store over {stood}" if stood else "a store with rows of its own"
        raise StoreError(asked, found, "give the path of a file that does not exist yet")


def own(parts: Parts, path: Path) -> None:
    """A store with all runs, what they registered, all failures, and the documents that stand in several parts."""
    several = repeated(parts)
    with Store.open(path, "write") as store:
        begun = 0
        for one in parts.state.parts.values():
            while begun < one.run:
                begun += 1
                begin(store, parts.state.runs[begun])
            if one.name in several or "failure" in one.files:
                store.append(only(one_part.read(parts.place, one), several.get(one.name, set())).batch(), one.run)
        for number in range(begun + 1, max(parts.state.runs, default=0) + 1):
            begin(store, parts.state.runs[number])


def begin(store: Store, run: Mapping[str, Any]) -> int:
    """A run of the manifest with what it registered; its number in the store."""
    number = store.begin_run(run["pipeline"], run["parameters"], run["environment"])
    for name, *rest in run["registered"]["corpora"]:
        store.register_corpus(name, *rest)
    for name, *rest in run["registered"]["models"]:
        store.register_model(name, *rest, changed=True)
    for name, *rest in run["registered"]["composites"]:
        store.register_composite(name, *rest)
    return number


def repeated(parts: Parts) -> dict[str, set[int]]:
    """Documents that stand in more than one part, by the parts' names, with their numbers from 1."""
    files = parts.files("document")
    if len(files) < 2:
        return {}
    source = f"read_parquet({files})"
    with duckdb.connect() as connection:
        readable(connection, parts.place)
        found = connection.execute(f"""
        WITH twice AS (SELECT hash(corpus, identifier) AS h FROM {source} GROUP BY ALL HAVING count(*) > 1)
        SELECT document FROM {source} WHERE hash(corpus, identifier) IN (FROM twice)
        QUALIFY count(*) OVER (PARTITION BY corpus, identifier) > 1""").fetchall()
    by_start = sorted((one.document, one.name) for one in parts.state.parts.values() if one.documents)
    starts = [start for start, _ in by_start]
    by_part: dict[str, set[int]] = {}
    for (document,) in found:
        start, name = by_start[bisect_right(starts, document) - 1]
        by_part.setdefault(name, set()).add(document - start + 1)
    return by_part


def only(prepared: Prepared, documents: set[int]) -> Prepared:
    """Rows of some documents, and all failures."""
    explanations = prepared.frames.get("explanation", pl.DataFrame(schema={"document": pl.Int32, "explanation": pl.Int32}))
    kept = {"document": documents, "explanation": set(explanations.filter(pl.col("document").is_in(documents))["explanation"])}
    frames = {}
    for table, frame in prepared.frames.items():
        owner = next((name for name in ("document", "explanation") if name in frame.columns), None)
        frames[table] = frame if owner is None else frame.filter(pl.col(owner).is_in(kept[owner]))
    return Prepared(frames, prepared.input_hash, prepared.schema)
