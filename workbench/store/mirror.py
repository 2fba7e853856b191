"""The ledger outside the database: `<store>.ledger.jsonl`, append-only, each line fsynced and carrying its own hash.

A damaged write-ahead log can look like a torn one, and DuckDB then drops committed batches without a word. So every batch is announced here
before its commit (`begin`) and acknowledged after it (`done`):

* a batch in the database that was never announced: lines were lost here;
* a batch that was acknowledged and is not in the database: commits were lost there;
* a batch announced only: its process ended around the commit; either outcome is sound.

What a later writer finds wrong it tells its user and records (`noticed`), so that the damage is known and the store is of use again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.store.lock import beside

SUFFIX = ".ledger.jsonl"


@dataclass(slots=True)
class Mirror:
    """What the lines of a mirror say: by batch what was announced and what acknowledged, and which lines cannot be read."""

    begun: dict[int, dict[str, Any]] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    known_damage: set[int] = field(default_factory=set)
    damaged: list[int] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    exists: bool = True

    @property
    def last(self) -> int:
        """Highest batch number ever announced, 0 where there is none."""
        return max(self.begun, default=0)


def sealed(record: Mapping[str, Any]) -> bytes:
    """One line: the record in canonical JSON with the hash of itself."""
    body = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return (
        json.dumps({"record": record, "sha256": hashlib.sha256(body.encode()).hexdigest()}, sort_keys=True, ensure_ascii=False).encode()
        + b"\n"
    )


def unsealed(line: bytes) -> dict[str, Any] | None:
    """The record of one line, None where the line is damaged."""
    try:
        outer = json.loads(line)
        body = json.dumps(outer["record"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        intact = hashlib.sha256(body.encode()).hexdigest() == outer["sha256"] and sealed(outer["record"]) == line
    except (ValueError, KeyError, TypeError):
        return None
    return dict(outer["record"]) if intact else None


def append(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add lines and wait until they are on the disk; a torn last line is closed first so that it stays alone."""
    target = beside(path, SUFFIX)
    new = not target.exists()
    descriptor = os.open(target, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + b"".join(sealed(record) for record in records)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        except OSError:  # a full disk must not leave half a line
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if new:
        sync_directory(target.parent)


def renew(path: Path, identity: str, announced: Mapping[int, Mapping[str, Any]]) -> None:
    """A new mirror in place of whatever is there, that announces and acknowledges these batches."""
    target, temporary = beside(path, SUFFIX), beside(path, f"{SUFFIX}.{os.getpid()}.tmp")
    records: list[Mapping[str, Any]] = []
    for batch, line in sorted(announced.items()):
        records += [{**line, "state": "begin", "store": identity}, {"state": "done", "store": identity, "batch": batch}]
    try:
        temporary.write_bytes(b"".join(sealed(record) for record in records))
        sync_file(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(folder: Path) -> None:
    """Make a new or renamed file's name durable, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def read(path: Path, identity: str) -> Mirror:
    """All lines of a store's mirror; lines of another store's identity are listed as foreign."""
    mirror, target = Mirror(), beside(path, SUFFIX)
    if not target.exists():
        mirror.exists = False
        return mirror
    for number, line in enumerate(target.read_bytes().splitlines(keepends=True), start=1):
        record = unsealed(line)
        if record is None:
            mirror.damaged.append(number)
        elif record.get("store") != identity:
            mirror.foreign.append(number)
        elif record["state"] == "begin":
            mirror.begun[record["batch"]] = record
        elif record["state"] == "done":
            mirror.done.add(record["batch"])
        elif record["state"] == "noticed":
            mirror.lost.update(record["lost"])
            mirror.known_damage.update(record["damaged"])
    return mirror


def differing(lines: Mirror, kept: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Batches of which the ledger rows in the database say another thing than the mirror."""
    both = sorted(set(kept) & set(lines.begun))
    return [batch for batch in both if {key: lines.begun[batch].get(key) for key in kept[batch]} != kept[batch]]


def reconcile(path: Path, identity: str, kept: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Compare the mirror with the ledger rows in the database, record what is wrong, and say it: one sentence a finding."""
    mirror = read(path, identity)
    lost = sorted(mirror.done - set(kept) - mirror.lost)
    damaged = sorted(set(mirror.damaged + mirror.foreign) - mirror.known_damage)
    unannounced = sorted(set(kept) - set(mirror.begun))
    notices = []
    if lost:
        notices.append(f"{len(lost)} acknowledged batches are not in the store (lost commits: {lost[:10]}); run again to compute them anew")
    if damaged:
        notices.append(f"{len(damaged)} lines of {beside(path, SUFFIX).name} are damaged (lines {damaged[:10]})")
    if unannounced:
        notices.append(f"{len(unannounced)} batches had no line in {beside(path, SUFFIX).name} and were entered again from the store")
    records: list[Mapping[str, Any]] = [{**kept[batch], "state": "begin", "store": identity, "batch": batch} for batch in unannounced]
    unacknowledged = sorted(set(kept) - mirror.done)
    records += [{"state": "done", "store": identity, "batch": batch} for batch in unacknowledged]
    if lost or damaged:
        records.append({"state": "noticed", "store": identity, "lost": lost, "damaged": damaged})
    if records:
        append(path, records)
    return notices
