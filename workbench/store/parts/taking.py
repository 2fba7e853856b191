"""Taking parts into a store with rows of its own, those that it has not got yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.store.parts import part
from workbench.store.parts.over import begin
from workbench.store.parts.parts import Parts
from workbench.store.store import Store

#: Told how many parts of how many are done.
Told = Callable[[str, int, int], None]


def take_in(parts: Parts, path: Path, *, told: Told = lambda *_: None) -> int:
    """Takes in the parts that the store at `path` has not got, a transaction each; returns how many.

    A part is known by the hash of what came in, so that taking it twice changes nothing. Raises StoreError.
    """
    parts.manifest.refresh()
    with Store.open(path, "write") as store:
        known = {row[0] for row in store.connection.execute("SELECT input_hash FROM kept.ledger").fetchall()}
        lacking = [one for one in parts.state.parts.values() if one.input_hash not in known]
        runs: dict[int, int] = {}
        for done, one in enumerate(lacking):
            told("compact", done, len(lacking))
            if one.run not in runs:
                runs[one.run] = begin(store, parts.state.runs[one.run])
            store.append(part.read(parts.place, one), runs[one.run])
        for run, number in runs.items():
            store.end_run(number, parts.state.runs[run]["status"], parts.state.runs[run].get("counts", {}))
        told("compact", len(lacking), len(lacking))
    return len(lacking)
