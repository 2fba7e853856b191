"""The hash of what came in: the frames of a batch, by value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl


def hash_of(frames: Mapping[str, pl.DataFrame]) -> str:
    """SHA-256 over the rows of all frames that have any, table by table; no identity across Polars versions."""
    digest = hashlib.sha256()
    for table in sorted(frames):
        frame = frames[table]
        if not frame.is_empty():
            digest.update(f"{table} {frame.columns} {len(frame)}\n".encode())
            digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()
