"""Results for other programs: CSV, JSON lines or Parquet, written whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import polars as pl

from workbench.errors import StoreError
from workbench.store.connection import explained
from workbench.store.mirror import sync_directory
from workbench.store.store import Store

#: A cell that begins so is a formula to some spreadsheet (OWASP, CSV injection): signs, their wide twins, blanks before them, controls.
FORMULA = r"^(?:[\s\x00]*[=+\-@＝＋－＠]|[\t\r\n\x00])"
FORMATS = (".csv", ".jsonl", ".parquet")


def export(store: Store, question: str | pl.DataFrame, target: str | os.PathLike[str], *, neutralise: bool = True) -> int:
    """Write a frame, or the result of a view's name or SQL statement, to a .csv, .jsonl or .parquet file; return the number of rows.

    In CSV, text that a spreadsheet would take for a formula gets a leading apostrophe unless `neutralise` is off; numbers stay as they are.
    The file appears under its name only when it is complete. Raises StoreError.
    """
    path = Path(target)
    if path.suffix not in FORMATS:
        raise StoreError(f"export to {path}", f"the ending {path.suffix or '(none)'}", f"use one of {', '.join(FORMATS)}")
    frame = question if isinstance(question, pl.DataFrame) else store.sql(f"FROM {question}" if question.isidentifier() else question)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained(f"export to {path}", path):
        try:
            write(neutral(frame) if neutralise and path.suffix == ".csv" else frame, temporary, path.suffix)
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
    return len(frame)


def write(frame: pl.DataFrame, path: Path, suffix: str) -> None:
    """One frame in one format."""
    try:
        if suffix == ".csv":
            frame.write_csv(path)
        elif suffix == ".jsonl":
            frame.write_ndjson(path)
        else:
            frame.write_parquet(path)
    except pl.exceptions.ComputeError as error:
        raise StoreError(f"export to {path.name}", str(error), "export columns that are no lists, or to .jsonl or .parquet") from error


def neutral(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before every text, and every column's name, that would begin a formula."""
    texts = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    guarded = texts.with_columns(
        pl.when(pl.col(pl.String).str.contains(FORMULA)).then(pl.lit("'") + pl.col(pl.String)).otherwise(pl.col(pl.String)).name.keep()
    )
    return guarded.rename({name: f"'{name}" for name in guarded.columns if re.match(FORMULA, name)})
