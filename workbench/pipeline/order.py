"""After a long run: the store written once more, so that what readers were shown on the way leaves no gaps in it."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import StoreError
from workbench.pipeline.worker import Progress
from workbench.store.compact import compact

#: Bytes of a store that are written again in a second, as a cautious guess, and which part of a run's time that may take.
SPEED, SHARE = 4 << 20, 50


def worth(path: Path, publications: int, seconds: float) -> bool:
    """Whether a run of so many seconds left rows in pieces (each snapshot but the first begins a new one) that are quickly put together."""
    return publications > 1 and path.stat().st_size / SPEED <= seconds / SHARE


def put_in_order(path: Path, progress: Progress) -> list[str]:
    """Compacts a store, a tenth to a fifth of it for rows that came in small pieces; returns a notice where that could not be done."""
    try:
        compact(path, told=lambda _, done, total: progress("compact", done, total))
    except StoreError as error:  # it is whole as it is
        return [f"the store stays larger than it must be: {error.found}"]
    return []
