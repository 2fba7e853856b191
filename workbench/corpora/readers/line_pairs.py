"""Pairs of texts on alternating lines: the first line of a pair, then its second; blank lines are skipped.

Columns: `text_a`, `text_b`, and `contrast`, the split of the file (what makes the two texts differ).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.corpora.declaration import Declaration
from workbench.corpora.lines import Line, lines
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the pairs of a file; half a pair at its end is refused."""
    known_options(declaration)
    require_columns(declaration, file.path, ["text_a", "text_b", "contrast"])
    row = 0
    first: Line | None = None
    for line in lines(file.path, declaration.limits):
        if not line.text.strip() and not line.problem:
            report.met("blank line", "skipped")
        elif first is None:
            first = line
        else:
            row += 1
            yield _record(row, first, line, file.declared.split)
            first = None
    if first is not None:
        yield Record(row + 1, f"line {first.number}", problem="half a pair at the end of the file")
    elif row == 0:
        raise InputError(f"read {file.path}", "only blank lines", "give two lines a pair")


def _record(row: int, first: Line, second: Line, contrast: str | None) -> Record:
    place = f"lines {first.number}-{second.number}"
    problems = [f"line {line.number}: {line.problem}" for line in (first, second) if line.problem]
    values = {"text_a": first.text.rstrip("\r\n"), "text_b": second.text.rstrip("\r\n"), "contrast": contrast}
    return Record(row, place, {} if problems else values, "; ".join(problems) or None)
