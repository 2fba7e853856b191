"""What happened to which slot: an append-only file beside the store, each line fsynced and carrying its own hash.

`known` (the schedule was seen first), `begin` (a run of a slot begins), and what ended it: `done`, `failed` (to be tried again), `gave up`
(tried often enough), `crashed` (its process ended without a word; the next one to look says so). The newest line of a slot counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.store.lock import beside
from workbench.store.mirror import sealed, sync_directory, unsealed

SUFFIX = ".schedule.jsonl"
CLOSED = ("done", "gave up")
ENDED = (*CLOSED, "failed", "crashed")


@dataclass(frozen=True, slots=True)
class Journal:
    """The lines of one pipeline in the journal of a store, oldest first; `damaged` lines of the file are left out."""

    path: Path
    pipeline: str
    lines: tuple[dict[str, Any], ...]
    damaged: int

    @property
    def known(self) -> datetime | None:
        """When the schedule was seen first."""
        seen = [line for line in self.lines if line["state"] == "known"]
        return moment(seen[-1]["at"]) if seen else None

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest line that says something of a slot."""
        return next((line for line in reversed(self.lines) if line["state"] != "known"), None)

    @property
    def open(self) -> dict[str, Any] | None:
        """A run that began and has not ended: running, or crashed."""
        last = self.last
        return last if last is not None and last["state"] == "begin" else None

    def closed_until(self, now: datetime) -> datetime | None:
        """The latest slot up to now that needs no run any more; what a clock that ran ahead has closed counts when its time comes."""
        slots = [moment(line["slot"]) for line in self.lines if line["state"] in CLOSED]
        return max((slot for slot in slots if slot <= now), default=None)

    def attempts(self, slot: datetime) -> list[dict[str, Any]]:
        """How the runs of a slot ended that did not complete it."""
        return [line for line in self.lines if line["state"] in ("failed", "crashed") and moment(line["slot"]) == slot]

    def newest(self, *states: str) -> dict[str, Any] | None:
        """The newest line of one of these states."""
        return next((line for line in reversed(self.lines) if line["state"] in states), None)


def moment(text: str) -> datetime:
    """A moment as it is written in the journal."""
    return datetime.fromisoformat(text)


def written(value: datetime) -> str:
    """A moment as the journal has it: UTC, to the second."""
    return value.astimezone(UTC).isoformat(timespec="seconds")


def read(store: Path, pipeline: str) -> Journal:
    """The journal of a pipeline beside a store; empty where there is none."""
    target = beside(store, SUFFIX)
    lines = target.read_bytes().splitlines(keepends=True) if target.exists() else []
    records = [unsealed(line) for line in lines]
    kept = tuple(record for record in records if record is not None and record.get("pipeline") == pipeline)
    return Journal(target, pipeline, kept, sum(record is None for record in records))


def add(store: Path, record: Mapping[str, Any]) -> None:
    """Add a line and wait until it is on the disk; a torn last line is closed first."""
    target = beside(store, SUFFIX)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = not target.exists()
    descriptor = os.open(target, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + sealed(record))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_directory(target.parent)
