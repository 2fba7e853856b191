"""What a reader gives: records as the file has them, before anything is judged."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.languages import LanguagePair
from workbench.corpora.report import Report
from workbench.errors import InputError


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number in the file (from 1), where it stands (`line 12`), its values by column.

    `problem` says why it cannot be used, `name` what to call it where its place in the file does not tell (a row of the second shard),
    `language` the language of its texts where it is another than the corpus declares.
    """

    row: int
    place: str
    values: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None
    name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the corpus where it lies on this machine; numbered identifiers begin with `prefix`, `pair` is the languages wanted."""

    path: Path
    declared: SourceFile
    prefix: str
    pair: LanguagePair | None = None


#: A reader streams the records of one file and counts the traps that belong to its format.
Reader: TypeAlias = Callable[[Declaration, LocalFile, Report], Iterator[Record]]


def kind_name(value: object) -> str:
    """What a value is, in words for a person."""
    names = ((bool, "true or false"), (int | float, "a number"), (str, "a text"), (Mapping, "an object"), (list, "a list"))
    return next((name for kind, name in names if isinstance(value, kind)), "null" if value is None else f"a {type(value).__name__}")


def require_columns(declaration: Declaration, path: Path, available: Sequence[str], wanted: Sequence[str] | None = None) -> None:
    """InputError when a declared (or `wanted`) column is missing or stands twice, with the columns there are and the closest."""
    columns = declaration.fields.columns if wanted is None else wanted
    asked = f"read {', '.join(columns)} from {path}"
    for column in columns:
        if available.count(column) == 1:
            continue
        if column in available:
            raise InputError(asked, f"the column {column!r} twice", "rename one of them in the file")
        same = [name for name in available if name.strip().casefold() == column.strip().casefold()]
        close = same or difflib.get_close_matches(column, available, n=1)
        remedy = (f"did you mean {close[0]!r}? " if close else "") + "name the column under [fields] in corpus.toml"
        if len(available) == 1 and (signs := [sign for sign in ";\t|," if sign in available[0]]):
            remedy = f"is the delimiter {signs[0]!r}? set `delimiter` under [options] in corpus.toml"
        raise InputError(asked, f"no column {column!r}; the columns are {', '.join(map(repr, available)) or 'none'}", remedy)


def option(declaration: Declaration, name: str, default: str, allowed: Sequence[str] | None = None) -> str:
    """The reader's option `name`; InputError for a value that is not allowed."""
    value = declaration.options.get(name, default)
    if allowed is not None and value not in allowed:
        remedy = f"use one of {', '.join(map(repr, allowed))}"
        raise InputError(f"read the corpus {declaration.name}", f"options.{name} = {value!r}", remedy)
    return value


def known_options(declaration: Declaration, *names: str) -> None:
    """InputError for an option that the reader does not have."""
    for name in declaration.options:
        if name not in names:
            raise InputError(
                f"read the corpus {declaration.name} with the reader {declaration.reader!r}",
                f"the option {name!r}",
                f"use {', '.join(names)}" if names else "remove it: this reader has no options",
            )
