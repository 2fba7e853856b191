"""Records from Arrow batches: what Parquet files and datasets on disk have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from workbench.corpora.declaration import Declaration
from workbench.corpora.records import Record
from workbench.errors import InputError

#: Small, so that a batch of the longest documents stays small in memory.
BATCH_ROWS = 256


def records(declaration: Declaration, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[Record]:
    """Rows of the batches; bytes that are not UTF-8 refuse their row alone. InputError for a text column without texts."""
    for column in declaration.fields.segments.values():
        kind = schema.field(column).type
        if not _textual(kind):
            found = f"the column {column!r} holds {kind}"
            raise InputError(f"read the texts of {path}", found, "name the column with the texts under [fields]")
    row = 0
    for batch in batches:
        columns = {name: _values(batch.column(place)) for place, name in enumerate(batch.schema.names)}
        for place in range(batch.num_rows):
            row += 1
            yield _record(row, {name: values[place] for name, values in columns.items()})


def _record(row: int, values: dict[str, object]) -> Record:
    for column, value in values.items():
        if isinstance(value, bytes):
            try:
                values[column] = value.decode("utf-8")
            except UnicodeDecodeError as error:
                problem = f"invalid UTF-8: byte 0x{value[error.start]:02x} at byte {error.start:,} of {column!r}"
                return Record(row, f"row {row}", problem=problem)
    return Record(row, f"row {row}", values)


def _values(array: pa.Array) -> list[object]:
    """Python values; texts as bytes, since Arrow does not check that they are UTF-8."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if _textual(array.type):
        array = array.cast(pa.large_binary())
    values: list[object] = array.to_pylist()
    return values


def _textual(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _textual(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
