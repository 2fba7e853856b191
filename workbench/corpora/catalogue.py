"""Finding corpora by name: the user's folders first, then those that came with the workbench."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

import workbench
from workbench.corpora.declaration import FILE_NAME, Declaration, load
from workbench.errors import InputError

#: Folders with corpora of your own, separated as in PATH.
FOLDERS_VARIABLE = "WORKBENCH_CORPORA"


def own_folders() -> list[Path]:
    """The user's folders, the one that `add` writes to first: those named in WORKBENCH_CORPORA, then `corpora` in the working directory."""
    named = [Path(folder).expanduser() for folder in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    return [*named, Path("corpora")]


def packaged_folder() -> Path:
    """The folder of corpora that came with the workbench: inside an installed package, beside it in a checkout."""
    package = Path(workbench.__file__).parent
    installed = package / "_things" / "corpora"
    return installed if installed.is_dir() else package.parent / "corpora"


def _declared() -> Iterator[Path]:
    """Paths of declarations, first found first; a name found twice counts once."""
    seen: set[str] = set()
    for folder in [*own_folders(), packaged_folder()]:
        for path in sorted(folder.glob(f"*/{FILE_NAME}")):
            if path.parent.name not in seen:
                seen.add(path.parent.name)
                yield path


def look() -> tuple[list[Declaration], dict[str, InputError]]:
    """All corpora that can be found, and by folder name the error of each declaration that cannot be read."""
    found: list[Declaration] = []
    broken: dict[str, InputError] = {}
    for path in _declared():
        try:
            found.append(load(path))
        except InputError as error:
            broken[path.parent.name] = error
    return found, broken


def catalogue() -> list[Declaration]:
    """All corpora whose declaration can be read, in the order in which they are found; `look` tells the broken ones."""
    return look()[0]


def find(name: str) -> Declaration:
    """The corpus of that name; InputError names those that exist and the closest."""
    paths = {path.parent.name: path for path in _declared()}
    if name in paths:
        return load(paths[name])
    close = difflib.get_close_matches(name, paths, n=1)
    raise InputError(
        f"find the corpus {name!r}",
        f"corpora {', '.join(sorted(paths)) or 'none'}",
        (f"did you mean {close[0]!r}? " if close else "") + f"`workbench corpus add FILE {name or 'NAME'}` registers a file of your own",
    )
