"""JSON Lines: one JSON object a line; blank lines are skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator

from workbench.corpora.declaration import Declaration
from workbench.corpora.lines import Line, lines
from workbench.corpora.records import LocalFile, Record, kind_name, known_options, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError


class _NoNumberError(ValueError):
    """NaN or an infinity, which Python would read though JSON has none."""


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the objects of the file; the first readable one must have all declared keys, a later one that lacks a key is refused alone."""
    known_options(declaration)
    row, readable = 0, False
    for line in lines(file.path, declaration.limits):
        if not line.problem and not line.text.strip():
            continue
        row += 1
        record = _record(row, line)
        if record.problem is None and not readable:
            readable = True
            require_columns(declaration, file.path, list(record.values))
        yield record
    if row == 0:
        raise InputError(f"read {file.path}", "only blank lines", "check how the file was made; it must hold at least one JSON object")


def _record(row: int, line: Line) -> Record:
    place = f"line {line.number}"
    if line.problem:
        return Record(row, place, problem=line.problem)
    try:
        value = json.loads(line.text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return Record(row, place, problem=f"not valid JSON: {error.msg} at character {error.pos:,}")
    except RecursionError:
        return Record(row, place, problem="JSON nested too deeply")
    except _NoNumberError as error:
        return Record(row, place, problem=f"not valid JSON: {error} is no JSON number")
    except ValueError:
        return Record(row, place, problem="a number with more digits than Python reads (4,300)")
    if not isinstance(value, dict):
        return Record(row, place, problem=f"JSON that is {kind_name(value)}, not an object with named values")
    return Record(row, place, value)


def _no_constant(name: str) -> object:
    raise _NoNumberError(name)
