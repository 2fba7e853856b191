"""Hashes of files that have not changed since they were hashed, kept in the user's cache: a gigabyte of weights is read once.

A hash is believed while the file's device, inode, size and both its times are those of then. A file that was touched within the last two
seconds is hashed and not remembered: it could change again without a trace in its times.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench import fingerprint
from workbench.corpora.cache import cache_folder

#: Files touched so lately are not remembered: times are only so fine on some file systems.
RACY_SECONDS = 2.0
#: More entries than this are more than anyone's models have files; the oldest go.
LARGEST = 4096

State = list[int]


def state_of(status: os.stat_result) -> State:
    """What changes when a file does: the time of its inode too, which no program can set."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def load(name: str) -> dict[str, Any]:
    """A table of the cache; empty where there is none, or it cannot be read."""
    try:
        found = json.loads((cache_folder() / "identity" / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save(name: str, table: dict[str, Any]) -> None:
    """Puts a table into the cache in one step; a cache that cannot be written is no cache, and no error."""
    target = cache_folder() / "identity" / f"{name}.json"
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(dict(list(table.items())[-LARGEST:])), "utf-8")
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)


def hashes(paths: Iterable[Path]) -> dict[Path, str]:
    """SHA-256 of every file: remembered where nothing of it has changed, else read."""
    known, found, learnt = load("files"), {}, False
    for path in paths:
        state = state_of(path.stat())
        entry = known.get(str(path.absolute()))
        if isinstance(entry, list) and entry[:-1] == state:
            found[path] = str(entry[-1])
            continue
        begun = time.time()
        found[path] = fingerprint.of_file(path)
        after = state_of(path.stat())
        if after == state and begun - max(state[-2:]) / 1e9 > RACY_SECONDS:
            known.pop(str(path.absolute()), None)
            known[str(path.absolute())] = [*state, found[path]]
            learnt = True
    if learnt:
        save("files", known)
    return found
