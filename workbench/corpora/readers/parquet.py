"""Parquet: the declared columns of one file, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from workbench.corpora.declaration import Declaration, Limits
from workbench.corpora.lines import EXPANSION_FREE_BYTES
from workbench.corpora.readers.arrow import BATCH_ROWS, records, whole
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the rows of a Parquet file; only the declared columns are unpacked."""
    known_options(declaration)
    yield from shard(declaration, file.path, list(declaration.fields.columns))


def shard(declaration: Declaration, path: Path, columns: list[str]) -> Iterator[Record]:
    """Rows of one Parquet file as records with `columns`; InputError for a file that is damaged, empty or too large once unpacked."""
    with whole(path), pa.parquet.ParquetFile(path) as source:
        require_columns(declaration, path, source.schema_arrow.names, columns)
        _check_size(path, source.metadata, declaration.limits)
        batches = source.iter_batches(batch_size=BATCH_ROWS, columns=columns, use_threads=False)
        yield from records(declaration, path, source.schema_arrow, batches)


def _check_size(path: Path, metadata: pa.parquet.FileMetaData, limits: Limits) -> None:
    if metadata.num_rows == 0:
        raise InputError(f"read {path}", "a Parquet file without rows", "check how the file was made")
    size = path.stat().st_size
    unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if unpacked > EXPANSION_FREE_BYTES and unpacked > size * limits.expansion:
        raise InputError(
            f"read {path}",
            f"{size:,} bytes that unpack to {unpacked:,} (over {limits.expansion} times)",
            "if you trust the file, raise `expansion` under [limits] in corpus.toml",
        )
