"""The systems of a pipeline: what translates which document, how a text is given to it, and how its tokens are explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from transformers import PreTrainedTokenizerBase

from workbench.attribution.contributions import Contributions
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.fingerprint import Json
from workbench.models.translation import Progress
from workbench.pipeline.worker import Told

#: From which language into which, as the corpus names them, "" where it does not.
Languages: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A text to translate: its tokens with their spans in it, and the identifiers that the model reads.

    Of a prompt that a decoder goes on from, `span` is the place of the source's tokens in it, and `prompt` its text.
    """

    encoding: Encoding
    ids: tuple[int, ...]
    span: tuple[int, int] | None = None
    prompt: str = ""


#: A source and the identifiers of its translation.
Pair: TypeAlias = tuple[Source, tuple[int, ...]]


class System(Protocol):
    """Something that translates between two languages, "" where it does not say which."""

    @property
    def name(self) -> str:
        """The name under which its numbers are kept."""

    @property
    def fingerprint(self) -> str:
        """What determines its numbers."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's name with its fingerprint."""

    @property
    def languages(self) -> Languages:
        """From which language into which."""

    @property
    def parameters(self) -> dict[str, Json]:
        """What the store registers of it."""

    def source(self, text: str) -> Source:
        """A text to translate. Raises InputError for one that cannot be."""

    def target(self, source: Source, text: str) -> Encoding:
        """A translation that is given. Raises InputError for one that this system cannot have made."""

    def read(self, source: Source, text: str) -> Encoding | None:
        """A text of its own as its tokenizer reads it; None for one without any token or longer than the window."""

    def translate(self, sources: Sequence[Source], beams: int, told: Told) -> list[tuple[int, ...]]:
        """Token identifiers of the translations, with the end token where there is one."""

    def problem(self, source: Source, target: tuple[int, ...]) -> InputError | None:
        """Why a translation cannot be explained."""

    def explain(self, pairs: Sequence[Pair], method: str, target: str, budget: int) -> list[Contributions]:
        """What every token of each translation took from where; `budget` bounds the numbers of one gradient."""


def halves(told: Told) -> Progress:
    """Progress of translating as told within a job: half of each document."""
    before = 0

    def progress(done: int, _total: int) -> None:
        nonlocal before
        told((done - before) / 2)
        before = done

    return progress


def in_vocabulary(name: str, tokenizer: PreTrainedTokenizerBase, encoding: Encoding, text: str) -> Encoding:
    """A given translation; InputError for a token outside the vocabulary: the model cannot have generated it."""
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown in encoding.ids:
        stranger = text[slice(*encoding.spans[encoding.ids.index(unknown)])]
        found = f"{stranger!r}, which is not in its vocabulary: {text[:40]!r}"
        raise InputError(f"explain a given translation by {name}", found, "leave the text out, or explain the system's own output")
    return encoding
