"""The Bengali hate speech corpus of Karim et al. as published: CSV with columns `text,label,target`, one record broken over two lines.

Handled and counted here: the broken record is joined again, a target with a blank is read without it, a target that contradicts its label.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.corpora.declaration import Declaration
from workbench.corpora.readers.delimited import table
from workbench.corpora.records import LocalFile, Record, known_options
from workbench.corpora.report import Report
from workbench.errors import InputError

HEADER = ["text", "label", "target"]
TARGETS = {"0": "Personal", "1": "Political", "2": "Religious", "3": "Geopolitical"}


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the posts; a half line is joined with the next by the line end that broke it, so that the text stays as it was written."""
    known_options(declaration)
    rows = table(file.path, ",", True, declaration.limits)
    if (first := next(rows, None)) is None or first[1] != HEADER:
        found = f"the header {','.join(first[1])!r}" if first else "only blank lines"
        raise InputError(f"read {file.path}", found, f"this reader is for files with the header {','.join(HEADER)!r}")
    row = 0
    half: tuple[str, str] | None = None
    for place, cells, problem in rows:
        if half is not None and problem is None:
            place, cells = f"{half[0]} and {place}", [f"{half[1]}\n{cells[0]}", *cells[1:]]
            report.met("record broken over two lines", "the halves are joined by the line end between them")
            half = None
        elif problem is None and len(cells) == 1:
            half = (place, cells[0])
            continue
        row += 1
        yield _record(row, place, cells, problem, report)
    if half is not None:
        yield Record(row + 1, half[0], problem="half a record at the end of the file")


def _record(row: int, place: str, cells: list[str], problem: str | None, report: Report) -> Record:
    if problem is None and len(cells) != len(HEADER):
        problem = f"{len(cells)} fields, the header has {len(HEADER)} ({', '.join(HEADER)})"
    if problem is not None:
        return Record(row, place, problem=problem)
    text, label, target = cells
    if target != target.strip():
        report.met("target with a blank", "the blank is dropped")
    if TARGETS.get(target.strip()) != label.strip():
        report.met("target that contradicts the label", "the label counts")
    return Record(row, place, {"text": text, "label": label, "target": target.strip()})
