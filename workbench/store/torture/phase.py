"""A phase of a store's life in which its process is killed: what stands before it, what is done, and what must hold afterwards."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from workbench.store.content import content_hash
from workbench.store.store import Store
from workbench.store.verify import verify

#: Told by a child of what it does: `enter` and `leave` around the moments that matter, `kept` with what it was promised to find again.
Told: TypeAlias = Callable[[str, str], None]

NAMES = tuple(f"document-{number:04}" for number in range(12))


class Phase(ABC):
    """One phase. `work` can be killed at any moment and called again: it does what is missing and then nothing."""

    name: str
    says: str

    def prepare(self, path: Path) -> None:  # noqa: B027 - most phases begin with nothing
        """Put there what stands before the phase."""

    def promised(self) -> set[str]:
        """What was kept before the phase."""
        return set()

    @abstractmethod
    def work(self, path: Path, told: Told) -> None:
        """Do what is missing, and tell of it."""

    def holds(self, path: Path) -> set[str]:
        """What is kept at this moment, in the words of `kept`."""
        with Store.open(path, "read", itself=True) as store:
            return {f"document {name}" for name in store.stored_documents("posts")["identifier"]}

    def wrong(self, path: Path) -> list[str]:
        """What is half done or damaged at this moment: a sentence each."""
        return [str(finding) for finding in verify(path) if finding.status == "error"]

    def content(self, path: Path) -> str:
        """A hash of all that the finished work says."""
        return content_hash(path)


def in_parts(names: Sequence[str], size: int) -> list[list[str]]:
    """Names in groups of a size."""
    return [list(names[start : start + size]) for start in range(0, len(names), size)]


@contextmanager
def moment(told: Told, what: str = "") -> Iterator[None]:
    """A moment that matters."""
    told("enter", what)
    yield
    told("leave", what)


def copied(source: Path, target: Path) -> Path:
    """A store with its companions under another path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for file in source.parent.glob(f"{source.name}*"):
        name = target.name + file.name.removeprefix(source.name)
        (shutil.copytree if file.is_dir() else shutil.copy2)(file, target.with_name(name))
    return target
