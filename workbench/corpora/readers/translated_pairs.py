"""Pairs of texts in several languages: a delimited file for each `language` and split, all with the same pairs.

Asked for in one language (`en`), the pairs are those of its file. Asked for in two (`en-de`), the first text comes from the English file
and the second from the German row that belongs to it; as translations (`en=de`), each row gives two documents: its first text in both
languages, and its second. Rows belong together by their number, or by the column `key`; rows that belong together must have the same
values in the columns `agree`. Both files of a pair of languages are held in memory.

Columns added: `row`, the name of the row, the same in all languages; `languages`, by role; `side`, `a` or `b`, of a translation (else
null). What a row says of its pair (gold similarity, label, columns `agree`) is null in translations. Options: `key` (a column; rows
without a partner are counted and left out), `agree` (columns separated by commas; default: the declared similarity), and those of
`delimited`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration, Fields, Role, SourceFile
from workbench.corpora.languages import LanguagePair
from workbench.corpora.readers import delimited
from workbench.corpora.records import LocalFile, Record, known_options, option
from workbench.corpora.report import Report
from workbench.errors import InputError

FIRST: Final[Role] = "text_a"
SECOND: Final[Role] = "text_b"
SIDES: tuple[tuple[str, Role], ...] = (("a", FIRST), ("b", SECOND))
DERIVED = ("row", "languages", "side")
OWN_OPTIONS = ("key", "agree")


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the pairs of a file and, for two languages, of its companion; InputError when their rows do not belong together."""
    known_options(declaration, "delimiter", "quote", "header", *OWN_OPTIONS)
    pair, key, agree = file.pair, option(declaration, "key", ""), _agree(declaration)
    if pair is None or set(declaration.fields.segments) != {FIRST, SECOND}:
        found = "files without a language" if pair is None else f"segments {', '.join(declaration.fields.segments)}"
        remedy = f"give each file under [[source.files]] its `language`, and name the columns of {FIRST} and {SECOND} under [fields]"
        raise InputError(f"read the corpus {declaration.name} with the reader {declaration.reader!r}", found, remedy)
    if pair.first == pair.second:
        for row in _rows(declaration, file, key, agree):
            yield _of_pair(declaration, file, pair, key, (row, row))
        return
    declared = _companion(declaration, file.declared, pair.second)
    other = LocalFile(locate(declaration, declared), declared, file.prefix)
    left, right = (list(_rows(declaration, local, key, agree)) for local in (file, other))
    joined = _by_key(left, right, key, (file, other), report) if key else _by_number(left, right, (file, other))
    _check_agreement(joined, agree, (file, other))
    for rows in joined:
        problems = [f"{at.declared.path}: {row.problem}" for at, row in zip((file, other), rows, strict=True) if row.problem]
        if problems:
            yield replace(rows[0], problem="; ".join(problems), values={})
        elif pair.translation:
            yield from _of_translation(declaration, file, pair, key, agree, rows)
        else:
            yield _of_pair(declaration, file, pair, key, rows)


def _agree(declaration: Declaration) -> tuple[str, ...]:
    named = option(declaration, "agree", declaration.fields.similarity or "")
    return tuple(column.strip() for column in named.split(",") if column.strip())


def _rows(declaration: Declaration, file: LocalFile, key: str, agree: tuple[str, ...]) -> Iterator[Record]:
    """The rows of one language as its file has them."""
    columns = dict.fromkeys([*declaration.fields.columns, *agree, *([key] if key else [])])
    beside = tuple(column for column in columns if column not in (*DERIVED, *declaration.fields.segments.values()))
    options = {name: value for name, value in declaration.options.items() if name not in OWN_OPTIONS}
    fields = Fields(segments=declaration.fields.segments, metadata=beside)
    yield from delimited.read(declaration.model_copy(update={"fields": fields, "options": options}), file, Report())


def _companion(declaration: Declaration, declared: SourceFile, language: str) -> SourceFile:
    """The file of the same split in the other language."""
    found = [file for file in declaration.source.files if file.split == declared.split and file.language == language]
    if len(found) != 1:
        found_many = f"{len(found)} files with language = {language!r}" + (f" and split = {declared.split!r}" if declared.split else "")
        raise InputError(f"read the corpus {declaration.name}", found_many, "declare exactly one file for each language and split")
    return found[0]


def _by_number(left: list[Record], right: list[Record], files: tuple[LocalFile, LocalFile]) -> list[tuple[Record, Record]]:
    if len(left) != len(right):
        one, other = (file.declared.path for file in files)
        found = f"{one} has {len(left):,} rows, {other} has {len(right):,} rows"
        raise InputError("join two languages row by row", found, "give files with equally many rows, or name a column as `key`")
    return list(zip(left, right, strict=True))


def _by_key(
    left: list[Record], right: list[Record], key: str, files: tuple[LocalFile, LocalFile], report: Report
) -> list[tuple[Record, Record]]:
    ours, theirs = ({_key(row, key): row for row in rows} for rows in (left, right))
    for file, rows, named in zip(files, (left, right), (ours, theirs), strict=True):
        if len(named) < len(rows):
            found = f"{len(rows):,} rows with {len(named):,} different values of {key!r} in {file.declared.path}"
            raise InputError(f"join two languages by {key!r}", found, "give each row a name of its own")
    if alone := len(ours.keys() ^ theirs.keys()):
        report.met("row in one of the two languages only", "left out of their pairs", alone)
    return [(row, theirs[name]) for name, row in ours.items() if name in theirs]


def _key(row: Record, key: str) -> str:
    return str(row.values.get(key, f"{row.place} (unreadable)"))


def _check_agreement(joined: list[tuple[Record, Record]], agree: tuple[str, ...], files: tuple[LocalFile, LocalFile]) -> None:
    """InputError at the first rows that say different things of their pair: one file has a row too many and another too few."""
    for one, other in joined:
        for column in agree if not (one.problem or other.problem) else ():
            if one.values[column] != other.values[column]:
                said = " and ".join(
                    f"{row.values[column]!r} in {file.declared.path} {row.place}" for file, row in zip(files, (one, other), strict=True)
                )
                remedy = "give files whose rows are the same pairs in the same order, or correct the value"
                raise InputError("join two languages row by row", f"rows that do not belong together: {column} is {said}", remedy)


def _of_pair(declaration: Declaration, file: LocalFile, pair: LanguagePair, key: str, rows: tuple[Record, Record]) -> Record:
    one, other = rows
    if one.problem:
        return one
    second = declaration.fields.segments[SECOND]
    values = {**one.values, second: other.values[second], "languages": {FIRST: pair.first, SECOND: pair.second}, "side": None}
    return _named(file, pair, key, one, values, "")


def _of_translation(
    declaration: Declaration, file: LocalFile, pair: LanguagePair, key: str, agree: tuple[str, ...], rows: tuple[Record, Record]
) -> Iterator[Record]:
    """The first text of the row in both languages, then the second."""
    one, other = rows
    segments = declaration.fields.segments
    silent = dict.fromkeys(filter(None, (declaration.fields.label, *agree)))
    for side, role in SIDES:
        texts = {segments[FIRST]: one.values[segments[role]], segments[SECOND]: other.values[segments[role]]}
        added = {"languages": {FIRST: pair.first, SECOND: pair.second}, "side": side}
        yield _named(file, pair, key, one, {**one.values, **silent, **texts, **added}, f"-{side}")


def _named(file: LocalFile, pair: LanguagePair, key: str, row: Record, values: dict[str, object], ending: str) -> Record:
    """The record under a name that tells its languages: `test-en-de-00017`, or `passive-03-en-de` by key."""
    if key:
        named = str(row.values[key])
        name = f"{named}-{pair.name}{ending}"
    else:
        named = "-".join(filter(None, (file.declared.split, f"{row.row:05d}")))
        name = f"{file.prefix}-{row.row:05d}{ending}"
    return replace(row, values={**values, "row": named}, name=name, language=pair.language)
