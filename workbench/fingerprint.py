"""Identity by content: equal fingerprints mean equal numbers, so writing twice is writing once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"

CHUNK_BYTES = 1 << 20
CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def of_json(value: Json) -> str:
    """Fingerprint of a JSON value: SHA-256 (64 hex digits) of its canonical form (sorted keys, no spaces, UTF-8)."""
    return hashlib.sha256(CANONICAL.encode(value).encode("utf-8")).hexdigest()


def of_file(path: Path) -> str:
    """Fingerprint of a file's bytes: SHA-256 (64 hex digits)."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def of_files(paths: Sequence[Path], root: Path) -> str:
    """Fingerprint of several files below `root`: each file's relative name and bytes, in name order."""
    return of_json({path.relative_to(root).as_posix(): of_file(path) for path in sorted(paths)})
