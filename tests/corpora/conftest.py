"""Corpora written into temporary folders, apart from whatever this machine has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.corpora import Declaration
from workbench.corpora.declaration import load

Write = Callable[..., Declaration]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own working directory, cache and corpus folder; no mirror."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "own"))
    monkeypatch.delenv("WORKBENCH_MIRROR", raising=False)
    monkeypatch.delenv("WORKBENCH_OFFLINE", raising=False)
    return tmp_path


@pytest.fixture
def corpus(tmp_path: Path) -> Write:
    """Write a corpus of the given files (name → bytes or text) and load its declaration."""

    def write(
        files: Mapping[str, bytes | str],
        reader: str = "jsonl",
        fields: Mapping[str, Any] | None = None,
        name: str = "zoo",
        declared: Sequence[Mapping[str, Any]] | None = None,
        **tables: Mapping[str, Any],
    ) -> Declaration:
        folder = tmp_path / "own" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        (folder / "corpus.toml").write_text(
            declaration(name, reader, declared or [{"path": file} for file in files], fields, tables), encoding="utf-8"
        )
        return load(folder / "corpus.toml")

    return write


def declaration(
    name: str, reader: str, files: Sequence[Mapping[str, Any]], fields: Mapping[str, Any] | None, tables: Mapping[str, Mapping[str, Any]]
) -> str:
    """The text of a corpus.toml."""
    rows = [f'name = "{name}"', 'title = "A corpus"', 'language = "bn"', 'licence = "CC0-1.0"', f'reader = "{reader}"']
    rows += [f"{key} = {toml(value)}" for key, value in tables.items() if not isinstance(value, Mapping)]
    rows += ["[source]", 'text = "made for a test"', *(f"{key} = {toml(value)}" for key, value in tables.get("source", {}).items())]
    for file in files:
        rows += ["[[source.files]]", *(f"{key} = {toml(value)}" for key, value in file.items())]
    for table, content in {"fields": fields or {}, **tables}.items():
        if table != "source" and isinstance(content, Mapping):
            rows += [f"[{table}]", *(f"{key} = {toml(value)}" for key, value in content.items())]
    return "\n".join(rows) + "\n"


def toml(value: Any) -> str:
    """A TOML value; strings and lists are written as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=True)
