"""Readers, one file each: a module of this folder with `read`, or a function under the entry point group `workbench.readers`."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from workbench.corpora.records import Reader
from workbench.errors import InputError

GROUP = "workbench.readers"
NAMES = (
    "aligned_chunks",
    "aligned_translations",
    "aligned_words",
    "conllu",
    "deephate",
    "delimited",
    "hub",
    "judged_claims",
    "jsonl",
    "line_pairs",
    "marked_characters",
    "marked_documents",
    "marked_tokens",
    "parallel",
    "parallel_languages",
    "parquet",
    "sentence_lists",
    "sources",
    "translated_pairs",
)


def reader(name: str) -> Reader:
    """The reader of that name; InputError names those that exist and the closest."""
    if name in NAMES:
        return cast(Reader, import_module(f"{__name__}.{name}").read)
    own = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name in own:
        return cast(Reader, own[name].load())
    names = [*NAMES, *sorted(own)]
    close = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "use one of these"
    raise InputError(f"find the reader {name!r}", f"readers {', '.join(names)}", remedy)
