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


def write(frame: pl.DataFrame, wanted: Format, out: Path | None) -> list[str]:
    """A frame in a format for other programs, to a file or to standard output; lists are written as JSON where a cell is text.

    In CSV an apostrophe stands before text that a spreadsheet would run as a formula. Returns what a reader must know of that.
    """
    if wanted is Format.parquet and out is None and sys.stdout.isatty():
        raise InputError("write Parquet to the terminal", "bytes that no terminal can show", "give --out FILE, or pipe it")
    data = encoded(frame, wanted)
    if out is not None:
        whole(out, data)
    else:
        typer.echo(data, nl=False)
    changed = formulas(frame) if wanted is Format.csv else 0
    said = (
        f"an apostrophe stands before {changed:,} text(s) that a spreadsheet would run as a formula; JSON and Parquet have them as they are"
    )
    return [said] if changed else []


def whole(path: Path, data: bytes) -> None:
    """A file that appears under its name only when it is complete."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def formulas(frame: pl.DataFrame) -> int:
    """How many texts of a frame a spreadsheet would run as a formula."""
    import polars as pl

    from workbench.store.export import FORMULA

    texts = flattened(frame).select(pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String).str.contains(FORMULA).sum())
    return sum(int(value or 0) for value in texts.row(0)) if texts.width else 0


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
    if wanted is Format.md:
        return markdown(flat).encode()
    from workbench.store.export import neutral

    return neutral(flat).write_csv().encode()


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
