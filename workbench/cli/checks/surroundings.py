"""What surrounds the work: the store and who holds it, room on the disk, the folder of local corpora."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from workbench.cli.checks.finding import Finding
from workbench.errors import WorkbenchError

#: Bytes of store for a token: token, its relevance, its share of a word; rounded up from 53, measured on 8,087 posts and three models.
BYTES_PER_TOKEN = 80
#: A run needs room for the store, its write-ahead log and one rewrite.
HEADROOM = 2


def store_holder(path: Path) -> Finding:
    """Can the store be opened; if not, who holds it or what is wrong with it?"""
    from workbench.store import Store

    if not path.exists():
        return Finding("store", "note", f"{path}: not there yet", "`workbench run` makes it")
    try:
        with Store.open(path):
            return Finding("store", "ok", f"{path}: free, {_size(path.stat().st_size)}")
    except WorkbenchError as error:
        return Finding("store", "note" if error.retryable else "broken", f"{path}: {error.found}", error.remedy)


def disk(folder: Path, tokens: int) -> Finding:
    """Free space at a folder (or the nearest one above it that exists) against an estimate for so many tokens."""
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(place).free
    needed = tokens * BYTES_PER_TOKEN * HEADROOM
    found = f"{_size(free)} free, {_size(needed)} needed for {tokens:,} tokens ({place})"
    if not os.access(place, os.W_OK):
        return Finding("disk", "broken", f"{place} cannot be written", "change the permissions, or work in another folder")
    if free < needed:
        return Finding("disk", "broken", found, "free space, put the store on another disk, or explain fewer documents at a time")
    return Finding("disk", "ok", found)


def mirror() -> Finding:
    """The folder of local corpora, if one is named."""
    named = os.environ.get("WORKBENCH_MIRROR")
    if not named:
        return Finding("mirror", "ok", "WORKBENCH_MIRROR is not set: corpora that are not embedded are fetched")
    if not Path(named).is_dir():
        return Finding("mirror", "broken", f"WORKBENCH_MIRROR = {named}: no such folder", "correct the variable, or unset it")
    return Finding("mirror", "ok", named)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
