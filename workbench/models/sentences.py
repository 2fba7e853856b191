"""Folders of sentence-transformers: where the encoder lies in them, and how its states become one vector."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.utils.hub import cached_file

from workbench.errors import ModelError

POOLINGS = ("mean", "cls", "max", "lasttoken")
#: What earlier versions wrote, one truth value for each way.
EARLIER = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True)
class Sentences:
    """The encoder's folder inside the model's, and its pooling; both empty for a model that is none of sentence-transformers."""

    subfolder: str = ""
    pooling: str = ""


def sentences_of(place: Path | str, revision: str | None = None) -> Sentences:
    """What `modules.json` says of a sentence encoder in a folder or on the hub.

    Raises ModelError for a way of pooling that is not known here.
    """
    modules = read_json(place, "modules.json", revision)
    if not modules:
        return Sentences()
    folders = {str(part["type"]).rpartition(".")[2]: str(part["path"]) for part in modules}
    pooling = "mean"
    if "Pooling" in folders:
        said: dict[str, Any] = read_json(place, f"{folders['Pooling']}/config.json", revision) or {}
        chosen = [name for key, name in EARLIER.items() if said.get(key)] or [str(said.get("pooling_mode", "mean"))]
        if len(chosen) != 1 or chosen[0] not in POOLINGS:
            asked, found = f"load the sentence encoder {place}", f"pooling by {' and '.join(chosen)}"
            raise ModelError(asked, found, f"use an encoder with one of {', '.join(POOLINGS)}")
        pooling = chosen[0]
    return Sentences(folders.get("Transformer", ""), pooling)


def read_json(place: Path | str, name: str, revision: str | None) -> Any:
    """The content of a JSON file of a model, None where there is no such file."""
    if isinstance(place, Path):
        path = place / name
        return json.loads(path.read_text("utf-8")) if path.is_file() else None
    found = cached_file(
        place, name, revision=revision, _raise_exceptions_for_missing_entries=False, _raise_exceptions_for_connection_errors=False
    )
    return json.loads(Path(found).read_text("utf-8")) if found else None
