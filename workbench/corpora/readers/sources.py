"""Whatever a source is: a file by its ending, a folder of such files, a dataset of the Hugging Face hub on disk, or a query.

Files of a folder are read in the order of their names; a new file brings new documents. Rows without an identifier of their own are named
by their file and number: declare `identifier` under [fields] where rows are inserted or files renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast

from workbench.corpora.declaration import Declaration
from workbench.corpora.records import LocalFile, Reader, Record, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError

READERS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
}
#: What a folder written by `save_to_disk` has in it.
DATASET = ("dataset_dict.json", "state.json")
ROWS = 1024


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the records of one source."""
    if file.declared.query is not None:
        yield from queried(declaration, file)
    elif file.path.is_dir():
        if any((file.path / name).is_file() for name in DATASET):
            yield from reader_of("hub")(declaration, file, report)
        else:
            yield from folder(declaration, file, report)
    else:
        yield from reader_of(kind(file.path))(declaration, file, report)


def folder(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """The records of all files below a folder whose ending is known; others are counted and left alone."""
    found = [path for path in sorted(file.path.rglob("*")) if path.is_file() and not hidden(path.relative_to(file.path))]
    known = [path for path in found if suffix(path) in READERS]
    if not known:
        raise InputError(
            f"read the folder {file.path}", f"no file that ends in {', '.join(READERS)}", "put files there, or name another folder"
        )
    if len(known) < len(found):
        report.met("file of another kind in a folder of sources", "left alone", len(found) - len(known))
    for path in known:
        name = path.relative_to(file.path).as_posix()
        for record in reader_of(kind(path))(declaration, replace(file, path=path), report):
            yield replace(record, place=f"{name} {record.place}", name=f"{name}-{record.name or f'{record.row:05d}'}")


def queried(declaration: Declaration, file: LocalFile) -> Iterator[Record]:
    """The rows of a query over another database."""
    from workbench.corpora.readers.arrow import records
    from workbench.store.foreign import rows

    database = file.declared.path
    if not database.startswith("postgres"):
        database = str(file.path)
    if declaration.fields.identifier is None:
        asked = f"read a query of the corpus {declaration.name}"
        raise InputError(asked, "rows without an identifier, in no order", 'name the column that tells rows apart: identifier = "id"')
    with rows(database, file.declared.query or "", ROWS) as (schema, batches):
        place = Path(file.declared.path)
        require_columns(declaration, place, schema.names)
        columns = list(declaration.fields.columns)
        for record in records(declaration, place, schema, (batch.select(columns) for batch in batches)):
            values = record.values
            identifier = values.get(declaration.fields.identifier)
            yield replace(record, values={**values, declaration.fields.identifier: None if identifier is None else str(identifier)})


def reader_of(name: str) -> Reader:
    """One of the readers beside this one."""
    return cast(Reader, import_module(f"workbench.corpora.readers.{name}").read)


def suffix(path: Path) -> str:
    """The ending that says what a file is, that of a packed file the one before .gz."""
    return next((ending.lower() for ending in reversed(path.suffixes) if ending.lower() != ".gz"), "")


def kind(path: Path) -> str:
    """The reader of a file; InputError for an ending that none knows."""
    if suffix(path) not in READERS:
        raise InputError(
            f"read the source {path}", f"the ending {path.suffix!r}", f"give a file that ends in {', '.join(READERS)}, or a folder"
        )
    return READERS[suffix(path)]


def hidden(path: Path) -> bool:
    """Whether a file is hidden or still being written: its name or a folder's begins with a dot or an underscore."""
    return any(part.startswith((".", "_")) for part in path.parts)
