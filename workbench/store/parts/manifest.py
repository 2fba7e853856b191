"""The manifest of a place: numbered records, each written once, sealed with its own hash and naming that of the one before it.

A record is one small file; who tries to write a number that is taken reads on and takes the next. Every 256 records are folded into one
file, so that a place with many thousands of parts is read in moments.
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from workbench.errors import StoreError
from workbench.fingerprint import Json
from workbench.store.mirror import sealed, unsealed
from workbench.store.parts.part import Part
from workbench.store.parts.place import Place

FOLDER = "manifest"
#: Copies of what runs were when they began, so that a manifest that is damaged can be made again; and where such a one is kept.
RUNS = "runs"
DAMAGED = "manifest.damaged."
FOLDED = 256

Record: TypeAlias = Mapping[str, Any]


class DamagedError(StoreError):
    """A manifest that does not say any more what it said."""

    def __init__(self, place: Place, found: str) -> None:
        super().__init__(f"read the parts in {place}", found, f"workbench repair STORE --parts {place} makes it again from the parts")


@dataclass(slots=True)
class State:
    """What the records say, in their order: runs by number, parts that count, and the last numbers that were given out."""

    identity: str = ""
    records: int = 0
    previous: str = ""
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    documents: int = 0
    explanations: int = 0

    def add(self, record: Record, seal: str) -> None:
        """One more record."""
        kind = record["kind"]
        if kind == "place":
            self.identity = record["identity"]
        elif kind == "run":
            self.runs[record["run"]] = {**record, "status": "running"}
            self.documents = record["first_document"] + record["documents"] - 1
            self.explanations = record["first_explanation"] + record["explanations"] - 1
        elif kind == "end":
            self.runs[record["run"]] |= {key: record[key] for key in ("status", "ended", "counts")}
        elif kind == "parts":
            for gone in record.get("replaces", ()):
                del self.parts[gone]
            for part in record["parts"]:
                self.parts[part["name"]] = Part.of(part)
        self.records, self.previous = record["number"] + 1, seal


class Manifest:
    """The records of one place as they were when they were last read."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.state = State()
        self._writer = uuid.uuid4().hex[:12]  # equal records of two writers are two
        self.refresh()

    def refresh(self) -> State:
        """Reads on from the last record that is known."""
        for number, line in self._lines():
            record = unsealed(line)
            if record is None or record["number"] != number or record["previous"] != self.state.previous:
                raise DamagedError(self.place, f"record {number} of its manifest is damaged, or another place's")
            self.state.add(record, hashlib.sha256(line).hexdigest())
        if not self.state.records and self.place.names(RUNS):
            if self.place.find(single(0)) is None and self._folded(0) is None:
                raise DamagedError(self.place, "its manifest is gone, and runs were there")
            return self.refresh()  # it came into being just now
        return self.state

    def refuse_gap(self) -> None:
        """DamagedError where records stand behind one that is gone, which reading takes for the end."""
        number = self.state.records
        numbers = (name.rsplit("/", 1)[-1][:8] for name in self.place.names(FOLDER))
        if not any(later.isdigit() and int(later) > number for later in numbers):
            return
        if self.place.find(single(number)) is None and self._folded(number - number % FOLDED) is None:
            raise DamagedError(self.place, f"record {number} of its manifest is gone, and later ones are there")

    def append(self, make: Callable[[State], Record | None]) -> Record | None:
        """Adds the record that `make` makes of what is known; made again where another was first. None where there is nothing to say."""
        while True:
            if not self.state.records:
                self._write({"kind": "place", "identity": uuid.uuid4().hex, "created": now()})
            made = make(self.state)
            if made is None:
                return None
            if (written := self._write(made)) is not None:
                return written

    def _write(self, made: Record) -> Record | None:
        number = self.state.records
        record = {**made, "number": number, "previous": self.state.previous, "writer": self._writer}
        line = sealed(record)
        if not self.place.put(single(number), line, new=True) or self._passed(number, line):
            self.refresh()
            return None
        self.state.add(record, hashlib.sha256(line).hexdigest())
        if number % FOLDED == FOLDED - 1:
            self._fold(number + 1 - FOLDED)
        return record

    def _passed(self, number: int, line: bytes) -> bool:
        """Whether a number was free only because its record had been folded already: then what was written is taken back."""
        lines = self._folded(number - number % FOLDED)
        if lines is None or lines[number % FOLDED] == line:
            return False
        self.place.remove([single(number)])
        return True

    def _fold(self, first: int) -> None:
        names = [single(number) for number in range(first, first + FOLDED)]
        lines = b"".join(self.place.get(name) for name in names)
        self.place.put(folded(first), gzip.compress(lines, compresslevel=6, mtime=0), new=True)
        self.place.remove(names)

    def _folded(self, first: int) -> list[bytes] | None:
        data = self.place.find(folded(first))
        try:
            return None if data is None else gzip.decompress(data).splitlines(keepends=True)
        except (EOFError, OSError, zlib.error) as error:
            raise DamagedError(self.place, f"{folded(first)} is damaged ({error})") from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Sealed lines from the first that is not known, with their numbers; what is folded counts before what is not."""
        number = self.state.records
        while True:
            first = number - number % FOLDED
            lines = self._folded(first)
            if lines is None:
                here = self._singles(number, first + FOLDED)
                if (lines := self._folded(first)) is None:
                    yield from enumerate(here, start=number)
                    number += len(here)
                    if number < first + FOLDED:
                        return
                    continue
            yield from ((first + place, line) for place, line in enumerate(lines) if first + place >= number)
            number = first + FOLDED

    def _singles(self, number: int, end: int) -> list[bytes]:
        found: list[bytes] = []
        while number + len(found) < end and (line := self.place.find(single(number + len(found)))) is not None:
            found.append(line)
        return found


def single(number: int) -> str:
    """The file of one record."""
    return f"{FOLDER}/{number:08}.json"


def folded(first: int) -> str:
    """The file of all records from one on."""
    return f"{FOLDER}/{first:08}-{first + FOLDED - 1:08}.jsonl.gz"


def write(place: Place, records: Iterable[Record]) -> None:
    """A whole manifest where there is none; the file with its first record is written last, and without that there is none."""
    files: dict[str, list[bytes]] = {}
    previous, writer = "", uuid.uuid4().hex[:12]
    for number, made in enumerate(records):
        line = sealed({**made, "number": number, "previous": previous, "writer": writer})
        files.setdefault(folded(number - number % FOLDED), []).append(line)
        previous = hashlib.sha256(line).hexdigest()
    for block, (name, lines) in reversed(list(enumerate(files.items()))):
        if len(lines) == FOLDED:
            place.put(name, gzip.compress(b"".join(lines), compresslevel=6, mtime=0))
            continue
        for number, line in reversed(list(enumerate(lines, start=block * FOLDED))):
            place.put(single(number), line)


def now() -> str:
    """The time, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_of(
    state: State, pipeline: str, parameters: Mapping[str, Json], environment: Mapping[str, Json], registered: Mapping[str, Json],
    documents: int, explanations: int,
) -> Record:  # fmt: skip
    """The record of a run that begins: what it is, and the numbers of documents and explanations that it may give out."""
    largest = 2**31 - 1
    if max(state.documents + documents, state.explanations + explanations) > largest:
        found = f"{state.documents:,} documents and {state.explanations:,} explanations have numbers, of at most {largest:,}"
        raise StoreError("write more parts", found, "begin a new place")
    return {
        "kind": "run", "run": max(state.runs, default=0) + 1, "pipeline": pipeline, "parameters": parameters, "environment": environment,
        "registered": registered, "first_document": state.documents + 1, "documents": documents,
        "first_explanation": state.explanations + 1, "explanations": explanations, "started": now(),
    }  # fmt: skip
