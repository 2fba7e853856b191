"""Parts whose files are damaged are forgotten, so that the next run makes them again."""

from __future__ import annotations

from pathlib import Path

from workbench.store.parts.audit import damaged
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts


def mend_parts(location: str, path: Path) -> tuple[list[str], set[int]]:
    """Make parts and the store over them agree again; a sentence for each thing that was done, and the runs of what is gone.

    Raises StoreError.
    """
    parts = Parts(location)
    done = []
    if bad := damaged(parts):
        parts.commit([], replaces=[one.name for one in bad])
        done.append(
            f"{len(bad)} parts had files that were damaged or not there and are forgotten: {', '.join(one.name for one in bad[:5])}"
        )
    if adopted := parts.adopt():
        done.append(f"{len(adopted)} parts were whole and not in the manifest; they count now")
    over(parts, path)
    return done, {one.run for one in bad}
