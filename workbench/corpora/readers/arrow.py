"""Records from Arrow batches: what Parquet files and datasets on disk have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from workbench.corpora.declaration import Declaration
from workbench.corpora.records import Record
from workbench.errors import InputError

#: Small, so that a batch of the longest documents stays small in memory.
BATCH_ROWS = 256

#: Types of texts, and the same without the promise that they are UTF-8, which Arrow does not keep.
_BYTES = {"string": pa.binary(), "large_string": pa.large_binary(), "string_view": pa.binary_view()}


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into one InputError."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        found = f"no whole Parquet or Arrow file: {str(error).splitlines()[0]}"
        raise InputError(f"read {path}", found, "fetch or write the file again") from None


def records(declaration: Declaration, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[Record]:
    """Rows of the batches; bytes that are not UTF-8 refuse their row alone. InputError for a text column without texts."""
    for column in declaration.fields.segments.values():
        kind = schema.field(column).type
        if not _textual(kind):
            found = f"the column {column!r} holds {kind}"
            raise InputError(f"read the texts of {path}", found, "name the column with the texts under [fields]")
    row = 0
    for batch in batches:
        batch.validate()
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
    """Python values; texts as bytes. Every offset is checked first: Arrow trusts them, and one that is wrong ends the process."""
    if pa.types.is_dictionary(array.type):
        array.indices.validate(full=True)
        words = _values(array.dictionary)
        places: list[int | None] = array.indices.to_pylist()
        if any(place is not None and not 0 <= place < len(words) for place in places):
            raise pa.ArrowInvalid("a dictionary index out of range")
        return [None if place is None else words[place] for place in places]
    if _textual(array.type):
        array = pa.Array.from_buffers(_BYTES[str(array.type)], len(array), array.buffers(), offset=array.offset)
    array.validate(full=True)
    values: list[object] = array.to_pylist()
    return values


def _textual(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _textual(kind.value_type)
    return str(kind) in _BYTES
