"""A store that is built beside the one that it is to replace: whole under a temporary name, then moved into place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.store import mirror
from workbench.store.lock import beside


@contextmanager
def building(path: Path, purpose: str = "new") -> Iterator[Path]:
    """A path in a folder of its own beside `path`, for whoever holds its writer's lock; what earlier builders left is removed."""
    prefix = f".{path.name}.{purpose}-"
    for leftover in path.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
        yield Path(folder) / path.name


def move(built: Path, path: Path) -> None:
    """Puts a closed, checkpointed store into the place of another; it is on the disk when this returns."""
    mirror.sync_file(built)
    beside(path, ".wal").unlink(missing_ok=True)
    built.replace(path)
    mirror.sync_directory(path.parent)
