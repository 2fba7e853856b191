"""A corpus and a pipeline in a folder, and commands on them in processes of their own: what a user would do and wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.corpora import find, read
from workbench.errors import PipelineError

NAME = "bench-texts"
CORPUS = """name = {name}
title = "Posts of the embedded sample in other combinations"
licence = "Apache-2.0"
language = "bn"
reader = "jsonl"
[source]
text = "made by workbench bench"
[[source.files]]
path = {path}
[fields]
identifier = "id"
segments = {{ text = "text" }}
"""
PIPELINE = """name = {name}
[corpus]
name = {name}
[model]
name = {model}
[annotation]
pipeline = "bengali"
"""


class Workplace:
    """Documents by identifier, explained by an embedded Bengali model."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self.texts = folder / "texts.jsonl"
        self.pipeline = folder / "pipeline.toml"
        declared = folder / "corpora" / NAME / "corpus.toml"
        declared.parent.mkdir(parents=True)
        declared.write_text(CORPUS.format(name=json.dumps(NAME), path=json.dumps(str(self.texts))), "utf-8")
        self.pipeline.write_text(PIPELINE.format(name=json.dumps(NAME), model=json.dumps(model)), "utf-8")

    def write(self, documents: Mapping[str, str]) -> None:
        """Makes these the texts of the corpus."""
        rows = (json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n" for name, text in documents.items())
        self.texts.write_text("".join(rows), "utf-8")

    def run(self, store: Path, *options: str) -> tuple[float, dict[str, Any]]:
        """Wall seconds and summary of a run of its own process; PipelineError where it fails."""
        return self.command("run", str(self.pipeline), "--store", str(store), "--json", *options)

    def plan(self, store: Path) -> tuple[float, dict[str, Any]]:
        """Wall seconds and answer of `workbench plan`."""
        return self.command("plan", str(self.pipeline), "--store", str(store), "--json")

    def command(self, *arguments: str) -> tuple[float, dict[str, Any]]:
        """Wall seconds and answer of a command in a process of its own, start-up included."""
        root = Path(__file__).parents[3]
        found = os.environ | {"WORKBENCH_CORPORA": str(self.folder / "corpora")}
        found.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second command finds what the first has compiled
        found["PYTHONPATH"] = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "workbench", *arguments], capture_output=True, text=True, env=found, check=False)
        seconds = time.monotonic() - began
        if done.returncode:
            said = " ".join(done.stderr.split()[-60:]) or f"exit code {done.returncode}"
            raise PipelineError(f"measure workbench {arguments[0]}", said, "run it by itself to see more")
        answer: dict[str, Any] = json.loads(done.stdout)
        return seconds, answer


def posts(count: int, joined: int = 1) -> dict[str, str]:
    """Texts by identifier: posts of the embedded sample, so many joined to one, ever others together and no text twice."""
    written = [document.segments["text"] for document in read(find("bengali-hate-sample"))]
    return {f"{number:08}": f"{' '.join(chosen(written, number, joined))} {number}" for number in range(count)}


def chosen(written: Sequence[str], number: int, joined: int) -> list[str]:
    """The posts of one document."""
    return [written[(number * (2 * place + 1) + number // len(written) * place) % len(written)] for place in range(joined)]
