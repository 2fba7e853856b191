"""The studies that come along: sources in py:percent, made into notebooks where a person wants to work on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from workbench.errors import InputError

#: Where the sources stand: in a checkout, or inside an installed package.
FOLDERS = (Path(__file__).parents[2] / "notebooks", Path(__file__).parents[1] / "_things" / "notebooks")
#: In the order in which they are read; others follow by name.
ORDER = (
    "first_steps", "bengali_hate_speech", "grammar_of_similarity", "multilingual_and_biomedical_similarity",
    "source_and_target_contributions", "position_relevance", "is_it_faithful",
)  # fmt: skip
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True, slots=True)
class Study:
    """One study: its name, its title and its source."""

    name: str
    title: str
    source: Path

    def notebook(self) -> Any:
        """The study as a notebook without output."""
        found = jupytext.read(self.source, fmt="py:percent")
        found.metadata["kernelspec"] = KERNEL
        return found


def studies() -> list[Study]:
    """All studies, in the order in which they are read."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    sources = sorted(folder.glob("*.py")) if folder is not None else []
    ranked = sorted(sources, key=lambda path: (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem))
    return [Study(path.stem, title(path), path) for path in ranked]


def title(path: Path) -> str:
    """The first heading of a source."""
    lines = path.read_text("utf-8").splitlines()
    return next((line.removeprefix("# # ") for line in lines if line.startswith("# # ")), path.stem)


def copied(folder: Path) -> Iterator[tuple[Study, bool]]:
    """Writes every study into a folder as a notebook; what is there already is a person's work and stays. Yields whether it is new."""
    found = studies()
    if not found:
        raise InputError("open the studies", "no notebooks in this installation", "take them from the repository's folder notebooks/")
    folder.mkdir(parents=True, exist_ok=True)
    for study in found:
        target = folder / f"{study.name}.ipynb"
        new = not target.exists()
        if new:
            jupytext.write(study.notebook(), target)
        yield study, new
