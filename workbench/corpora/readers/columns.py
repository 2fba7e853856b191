"""Names of the columns of Parquet files and datasets on disk, without reading their rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from workbench.corpora.readers.hub import shards
from workbench.errors import InputError


def column_names(path: Path) -> list[str]:
    """Column names of a Parquet file or of a dataset folder's first shard."""
    first = shards(path)[0][1] if path.is_dir() else path
    try:
        if first.suffix == ".parquet":
            return list(pa.parquet.read_schema(first).names)
        with pa.memory_map(str(first)) as raw:
            return list(pa.ipc.open_stream(raw).schema.names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"read {first}", f"a damaged file: {str(error).splitlines()[0]}", "fetch or write the file again") from None
