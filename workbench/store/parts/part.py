"""One part: the rows of some documents as Parquet files, a file for each table, and the record that says what they are.

The record is written last. A part whose record is there is whole; a part without one is nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import polars as pl

from workbench import fingerprint
from workbench.errors import StoreError
from workbench.store.mirror import sealed, unsealed
from workbench.store.parts.place import Place
from workbench.store.prepared import OWNERS, Prepared

FOLDER = "parts"
ROWS_OF_A_GROUP = 250_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that a part may use: documents and explanations from these on, at most so many explanations."""

    run: int
    document: int
    explanation: int
    explanations: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a part is. `files` has rows, bytes and SHA-256 for each table, `counts` what its makers tell of it, sums are as in a ledger."""

    name: str
    run: int
    schema: int
    document: int
    explanation: int
    documents: int
    document_digest: str
    explanations: int
    explanation_digest: str
    relevance: float
    input_hash: str
    files: Mapping[str, tuple[int, int, str]]
    counts: Mapping[str, Any]
    committed: str = ""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Part:
        """A part from its record."""
        files = {table: (int(rows), int(size), str(sha)) for table, (rows, size, sha) in record["files"].items()}
        return cls(**{**{field.name: record[field.name] for field in fields(cls)}, "files": files})

    def record(self) -> dict[str, Any]:
        """The part as its record."""
        return asdict(self)

    @property
    def rows(self) -> str:
        """Rows by table as a ledger says them."""
        return json.dumps({table: rows for table, (rows, _, _) in self.files.items()}, sort_keys=True)

    def content_hash(self) -> str:
        """The hash of what the part says of itself, as in a ledger."""
        return fingerprint.of_json([self.documents, self.document_digest, self.explanations, self.explanation_digest, self.rows])


def file(table: str, name: str) -> str:
    """The file of a part's rows of one table."""
    return f"{table}/{name}.parquet"


def write(place: Place, prepared: Prepared, numbers: Numbers, work: str, counts: Mapping[str, Any]) -> Part:
    """Writes a part; `work` is the fingerprint of what was to be done. Writing it again, by whomever, changes nothing."""
    found = prepared.frames.get("explanation", pl.DataFrame())
    if len(found) > numbers.explanations:
        raise StoreError("write a part", f"{len(found)} explanations, {numbers.explanations} were expected", "this is a defect: report it")
    encoded = {table: parquet(numbered(frame, numbers)) for table, frame in prepared.frames.items()}
    files = {table: (len(prepared.frames[table]), len(data), hashlib.sha256(data).hexdigest()) for table, data in encoded.items()}
    name = f"{work[:16]}-{fingerprint.of_json([files, numbers.run, numbers.document])[:16]}"
    documents = prepared.frames.get("document", pl.DataFrame())
    part = Part(
        name, numbers.run, prepared.schema, numbers.document, numbers.explanation, len(documents), digest(documents), len(found),
        digest(found), relevance(prepared), prepared.input_hash, files, counts,
    )  # fmt: skip
    for table, data in encoded.items():
        place.put(file(table, name), data)
    place.put(f"{FOLDER}/{name}.json", sealed(part.record()))
    return part


def read(place: Place, part: Part) -> Prepared:
    """The rows of a part with numbers from 1; StoreError where a file is not what its record says."""
    back = Numbers(part.run, 2 - part.document, 2 - part.explanation, 0)
    frames = {}
    for table, (_, _, sha256) in part.files.items():
        data = place.get(file(table, part.name))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"read {file(table, part.name)} in {place}", "damaged content", "compute the part again, or restore a copy")
        frames[table] = numbered(pl.read_parquet(io.BytesIO(data)), back)
    return Prepared(frames, part.input_hash, part.schema)


def recorded(place: Place, name: str) -> Part | None:
    """What the record of a part says, None where it is damaged."""
    record = unsealed(place.get(name))
    return None if record is None else Part.of(record)


def is_sound(place: Place, part: Part) -> bool:
    """Whether all files of a part are what its record says."""
    try:
        return all(hashlib.sha256(place.get(file(table, part.name))).hexdigest() == sha for table, (_, _, sha) in part.files.items())
    except StoreError as error:
        if error.retryable:
            raise
        return False


def numbered(frame: pl.DataFrame, first: Numbers) -> pl.DataFrame:
    """Rows whose numbers begin at others than 1."""
    shift = dict(zip(OWNERS, (first.document - 1, first.explanation - 1, first.explanation - 1), strict=True))
    return frame.with_columns(pl.col(name) + shift[name] for name in OWNERS if name in frame.columns)


def parquet(frame: pl.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", row_group_size=ROWS_OF_A_GROUP)
    return buffer.getvalue()


def digest(frame: pl.DataFrame) -> str:
    """The sum of the digests of rows."""
    return str(sum(frame["digest"].to_list())) if len(frame) else "0"


def relevance(prepared: Prepared) -> float:
    """The sum of all tokens' relevance."""
    rows = prepared.frames.get("token_relevance")
    return 0.0 if rows is None else float(rows["relevance"].cast(pl.Float64).sum())
