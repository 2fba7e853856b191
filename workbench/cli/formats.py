"""A frame as a table for people or in a format for other programs; what was left out is said on standard error."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.errors import InputError

if TYPE_CHECKING:
    import polars as pl


class Format(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"
    md = "md"


FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write the answer; by default a table on a terminal, CSV when piped.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="File to write instead of standard output.")]


def chosen(wanted: Format | None, out: Path | None) -> Format:
    """The format asked for; else that of the file's ending, a table on a terminal, CSV when piped."""
    if wanted is not None:
        return wanted
    if out is not None:
        endings = {known.value: known for known in Format if known is not Format.table}
        if (ending := out.suffix.lstrip(".")) not in endings:
            raise InputError(
                f"write {out}", f"the ending {out.suffix or 'of nothing'}", f"end it in .{', .'.join(endings)}, or give --format"
            )
        return endings[ending]
    return Format.table if sys.stdout.isatty() else Format.csv


def write(frame: pl.DataFrame, wanted: Format, out: Path | None) -> None:
    """A frame in a format for other programs, to a file or to standard output; lists are written as JSON where a cell is text."""
    if wanted is Format.parquet and out is None and sys.stdout.isatty():
        raise InputError("write Parquet to the terminal", "bytes that no terminal can show", "give --out FILE, or pipe it")
    data = encoded(frame, wanted)
    if out is not None:
        out.write_bytes(data)
    else:
        typer.echo(data, nl=False)


def encoded(frame: pl.DataFrame, wanted: Format) -> bytes:
    """The bytes of a frame in a format."""
    import io

    if wanted is Format.parquet:
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    if wanted is Format.json:
        import json

        return (json.dumps(frame.to_dicts(), ensure_ascii=False, indent=2, default=str) + "\n").encode()
    if wanted is Format.jsonl:
        return frame.write_ndjson().encode()
    flat = flattened(frame)
    return markdown(flat).encode() if wanted is Format.md else flat.write_csv().encode()


def flattened(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose lists are JSON texts."""
    import json

    import polars as pl

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.Series(
            name, [None if value is None else json.dumps(value, ensure_ascii=False) for value in frame[name].to_list()], dtype=pl.String
        )
        for name in nested
    )


def markdown(frame: pl.DataFrame) -> str:
    """A frame as a table in Markdown."""

    def row(values: list[str]) -> str:
        return "| " + " | ".join(values) + " |"

    def cell(value: object) -> str:
        text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")

    head = [row([cell(name) for name in frame.columns]), row(["---:" if kind.is_numeric() else "---" for kind in frame.dtypes])]
    return "\n".join([*head, *(row([cell(value) for value in values]) for values in frame.iter_rows())]) + "\n"
