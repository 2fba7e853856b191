"""What a pipeline's models and annotators are, known without loading them: the same files, read by the same code, are the same models.

Loading gives the identity; it is remembered under a fingerprint of everything that determines it: the bytes of all files, the versions of
the libraries that read them, and our own code that does. Whenever the models are loaded after all, what was remembered is compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import workbench
from workbench import fingerprint
from workbench.annotation import pipelines
from workbench.annotation.annotator import MIRRORED
from workbench.annotation.translations import FOLDER as TRANSLATIONS
from workbench.errors import ModelError
from workbench.fingerprint import Json
from workbench.models.places import location, packaged
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.remembered import hashes, load, save
from workbench.pipeline.worker import Model

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "sentence-transformers", "spacy", "thinc")
#: Tables of a declaration that change no model and no annotator.
BESIDE = {"name", "title", "notes", "corpus", "evaluation", "batch", "schedule"}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a pipeline's models and annotators are.

    `fingerprint` stands for all models, `models` are as the store registers them, `annotators` name and fingerprint by declared name.
    """

    fingerprint: str
    models: tuple[Model, ...]
    annotators: dict[str, tuple[str, str]]


def recalled(pipeline: Pipeline) -> Identity | None:
    """The identity of a pipeline from its files alone; None where it was never loaded as it is now, or only loading can tell."""
    key = key_of(pipeline)
    entry = load("pipelines").get(key) if key else None
    if not isinstance(entry, dict):
        return None
    try:
        annotators = {declared: (name, print_of) for declared, (name, print_of) in entry["annotators"].items()}
        return Identity(entry["fingerprint"], tuple(Model(**model) for model in entry["models"]), annotators)
    except (KeyError, TypeError, ValueError):
        return None


def remember(pipeline: Pipeline, identity: Identity) -> None:
    """Keeps what loading a pipeline's models has shown."""
    if key := key_of(pipeline):
        table = load("pipelines")
        table.pop(key, None)
        save("pipelines", {**table, key: asdict(identity)})


def key_of(pipeline: Pipeline) -> str | None:
    """Fingerprint of everything that determines the identity; None where that is not all on this machine."""
    folders = [model_folder(pipeline), *(annotator_folder(name) for name in annotator_names(pipeline))]
    if None in folders:
        return None
    ours = Path(workbench.__file__).parent
    code = [path for room in ("models", "annotation", "pipeline") for path in sorted((ours / room).rglob("*.py"))]
    mirror = os.environ.get("WORKBENCH_MIRROR")
    lexicons = [path for part in MIRRORED.values() if mirror and (path := Path(mirror, part)).is_file()]
    files = [*code, *lexicons, *(path for folder in {TRANSLATIONS, *filter(None, folders)} for path in files_below(folder))]
    if any(path.name == "adapter_config.json" for path in files):
        return None  # an adapter's base model lies elsewhere
    try:
        content = {str(path): digest for path, digest in hashes(files).items()}
    except OSError:
        return None
    declared = pipeline.model_dump(mode="json", exclude=BESIDE)
    return fingerprint.of_json({"declared": declared, "files": content, "versions": versions()})


def versions() -> dict[str, Json]:
    """Installed versions of the libraries that read models and annotators."""
    found: dict[str, Json] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Every file of a folder that holds content."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def annotator_names(pipeline: Pipeline) -> list[str]:
    """Annotators as the pipeline declares them, each once."""
    choice = pipeline.annotation
    return list(dict.fromkeys([*choice.languages.values(), *([choice.pipeline] if choice.pipeline else [])]))


def annotator_folder(name: str) -> Path | None:
    """Where an annotator's files are; for `blank:xx` our own room of annotation, which has its tokenizer."""
    if name.startswith("blank:"):
        return pipelines.EMBEDDED.parent / "lexicons"
    if (pipelines.EMBEDDED / name / "config.cfg").is_file():
        return pipelines.EMBEDDED / name
    if Path(name).is_dir():
        return Path(name).resolve()
    found = find_spec(name) if name.isidentifier() else None
    return Path(found.origin).parent if found and found.origin else None


def model_folder(pipeline: Pipeline) -> Path | None:
    """Where a model's files are; of the hub's models only a pinned commit, or any where the hub is not asked, can be known from here."""
    name = pipeline.model.name
    try:
        place = packaged(name) or location(name)
    except ModelError:
        return None
    return place.resolve() if isinstance(place, Path) else hub_folder(name, pipeline.model.revision)


def hub_folder(name: str, revision: str | None) -> Path | None:
    """The snapshot of a hub model in the hub's cache that loading would take without asking the hub."""
    from huggingface_hub import constants

    pinned = revision is not None and len(revision) == 40
    if not (pinned or constants.HF_HUB_OFFLINE):
        return None
    home = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    reference = home / "refs" / (revision or "main")
    commit: Any = revision if pinned else reference.read_text("utf-8").strip() if reference.is_file() else None
    folder = home / "snapshots" / str(commit)
    return folder if commit and folder.is_dir() else None
