"""What a run asks of the work it does: the same for labels, similarities and whatever else is explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.fingerprint import Json
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import Wanted
from workbench.rules.composite import composite
from workbench.store import Store

Job = Sequence[Wanted]

#: Told within a job how much more of it is done, in documents.
Told = Callable[[float], None]

#: Told of progress: stage, how much is done, how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the store registers it."""

    name: str
    fingerprint: str
    kind: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Rules:
    """What propagates relevance, as the store registers it."""

    name: str
    fingerprint: str
    parameters: Mapping[str, Json]


def rules_of(name: str) -> Rules:
    """A composite as the store registers it."""
    chosen = composite(name)
    return Rules(chosen.name, chosen.fingerprint, asdict(chosen))


class Worker(Protocol):
    """A process's own models and annotators, loaded once and used for many jobs.

    `fingerprint` stands for all models (and annotators, where they determine a number).
    """

    @property
    def pipeline(self) -> Pipeline:
        """What is declared."""

    @property
    def annotators(self) -> Annotators:
        """Who finds words."""

    @property
    def fingerprint(self) -> str:
        """Identity of what determines a number beside texts and declaration."""

    def __call__(self, job: Job, told: Told = ..., /) -> Batch:
        """The batch of one job: a pure function that touches no store."""

    def read(self, progress: Progress, /) -> tuple[Declaration, list[Document], Report]:
        """The pipeline's documents and what was met in reading them."""

    def wanted(self, documents: Sequence[Document], /) -> list[Wanted]:
        """All explanations that the pipeline wants, in the order of work."""

    def models(self) -> Sequence[Model]:
        """What is to be registered."""

    def rules(self) -> Rules:
        """What is to be registered of how relevance is propagated."""

    def evaluate(self, store: Store, number: int, progress: Progress, /) -> int:
        """Measures and keeps the faithfulness that the pipeline asks for; returns of how many documents."""


def no_one(_done: float) -> None:
    """Hears of no progress within a job."""


def silent(stage: str, done: int, total: int) -> None:
    """Shows no progress."""
