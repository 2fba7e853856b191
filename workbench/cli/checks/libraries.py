"""Libraries: is each there, new enough, and does it really load?"""

from __future__ import annotations

import importlib.util
import platform
import sys
from pathlib import Path

from workbench.cli.checks.finding import Finding, in_child

OLDEST_PYTHON = (3, 11)
INSTALL = "make .venv/.ready in a checkout, or pip install --upgrade workbench-nlp"

TORCH = """
import torch
device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
print(torch.__version__, "CUDA " + torch.version.cuda if torch.version.cuda else "no CUDA", device, sep="|")
"""

SPACY = """
import pathlib, sys, spacy
print(spacy.__version__)
for name in sorted(spacy.util.get_installed_models()):
    print("installed", name)
for folder in map(pathlib.Path, sys.argv[1:]):
    spacy.load(folder)
    print("embedded", folder.name)
"""


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Python 3.11 or newer."""
    found = f"{'.'.join(map(str, version))} ({platform.system()} {platform.machine()})"
    if version < OLDEST_PYTHON:
        return Finding("Python", "broken", found, "use Python 3.11 or newer: make PY=python3.12 .venv/.ready")
    return Finding("Python", "ok", found)


def present(name: str, oldest: tuple[int, ...], newest: tuple[int, ...] | None = None) -> Finding:
    """A library that loads, in a version from `oldest` on and below `newest`."""
    loads, said = in_child(f"import {name}; print({name}.__version__)")
    if not loads:
        return Finding(name, "broken", said, INSTALL)
    version = tuple(int(part) for part in said.split("+")[0].split(".")[:2] if part.isdigit())
    if version < oldest or (newest is not None and version >= newest):
        wanted = f">={'.'.join(map(str, oldest))}" + (f",<{'.'.join(map(str, newest))}" if newest else "")
        return Finding(name, "broken", f"{said}, but {name}{wanted} is needed", f'pip install "{name}{wanted}"')
    return Finding(name, "ok", said)


def torch() -> Finding:
    """Which build of torch, and on which device it would run."""
    loads, said = in_child(TORCH)
    if not loads:
        return Finding("torch", "broken", said, INSTALL)
    version, build, device = said.split("|")
    found = f"{version}, {build}, runs on {device}"
    if tuple(int(part) for part in version.split(".")[:2]) < (2, 6):
        return Finding("torch", "broken", found, 'pip install "torch>=2.6"')
    if build != "no CUDA" and device == "cpu":
        return Finding("torch", "note", found, "a CUDA build without a GPU works; the CPU build is gigabytes smaller (README, CPU or GPU)")
    return Finding("torch", "ok", found)


def torchvision() -> Finding:
    """A torchvision that was built for another torch breaks every model import of transformers, though nothing here needs torchvision."""
    if importlib.util.find_spec("torchvision") is None:
        return Finding("torchvision", "ok", "not there, not needed")
    loads, said = in_child("import torchvision; print(torchvision.__version__)")
    if not loads:
        return Finding("torchvision", "broken", f"does not fit this torch and takes transformers down: {said}", "pip uninstall torchvision")
    return Finding("torchvision", "ok", f"{said}, fits")


def transformers() -> Finding:
    """Transformers 5 that really loads a model class."""
    loads, said = in_child("import transformers; from transformers import BertModel; print(transformers.__version__)")
    if not loads:
        return Finding("transformers", "broken", said, f"if torchvision is broken, mend that first; else {INSTALL}")
    if not said.startswith("5."):
        return Finding("transformers", "broken", f"{said}, but transformers>=5,<6 is needed", 'pip install "transformers>=5,<6"')
    return Finding("transformers", "ok", said)


def spacy(embedded: Path | None = None) -> Finding:
    """SpaCy loads, and with it every embedded pipeline; which other pipelines are installed."""
    folder = embedded if embedded is not None else Path(__file__).parents[2] / "annotation" / "embedded"
    pipelines = sorted(path.parent for path in folder.glob("*/meta.json"))
    loads, said = in_child(SPACY, *map(str, pipelines))
    if not loads:
        return Finding("spaCy", "broken", said, INSTALL)
    version, *lines = said.splitlines()
    names = {kind: [line.split(" ", 1)[1] for line in lines if line.startswith(kind)] for kind in ("embedded", "installed")}
    found = f"{version}; pipelines: " + "; ".join(f"{kind} {', '.join(found) or 'none'}" for kind, found in names.items())
    return Finding("spaCy", "ok", found)
