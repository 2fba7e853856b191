"""Plain text files, one document a line; several files with a `role` each are aligned line by line (source, reference, hypothesis …).

Files of one split belong together: one for each role under [fields].segments, whose values are the roles themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.lines import Line, lines
from workbench.corpora.records import LocalFile, Record, known_options
from workbench.corpora.report import Report
from workbench.errors import InputError


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the lines of the file and its companions; InputError when they do not have equally many lines."""
    known_options(declaration)
    names = list(declaration.fields.segments.values())
    parts = [_part(declaration, file, role) for role in declaration.fields.segments]
    paths = [file.path if part is file.declared else locate(declaration, part) for part in parts]
    if len(paths) > 1:
        check_aligned([sum(1 for _ in lines(path, declaration.limits)) for path in paths], [part.path for part in parts])
    for row, together in enumerate(zip_longest(*(lines(path, declaration.limits) for path in paths)), start=1):
        problems = [f"{part.path}: {line.problem}" for part, line in zip(parts, together, strict=True) if line.problem]
        if len(parts) == 1 and not problems and not together[0].text.strip():
            report.met("blank line", "skipped; the lines after it keep their numbers")
            continue
        values = {name: text(line) for name, line in zip(names, together, strict=True)}
        yield Record(row, f"line {row}", {} if problems else values, "; ".join(problems) or None)


def _part(declaration: Declaration, file: LocalFile, role: str) -> SourceFile:
    """The file of that role beside `file`, of the same split."""
    found = [part for part in declaration.source.files if part.split == file.declared.split and (part.role or "text") == role]
    if len(found) != 1:
        raise InputError(
            f"read the corpus {declaration.name}",
            f"{len(found)} files with role = {role!r}" + (f" and split = {file.declared.split!r}" if file.declared.split else ""),
            "declare exactly one file for each role and split under [[source.files]]",
        )
    return found[0]


def check_aligned(counts: list[int], names: list[str]) -> None:
    """InputError for files that do not have equally many lines, with all their numbers."""
    if len(set(counts)) > 1:
        found = ", ".join(f"{name} has {count:,} lines" for name, count in zip(names, counts, strict=True))
        remedy = "give files with equally many lines; a missing translation is an empty line"
        raise InputError("read files that are aligned line by line", found, remedy)


def text(line: Line) -> str:
    """A line without its end."""
    return line.text.rstrip("\r\n")
