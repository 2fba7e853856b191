"""Names of the columns of Parquet files and datasets on disk, without reading their rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from workbench.corpora.readers.arrow import whole
from workbench.corpora.readers.hub import shards


def column_names(path: Path) -> list[str]:
    """Column names of a Parquet file or of a dataset folder's first shard."""
    first = shards(path)[0][1] if path.is_dir() else path
    with whole(first):
        if first.suffix == ".parquet":
            return list(pa.parquet.read_schema(first).names)
        with pa.memory_map(str(first)) as raw, closing(pa.ipc.open_stream(raw)) as source:
            return list(source.schema.names)
