"""CSV and TSV: a header line, then records; every record must have as many fields as the header.

Options: `delimiter` (default: a tab for .tsv and .tab files, else a comma), `quote` (`double` or `none`; default none for tabs), `header`
(column names separated by the delimiter, for files without a header line).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from workbench.corpora.declaration import Declaration, Limits
from workbench.corpora.lines import lines
from workbench.corpora.records import LocalFile, Record, known_options, option, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the records of a delimited file."""
    known_options(declaration, "delimiter", "quote", "header")
    delimiter = option(declaration, "delimiter", "\t" if {".tsv", ".tab"} & set(file.path.suffixes) else ",")
    if len(delimiter) != 1:
        raise InputError(f"read the corpus {declaration.name}", f"options.delimiter = {delimiter!r}", "give one character")
    quote = option(declaration, "quote", "none" if delimiter == "\t" else "double", ("double", "none"))
    rows = table(file.path, delimiter, quote == "double", declaration.limits)
    named = declaration.options.get("header")
    header = named.split(delimiter) if named is not None else _header(file.path, next(rows, None))
    require_columns(declaration, file.path, header)
    empty = True
    for row, (place, cells, problem) in enumerate(rows, start=1):
        empty = False
        yield record(row, place, header, cells, problem)
    if empty:
        raise InputError(f"read {file.path}", "a header and no record after it", "check how the file was made")


def record(row: int, place: str, header: list[str], cells: list[str], problem: str | None) -> Record:
    """A record from its cells: refused, with both counts named, when they are not as many as the header's."""
    if problem is None and len(cells) != len(header):
        problem = f"{len(cells)} fields, the header has {len(header)} ({', '.join(header)})"
    return Record(row, place, {} if problem else dict(zip(header, cells, strict=True)), problem)


def table(path: Path, delimiter: str, quoted: bool, limits: Limits) -> Iterator[tuple[str, list[str], str | None]]:
    """Rows as (place, cells, problem), quoted fields joined over lines, blank lines skipped; InputError for a quote never closed."""
    problems: list[tuple[int, str]] = []

    def plain() -> Iterator[str]:
        for line in lines(path, limits):
            if line.problem:
                problems.append((line.number, line.problem))
            yield line.text or "\n"

    if quoted:
        parser = csv.reader(plain(), delimiter=delimiter, quotechar='"', strict=True)
    else:
        parser = csv.reader(plain(), delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    while True:
        first = parser.line_num + 1
        problem: str | None = None
        try:
            cells = _next(parser, limits)
        except csv.Error as error:
            if "unexpected end of data" in str(error) or "field larger" in str(error):
                remedy = 'close it, double the quotes inside a field, or set quote = "none" under [options]'
                raise InputError(f"read {path}", f"a quote opened in line {first} that is not closed", remedy) from None
            cells, problem = [], f"not well-formed: {error}"
        if cells is None:
            return
        place = f"line {first}" if parser.line_num == first else f"lines {first}-{parser.line_num}"
        if problems:
            problem = "; ".join(said if place == f"line {number}" else f"line {number}: {said}" for number, said in problems)
            problems.clear()
        if cells or problem:
            yield place, cells, problem


def _next(parser: Iterator[list[str]], limits: Limits) -> list[str] | None:
    """The next row under our own limit of field size, which `csv` keeps for the whole process: put back at once."""
    before = csv.field_size_limit(limits.line_bytes)
    try:
        return next(parser, None)
    finally:
        csv.field_size_limit(before)


def _header(path: Path, first: tuple[str, list[str], str | None] | None) -> list[str]:
    if first is None:
        raise InputError(f"read {path}", "only blank lines", "the file needs a header and at least one record")
    _, header, problem = first
    if problem is not None:
        raise InputError(f"read the header of {path}", problem, "save the file as UTF-8 with one header line")
    return header
