"""Where a spaCy pipeline comes from: embedded here, installed as a package, in a folder, or blank; and what identifies it."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import fingerprint
from workbench.errors import AnnotationError, MissingExtraError

if TYPE_CHECKING:
    from spacy.language import Language

EMBEDDED = Path(__file__).parent / "embedded"
_DOCUMENTS = frozenset({"CARD.md", "README.md", "LICENSE", "figures.json", "accuracy.json"})  # they change nothing in a pipeline
_PICKLED = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth"})


def embedded() -> list[str]:
    """Names of the pipelines that come with the workbench."""
    return sorted(folder.name for folder in EMBEDDED.iterdir() if (folder / "config.cfg").is_file()) if EMBEDDED.is_dir() else []


def load(name: str) -> tuple[Language, str]:
    """Load a pipeline: an embedded name, `blank:xx`, a folder, or an installed package, looked for in this order; with its fingerprint.

    The fingerprint covers the bytes of the pipeline's files (not of its card) and the version of spaCy. Raises AnnotationError for a name
    that is none of these, for a folder that is no pipeline, and for a folder that holds pickles.
    """
    if importlib.util.find_spec("spacy") is None:
        raise MissingExtraError(f"annotate with {name}", "spaCy is not installed", "pip install 'spacy>=3.8,<4'")
    import spacy

    # these register the tokenizer and the lemmatizer that a config may name
    import workbench.annotation.bengali_lemmas
    import workbench.annotation.bengali_spacy  # noqa: F401

    if name.startswith("blank:"):
        return _blank(name.removeprefix("blank:"))
    if name in embedded():
        return _from_folder(EMBEDDED / name)
    if name and Path(name).is_dir():
        return _from_folder(Path(name))
    if "/" not in name and "\\" not in name and spacy.util.is_package(name):
        nlp = spacy.load(name)
        return nlp, _identify(nlp.path) if nlp.path else fingerprint.of_json({"package": name, "version": nlp.meta["version"]})
    package = name if name.isidentifier() and name.count("_") > 1 else "en_core_web_sm"
    raise AnnotationError(
        f"annotate with {name}",
        "no embedded pipeline, installed spaCy package or folder of this name",
        f"use {', '.join([*embedded(), 'blank:xx'])} or a pipeline's folder, or install one: python -m spacy download {package}",
    )


def _blank(language: str) -> tuple[Language, str]:
    """The tokenizer spaCy has for a language, or ours for Bengali, and nothing else."""
    import spacy
    from spacy.about import __version__

    from workbench.annotation import bengali

    config = {"nlp": {"tokenizer": {"@tokenizers": bengali.RULES}}} if language == "bn" else {}
    try:
        nlp = spacy.blank(language, config=config)
    except ImportError as error:
        found = str(error).split("\n", maxsplit=1)[0]
        remedy = "use a language code that spaCy has, or blank:xx for any language"
        raise AnnotationError(f"annotate with blank:{language}", found, remedy) from None
    rules = bengali.RULES if language == "bn" else "spacy"
    return nlp, fingerprint.of_json({"blank": language, "tokenizer": rules, "spacy": __version__})


def _from_folder(folder: Path) -> tuple[Language, str]:
    """A pipeline as `nlp.to_disk` writes it; no code is loaded from the folder, and nothing in it is unpickled."""
    import spacy
    from spacy.about import __version__

    asked = f"annotate with the pipeline in {folder}"
    if not (folder / "config.cfg").is_file():
        raise AnnotationError(asked, "no config.cfg in it", "give the folder that nlp.to_disk wrote (it holds config.cfg and meta.json)")
    if pickled := [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_pickle(path)]:
        remedy = "give a pipeline without pickled parts: a pickle can run any program when it is read"
        raise AnnotationError(asked, f"a pickle: {pickled[0].relative_to(folder)}", remedy)
    try:
        with warnings.catch_warnings():
            # W095: written by another spaCy. The fingerprint says so, and a difference that matters fails to load.
            warnings.filterwarnings("ignore", message=r".*W095.*", category=UserWarning)
            nlp = spacy.load(folder)
    except (OSError, ValueError, ImportError, KeyError, TypeError, RuntimeError) as error:
        found = str(error).strip().split("\n", maxsplit=1)[0][:200] or type(error).__name__
        remedy = f"install what its meta.json asks for, or write it again with spaCy {__version__}"
        raise AnnotationError(asked, f"spaCy cannot load it: {found}", remedy) from None
    return nlp, _identify(folder)


def _identify(folder: Path) -> str:
    from spacy.about import __version__

    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in _DOCUMENTS and "__pycache__" not in path.parts]
    return fingerprint.of_json({"files": fingerprint.of_files(files, folder), "spacy": __version__})


def _is_pickle(path: Path) -> bool:
    """Whether a file is a pickle by name, or by its first bytes (protocol 2 and later) and its last."""
    if path.suffix in _PICKLED:
        return True
    with path.open("rb") as stream:
        start = stream.read(2)
        if len(start) < 2 or start[0] != 0x80 or not 2 <= start[1] <= 5:
            return False
        stream.seek(-1, 2)
        return stream.read(1) == b"."
