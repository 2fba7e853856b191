"""The same sentences in several languages: a file for each `language` and split, of which the same line is the same sentence.

Asked for as `fr-en` (or `fr=en`), the French line is the source and the English one the reference. Asked for in one language (`fr`), its
lines are sources and those of the option `into` (default: `en`) their references; that language alone gives none.

Columns: `source`, `reference`; `line`, the name of the line, the same in all languages; `languages`, by role; and one for each file with
a `part`, named after it, of which a line says something of the same line in every language (the article it is from). Such a file may be a
table: where its first line names the part among names apart by tabs, the column of that name counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.languages import SEVERAL, LanguagePair
from workbench.corpora.lines import Line, lines
from workbench.corpora.readers.parallel import check_aligned, text
from workbench.corpora.records import LocalFile, Record, known_options, option
from workbench.corpora.report import Report
from workbench.errors import InputError

INTO = "into"


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the sentences of one language with their translations; InputError when the files do not have equally many lines."""
    known_options(declaration, INTO)
    if file.pair is None:
        found = f"{file.declared.path} without a language"
        raise InputError(f"read the corpus {declaration.name}", found, "give each file under [[source.files]] its `language`")
    into = option(declaration, INTO, "en")
    pair = file.pair if file.pair.first != file.pair.second else LanguagePair(file.pair.first, into)
    if pair.first == pair.second:
        return
    parts = [one for one in declaration.source.files if one.part is not None and one.split == file.declared.split]
    others = [_companion(declaration, file.declared, pair.second), *parts]
    paths = [file.path, *(locate(declaration, one) for one in others)]
    names = [file.declared.path, *(one.path for one in others)]
    columns = ["source", "reference", *(str(one.part) for one in parts)]
    check_aligned([sum(1 for _ in _values(declaration, *one)) for one in zip(paths, columns, strict=True)], names)
    name = "-".join(filter(None, (file.declared.split, f"{pair.first}-{pair.second}")))
    streams = (_values(declaration, *one) for one in zip(paths, columns, strict=True))
    for row, together in enumerate(zip_longest(*streams), start=1):
        yield _record(row, together, columns, names, pair, name, file.declared.split)


def _companion(declaration: Declaration, declared: SourceFile, language: str) -> SourceFile:
    """The file of the same split in the other language."""
    found = [one for one in declaration.source.files if one.split == declared.split and one.language == language and one.part is None]
    if len(found) != 1:
        said = f"{len(found)} files with language = {language!r}" + (f" and split = {declared.split!r}" if declared.split else "")
        raise InputError(f"read the corpus {declaration.name}", said, "declare exactly one file for each language and split")
    return found[0]


def _values(declaration: Declaration, path: Path, column: str) -> Iterator[Line]:
    """Lines of a file, or those of one column of a table."""
    place: int | None = None
    for line in lines(path, declaration.limits):
        if line.number == 1 and len(names := text(line).split("\t")) > 1 and column in names:
            place = names.index(column)
        elif place is None:
            yield line
        else:
            cells = text(line).split("\t")
            short = f"{len(cells)} columns, {column!r} is number {place + 1}" if len(cells) <= place else None
            yield Line(line.number, "" if short else cells[place], line.problem or short)


def _record(
    row: int, together: tuple[Line, ...], columns: list[str], names: list[str], pair: LanguagePair, name: str, split: str | None
) -> Record:
    problems = [f"{where}: {line.problem}" for where, line in zip(names, together, strict=True) if line.problem]
    values: dict[str, object] = {column: text(line) for column, line in zip(columns, together, strict=True)}
    values["line"] = "-".join(filter(None, (split, f"{row:05d}")))
    values["languages"] = {"source": pair.first, "reference": pair.second}
    return Record(row, f"line {row}", {} if problems else values, "; ".join(problems) or None, f"{name}-{row:05d}", SEVERAL)
