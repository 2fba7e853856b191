"""A damaged manifest is made again from what never changes: the records of parts and runs, and those of its own that can still be read.

Every part has a sealed record of its own, with the hashes of its files, and every run a copy of its beginning. What only the manifest knew
is little: when parts were committed, in which order, which were replaced, and how runs ended. Of that, what can still be read is kept;
parts of which no record is left stand behind all others of their run, and a run of which no end is left counts as interrupted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from workbench.errors import StoreError
from workbench.store.mirror import unsealed
from workbench.store.parts import manifest, part
from workbench.store.parts.manifest import Record, now
from workbench.store.parts.part import Part
from workbench.store.parts.place import Place

#: Parts in one record of a manifest that is made again.
TOGETHER = 256
REMEDY = "restore a copy of its folders manifest and runs, or compute again into a new place"
#: What belongs to the old records, and not to what they say.
CHAIN = ("number", "previous", "writer", "identity")


def rebuild(place: Place) -> tuple[str, set[int]]:
    """Make the manifest of a place again; what was done, and the runs of which parts are lost. What was there is kept beside it.

    Only while no run is at work there. Raises StoreError where a run is known to have been and nothing says any more what it was.
    """
    names = place.names(manifest.FOLDER)
    known = list(readable(place, names))
    runs, counted = runs_of(place, known), parts_of(known)
    found, lost = found_by_themselves(place, known, runs)
    parts = in_order(counted, found)
    complete(place, runs, parts)
    identity = identity_of(place, known)
    aside = set_aside(place, names)
    manifest.write(place, records(identity, runs, parts, known))
    said = f"the manifest was damaged and is made again: {len(runs)} runs, {len(parts)} parts, of which {len(found)} by their own records"
    return said + (f"; what was there is in {aside}" if aside else ""), lost


def readable(place: Place, names: list[str]) -> Iterator[Record]:
    """All records of a manifest that are still what they were, in their order."""
    for name in names:
        data = place.get(name)
        if name.endswith(".gz"):
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                data = stream.decompress(data)
            except zlib.error:
                continue
        yield from (record for line in data.splitlines(keepends=True) if (record := unsealed(line)) is not None)


def runs_of(place: Place, known: list[Record]) -> dict[int, Record]:
    """The runs by number, from their copies or from the manifest."""
    copies = (unsealed(place.get(name)) for name in place.names(manifest.RUNS))
    found = {record["run"]: record for record in known if record["kind"] == "run"}
    return dict(sorted((found | {record["run"]: record for record in copies if record is not None}).items()))


def parts_of(known: list[Record]) -> list[Part]:
    """The parts that count as far as the manifest can be read, in its order."""
    counted: dict[str, Part] = {}
    for record in known:
        if record["kind"] == "parts":
            for gone in record["replaces"]:
                counted.pop(gone, None)
            counted.update({one["name"]: Part.of(one) for one in record["parts"]})
    return list(counted.values())


def found_by_themselves(place: Place, known: list[Record], runs: dict[int, Record]) -> tuple[list[Part], set[int]]:
    """Whole parts that the manifest cannot tell of any more, and the runs of which one is damaged (all, where it cannot say its run)."""
    of_parts = [record for record in known if record["kind"] == "parts"]
    told = {one["name"] for record in of_parts for one in record["parts"]} | {name for record in of_parts for name in record["replaces"]}
    found: list[Part] = []
    lost: set[int] = set()
    for name in place.names(part.FOLDER):
        if name.rsplit("/", 1)[-1].removesuffix(".json") in told:
            continue
        one = part.recorded(place, name)
        if one is None:
            lost.update(runs)
        elif part.is_sound(place, one):
            found.append(one)
        else:
            lost.add(one.run)
    return found, lost


def in_order(counted: list[Part], found: list[Part]) -> list[Part]:
    """All parts: those that were found stand behind the others of their run."""
    ordered = list(counted)
    for one in sorted(found, key=lambda one: (one.run, one.document)):
        last = max((number for number, other in enumerate(ordered) if other.run <= one.run), default=-1)
        ordered.insert(last + 1, one)
    return ordered


def complete(place: Place, runs: dict[int, Record], parts: list[Part]) -> None:
    """Refuse where a run's beginning is lost: what its parts were made of, and which numbers it gave out, nothing else knows."""
    last = max([*runs, *(one.run for one in parts)], default=0)
    lost = [number for number in range(1, last + 1) if number not in runs]
    if lost:
        having = sum(one.run in lost for one in parts)
        found = f"what run {lost[0]} was is lost in its manifest and in {manifest.RUNS}; {having} parts are of such runs"
        raise StoreError(f"make the manifest of {place} again", found, REMEDY)


def identity_of(place: Place, known: list[Record]) -> str:
    """Which place this is."""
    copies = (unsealed(place.get(name)) for name in place.names(manifest.RUNS))
    for record in (*known, *copies):
        if record is not None and (identity := record.get("identity")):
            return str(identity)
    raise StoreError(f"make the manifest of {place} again", "no record is left that says which place it is", REMEDY)


def set_aside(place: Place, names: list[str]) -> str:
    """Keep copies of files, and remove them; the folder that has the copies."""
    if not names:
        return ""
    number = 1 + sum(folder.startswith(manifest.DAMAGED) for folder in place.folders())
    folder = f"{manifest.DAMAGED}{number}"
    for name in names:
        place.put(f"{folder}/{name.rsplit('/', 1)[-1]}", place.get(name))
    place.remove(names)
    return folder


def records(identity: str, runs: dict[int, Record], parts: list[Part], known: list[Record]) -> Iterator[dict[str, Any]]:
    """The records of the manifest that is made again: the place, the runs, their parts, and how they ended."""
    ends = {record["run"]: record for record in known if record["kind"] == "end"}
    yield {"kind": "place", "identity": identity, "created": now()}
    for number, run in runs.items():
        yield {name: value for name, value in run.items() if name not in CHAIN}
        if number not in ends:
            ends[number] = {"status": "interrupted", "ended": now(), "counts": {}}
    for first in range(0, len(parts), TOGETHER):
        some = [one.record() | {"committed": one.committed or now()} for one in parts[first : first + TOGETHER]]
        yield {"kind": "parts", "parts": some, "replaces": []}
    for number in runs:
        yield {"kind": "end", "run": number, **{name: ends[number][name] for name in ("status", "ended", "counts")}}
