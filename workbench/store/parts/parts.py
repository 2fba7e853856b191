"""The parts of one place: runs that begin and end, parts that count, and what a killed run left behind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.fingerprint import Json
from workbench.store.failures import here
from workbench.store.mirror import sealed
from workbench.store.parts import part
from workbench.store.parts.manifest import DAMAGED, FOLDER, RUNS, Manifest, State, now, run_of
from workbench.store.parts.part import Numbers, Part
from workbench.store.parts.place import Place


class Parts:
    """An open place; any number of processes may have it open and write to it."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self.place = Place(url)
        self.manifest = Manifest(self.place)

    @property
    def state(self) -> State:
        """What the records say, as they were last read."""
        return self.manifest.state

    def begin_run(
        self,
        pipeline: str,
        parameters: Mapping[str, Json],
        environment: Mapping[str, Json],
        registered: Mapping[str, Json],
        *,
        documents: int,
        explanations: int,
    ) -> Numbers:
        """Begins a run of so many documents with at most so many explanations; returns the numbers that are its own.

        `registered` has what corpora, models and composites are, as lists of the arguments of a store's `register_…`.
        """
        record = self.manifest.append(
            lambda state: {**run_of(state, pipeline, parameters, environment, registered, documents, explanations), "workbench": here()}
        )
        assert record is not None
        self.place.put(f"{RUNS}/{record['run']:08}.json", sealed({**record, "identity": self.state.identity}))
        return Numbers(record["run"], record["first_document"], record["first_explanation"], explanations)

    def end_run(self, run: int, status: str, counts: Mapping[str, Json]) -> None:
        """Ends a run with its status and what it counted."""
        self.manifest.append(lambda _: {"kind": "end", "run": run, "status": status, "ended": now(), "counts": counts})

    def commit(self, parts: Sequence[Part], *, replaces: Sequence[str] = ()) -> None:
        """Makes parts count, all or none, in place of those that they replace; parts that count already stay.

        Parts that are replaced by none are forgotten: what was in them will be computed again.
        """

        def record(state: State) -> Mapping[str, Any] | None:
            new = [one.record() | {"committed": now()} for one in parts if one.name not in state.parts]
            old = [name for name in replaces if name in state.parts]
            return {"kind": "parts", "parts": new, "replaces": old} if new or old else None

        self.manifest.append(record)

    def adopt(self) -> list[Part]:
        """Makes whole parts count that a run wrote and was ended before it said so; returns them. Their files are read and compared."""
        self.manifest.refresh()
        known = self.state.parts
        found = []
        for name in self.place.names(part.FOLDER):
            if name.split("/")[-1].removesuffix(".json") in known:
                continue
            one = part.recorded(self.place, name)
            if one is not None and one.run in self.state.runs and part.is_sound(self.place, one):
                found.append(one)
        found.sort(key=lambda one: one.document)
        if found:
            self.commit(found)
        return found

    def unnamed(self) -> list[str]:
        """Files that no part which counts has: of runs that were killed, or that are at work now."""
        self.manifest.refresh()
        named = {part.file(table, one.name) for one in self.state.parts.values() for table in one.files}
        named |= {f"{part.FOLDER}/{name}.json" for name in self.state.parts}
        tables = [folder for folder in self.place.folders() if folder not in (FOLDER, RUNS) and not folder.startswith(DAMAGED)]
        return [name for folder in tables for name in self.place.names(folder) if name not in named]

    def sweep(self) -> int:
        """Removes the files that no part has; how many. Only while no run is at work here."""
        names = self.unnamed()
        self.place.remove(names)
        return len(names)

    def files(self, table: str, parts: Iterable[Part] | None = None) -> list[str]:
        """Addresses of all files of one table, in the order of the parts."""
        chosen = self.state.parts.values() if parts is None else parts
        return [self.place.address(part.file(table, one.name)) for one in chosen if table in one.files]
