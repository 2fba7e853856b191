"""A manifest that is damaged is made again; parts whose files are damaged are forgotten, so that the next run computes them."""

from __future__ import annotations

from pathlib import Path

from workbench.store.parts.audit import damaged
from workbench.store.parts.manifest import DamagedError
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import Place
from workbench.store.parts.rebuild import rebuild


def mend_parts(location: str, path: Path) -> tuple[list[str], set[int]]:
    """Make parts and the store over them agree again; a sentence for each thing that was done, and the runs of what is gone.

    Raises StoreError.
    """
    done: list[str] = []
    lost: set[int] = set()
    try:
        parts = Parts(location)
        parts.manifest.refuse_gap()
    except DamagedError:
        said, lost = rebuild(Place(location))
        done.append(said)
        parts = Parts(location)
    if bad := damaged(parts):
        parts.commit([], replaces=[one.name for one in bad])
        done.append(
            f"{len(bad)} parts had files that were damaged or not there and are forgotten: {', '.join(one.name for one in bad[:5])}"
        )
    if adopted := parts.adopt():
        done.append(f"{len(adopted)} parts were whole and not in the manifest; they count now")
    over(parts, path)
    return done, lost | {one.run for one in bad}
