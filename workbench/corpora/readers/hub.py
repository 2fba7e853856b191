"""A dataset of the Hugging Face hub on disk: a folder written by `save_to_disk` (Arrow) or with the hub's Parquet shards.

The split comes from the layout: `<folder>/<split>/state.json` of a saved dictionary, `train-00000-of-00002.parquet`, or
`<folder>/<split>/*.parquet`.
Declare `split = "split"` under [fields] to keep it; class numbers become the names that the dataset gives them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import regex

from workbench.corpora.declaration import Declaration
from workbench.corpora.readers.arrow import records, whole
from workbench.corpora.readers.parquet import shard
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError

SPLIT = "split"
#: The last bytes of an Arrow stream.
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_SHARD_NAME = regex.compile(r"^(?P<split>[A-Za-z_]+?)(-\d+-of-\d+(-[0-9a-f]+)?)?$")


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the rows of all shards of a dataset folder, split after split."""
    known_options(declaration)
    rows: dict[str, int] = {}
    for split, path in shards(file.path):
        names = class_names(path.parent, declaration.fields.label)
        columns = [column for column in declaration.fields.columns if column != SPLIT]
        for record in _shard(declaration, path, columns):
            rows[split] = rows.get(split, 0) + 1
            values = {**record.values, SPLIT: split}
            label = values.get(declaration.fields.label or "")
            if isinstance(label, int) and 0 <= label < len(names):
                values[declaration.fields.label or ""] = names[label]
            place = f"{path.relative_to(file.path)} {record.place}"
            name = f"{split or 'all'}-{rows[split]:05d}"
            yield replace(record, row=rows[split], place=place, values={} if record.problem else values, name=name)


def shards(folder: Path) -> list[tuple[str, Path]]:
    """Split and path of each data file; InputError for a folder that is no dataset."""
    asked = f"read the dataset in {folder}"
    if not folder.is_dir():
        raise InputError(asked, "no folder", "name the folder that `save_to_disk` wrote, or that holds the Parquet files")
    if (folder / "dataset_dict.json").exists():
        splits = [str(split) for split in _json(folder / "dataset_dict.json").get("splits", [])]
        return [(split, path) for split in splits for path in _saved(_inside(folder, split))]
    if (folder / "state.json").exists():
        return [(_split_of_state(folder), path) for path in _saved(folder)]
    found = [(_split_of_name(folder, path), path) for path in sorted(folder.rglob("*.parquet"))]
    if not found:
        found_nothing = "neither dataset_dict.json nor state.json nor a .parquet file"
        raise InputError(asked, found_nothing, "write it with `dataset.save_to_disk(folder)`")
    return found


def class_names(folder: Path, label: str | None) -> list[str]:
    """Names of the classes in `dataset_info.json`, in the order of their numbers; empty where none are given."""
    path = folder / "dataset_info.json"
    if label is None or not path.exists():
        return []
    feature = (_json(path).get("features") or {}).get(label)
    return [str(name) for name in feature.get("names") or []] if isinstance(feature, dict) else []


def _shard(declaration: Declaration, path: Path, columns: list[str]) -> Iterator[Record]:
    if path.suffix == ".parquet":
        yield from shard(declaration, path, columns)
        return
    _check_end(path)
    with whole(path), pa.memory_map(str(path)) as raw, closing(pa.ipc.open_stream(raw)) as source:
        require_columns(declaration, path, source.schema.names, columns)
        yield from records(declaration, path, source.schema, (batch.select(columns) for batch in source))


def _check_end(path: Path) -> None:
    """A stream that was cut off between two batches reads like a shorter one: its end mark must be there."""
    with whole(path), path.open("rb") as raw:
        raw.seek(max(0, path.stat().st_size - len(_END)))
        if raw.read() != _END:
            raise InputError(f"read {path}", "an Arrow file without its end: it was cut off", "write the dataset again")


def _saved(folder: Path) -> list[Path]:
    state = _json(folder / "state.json")
    if state.get("_indices_data_files"):
        remedy = "write it again: `dataset.flatten_indices().save_to_disk(folder)`"
        raise InputError(f"read the dataset in {folder}", "rows chosen by an index file", remedy)
    return [_inside(folder, str(file.get("filename", ""))) for file in state.get("_data_files") or []]


def _inside(folder: Path, name: str) -> Path:
    """A name below the folder; a dataset must not lead elsewhere."""
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        raise InputError(f"read the dataset in {folder}", f"the name {name!r}, which leads out of the folder", "do not trust this dataset")
    return folder / name


def _split_of_state(folder: Path) -> str:
    return str(_json(folder / "state.json").get("_split") or "")


def _split_of_name(folder: Path, path: Path) -> str:
    parent = path.parent.name if path.parent != folder and path.parent.name != "data" else ""
    match = _SHARD_NAME.match(path.stem)
    return parent or (match["split"] if match else "")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"read {path}", f"no JSON that can be read: {error}", "write the dataset again") from None
    if not isinstance(value, dict):
        raise InputError(f"read {path}", "JSON that is no object", "write the dataset again")
    return value
