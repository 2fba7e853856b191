"""Translations whose words people aligned: lines of tokens, and lines of links such as `0-0 2p1` (sure and possible) beside them.

Both sides stand in one file, apart by the option `separator` (` ||| `), or in two with roles; the links stand in a file of the same split
with `part = "links"`. Columns: `source` and `reference`, the tokens joined by single blanks; `id`, the number of the line; `interactions`,
one for each link: `a` and `b`, lists of spans [start, end] in code points of source and reference, end exclusive, and `type`, `sure` or
`possible`. Options: `first` (number of a line's first token in links, `0` or `1`), `numbered` (`yes`: every line begins with its number
and a tab), `order` (which side stands first in a joined file and in links: `source` or `reference`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.lines import Line, lines
from workbench.corpora.records import LocalFile, Record, known_options, option, require_columns
from workbench.corpora.report import Report
from workbench.corpora.spans import joined_spans
from workbench.errors import InputError

LINK = re.compile(r"(\d+)([-p])(\d+)")
KINDS = {"-": "sure", "p": "possible"}
SIDES = ("source", "reference")


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the translations; one whose links lead out of its texts is refused alone, files of other lengths are an InputError."""
    known_options(declaration, "separator", "first", "numbered", "order")
    require_columns(declaration, file.path, ["id", *SIDES, "interactions"])
    first = int(option(declaration, "first", "0", ("0", "1")))
    numbered = option(declaration, "numbered", "no", ("no", "yes")) == "yes"
    order = SIDES if option(declaration, "order", "source", SIDES) == "source" else SIDES[::-1]
    separator = option(declaration, "separator", "")
    parts = [_beside(declaration, file, "links")]
    parts += [] if separator else [_beside(declaration, file, side) for side in order]
    paths = [file.path if part is file.declared else locate(declaration, part) for part in parts] + ([file.path] if separator else [])
    _check_aligned(declaration, paths)
    for row, (links, *texts) in enumerate(zip_longest(*(lines(path, declaration.limits) for path in paths)), start=1):
        yield _record(row, links, texts, separator, first, numbered, order)


def _beside(declaration: Declaration, file: LocalFile, what: str) -> SourceFile:
    """The file of links, or of one side, in the split of `file`."""
    files = [part for part in declaration.source.files if part.split == file.declared.split]
    found = [part for part in files if (part.part == what if what == "links" else part.part is None and part.role == what)]
    if len(found) != 1:
        key = "part" if what == "links" else "role"
        said = f"{len(found)} files with {key} = {what!r}" + (f" and split = {file.declared.split!r}" if file.declared.split else "")
        raise InputError(f"read the corpus {declaration.name}", said, "declare exactly one for each split under [[source.files]]")
    return found[0]


def _check_aligned(declaration: Declaration, paths: list[Path]) -> None:
    counts = [sum(1 for _ in lines(path, declaration.limits)) for path in paths]
    if len(set(counts)) > 1:
        said = ", ".join(f"{path.name} has {count:,} lines" for path, count in zip(paths, counts, strict=True))
        raise InputError(f"read the corpus {declaration.name}", said, "give files with equally many lines, one for each translation")


def _record(row: int, links: Line, texts: list[Line], separator: str, first: int, numbered: bool, order: tuple[str, ...]) -> Record:
    place = f"line {row}"
    problems = [line.problem for line in (links, *texts) if line.problem]
    if problems:
        return Record(row, place, problem="; ".join(problems))
    written, name = [line.text.rstrip("\r\n") for line in (links, *texts)], str(row)
    if numbered:
        names = {text.partition("\t")[0] for text in written}
        if len(names) > 1:
            return Record(row, place, problem=f"lines that do not belong together: {', '.join(sorted(names))}")
        name, written = names.pop(), [text.partition("\t")[2] for text in written]
    sides = written[1].split(separator) if separator else written[1:]
    if len(sides) != len(SIDES):
        return Record(row, place, problem=f"{len(sides)} texts between {separator!r}")
    tokens = dict(zip(order, (side.split() for side in sides), strict=True))
    try:
        found = sorted(_links(written[0], first, order).items())
        interactions = [
            {"a": joined_spans(tokens["source"], [one]), "b": joined_spans(tokens["reference"], [other]), "type": kind}
            for (one, other), kind in found
        ]
    except ValueError as error:
        return Record(row, place, problem=f"{str(error)!r} is no link")
    except IndexError as error:
        return Record(row, place, problem=f"a link to the word {error}, which is not there")
    return Record(row, place, {"id": name, **{side: " ".join(tokens[side]) for side in SIDES}, "interactions": interactions})


def _links(written: str, first: int, order: tuple[str, ...]) -> dict[tuple[int, int], str]:
    """Links by source and reference word; one that is written twice is sure if it is so once. ValueError for what is no link."""
    found: dict[tuple[int, int], str] = {}
    for link in written.split():
        parts = LINK.fullmatch(link)
        if parts is None:
            raise ValueError(link)
        left, right = int(parts[1]) - first, int(parts[3]) - first
        pair = (left, right) if order[0] == "source" else (right, left)
        if found.get(pair) != "sure":
            found[pair] = KINDS[parts[2]]
    return found
