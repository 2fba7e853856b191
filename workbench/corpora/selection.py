"""Which documents are wanted: a split, all of it or its clean part, and in which languages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.corpora.declaration import Declaration
from workbench.corpora.languages import LanguagePair, language_pairs
from workbench.errors import InputError


@dataclass(frozen=True, slots=True)
class Selection:
    """A split (None: all), whether only documents that repeat no text of an earlier split are wanted, and the pairs of languages."""

    split: str | None = None
    clean: bool = False
    languages: tuple[LanguagePair, ...] = ()


def selection(declaration: Declaration, asked: str | None, languages: str | Sequence[str] | None = None) -> Selection:
    """The selection that `"test"` or `"test:clean"` asks for in `languages`; InputError for one the declaration cannot give."""
    pairs = language_pairs(declaration, languages)
    if asked is None:
        return Selection(languages=pairs)
    split, _, part = asked.partition(":")
    names = split_names(declaration)
    if names and split not in names:
        raise unknown_split(declaration, split, names)
    if part not in ("", "clean") or asked.endswith(":"):
        raise InputError(f"read the split {asked!r} of {declaration.name}", f"the part {part!r}", f"ask for {split!r} or '{split}:clean'")
    if part and not declaration.splits.leakage:
        raise InputError(
            f"read the split {asked!r} of {declaration.name}",
            "a corpus that does not mark repeated texts",
            f"ask for {split!r}, or declare `names` in order and `leakage = true` under [splits] in corpus.toml",
        )
    return Selection(split, bool(part), pairs)


def split_names(declaration: Declaration) -> tuple[str, ...]:
    """The splits a declaration names, in order; empty where only the records know them."""
    files = [file.split for file in declaration.source.files if file.split is not None]
    return declaration.splits.names or (tuple(dict.fromkeys(files)) if declaration.fields.split is None else ())


def unknown_split(declaration: Declaration, split: str, names: Sequence[str]) -> InputError:
    """The answer to a split that is not there."""
    close = difflib.get_close_matches(split, names, n=1)
    there = ", ".join(names) or "none"
    return InputError(
        f"read the split {split!r} of {declaration.name}",
        f"splits {there}",
        f"did you mean {close[0]!r}?" if close else "ask for one of these, or for none to read all",
    )
