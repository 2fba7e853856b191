"""The systems of a pipeline: what translates which document, how a text is given to it, and how its tokens are explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from transformers import PreTrainedTokenizerFast

from workbench.attribution.contributions import Contributions, contributions
from workbench.attribution.translations import Translation, problem_of
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.fingerprint import Json
from workbench.models.translation import generate, source_of, target_of
from workbench.models.translator import Translator

#: Told how much more is done, in documents: a translation that is made is half of one, its explanation the other half.
Told = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A text to translate: its tokens with their spans in it, and the identifiers that the model reads, which may say more."""

    encoding: Encoding
    ids: tuple[int, ...]


class System(Protocol):
    """Something that translates between two languages, "" where it does not say which."""

    @property
    def name(self) -> str:
        """The name under which its numbers are kept."""

    @property
    def fingerprint(self) -> str:
        """What determines its numbers."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Its tokenizer."""

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's name with its fingerprint."""

    @property
    def languages(self) -> tuple[str, str]:
        """From which language into which."""

    @property
    def parameters(self) -> dict[str, Json]:
        """What the store registers of it."""

    def source(self, text: str) -> Source:
        """A text to translate. Raises InputError for one that cannot be."""

    def target(self, text: str) -> Encoding:
        """A translation that is given. Raises InputError for one that this system cannot have made."""

    def read(self, text: str) -> Encoding | None:
        """A text of its own as its tokenizer reads it; None for one without any token or longer than the window."""

    def translate(self, sources: Sequence[Source], beams: int, told: Told) -> list[tuple[int, ...]]:
        """Token identifiers of the translations, with the end token where there is one."""

    def problem(self, source: Source, target: tuple[int, ...]) -> InputError | None:
        """Why a translation cannot be explained."""

    def explain(self, pairs: Sequence[tuple[Source, tuple[int, ...]]], method: str, target: str) -> list[Contributions]:
        """What every token of each translation took from where."""


@dataclass(frozen=True, slots=True)
class EncoderDecoder:
    """A model with an encoder of its own; `known` are its languages as the corpus names them."""

    translator: Translator
    name: str
    known: tuple[str, str]

    @property
    def fingerprint(self) -> str:
        """That of the model between its languages."""
        return self.translator.fingerprint

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The model's own."""
        return self.translator.tokenizer

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's name with its fingerprint."""
        return self.translator.tokenizer_name

    @property
    def languages(self) -> tuple[str, str]:
        """From which language into which."""
        return self.known

    @property
    def parameters(self) -> dict[str, Json]:
        """What the store registers of it."""
        found: dict[str, Json] = {
            "tokenizer": self.tokenizer_name,
            "revision": self.translator.revision,
            "window": self.translator.window,
            "architecture": type(self.translator.module).__name__,
            "languages": [self.translator.source_language, self.translator.target_language],
        }
        if self.translator.supervision:
            found["supervision"] = self.translator.supervision
        return found

    def source(self, text: str) -> Source:
        """A text to translate."""
        encoding = source_of(self.translator, text)
        return Source(encoding, encoding.ids)

    def target(self, text: str) -> Encoding:
        """A translation that is given."""
        return in_vocabulary(self.name, self.tokenizer, target_of(self.translator, text), text)

    def read(self, text: str) -> Encoding | None:
        """A text of its own as its tokenizer reads it."""
        try:
            return target_of(self.translator, text)
        except InputError:
            return None

    def translate(self, sources: Sequence[Source], beams: int, told: Told) -> list[tuple[int, ...]]:
        """Beam search over the sources in batches."""
        before = 0

        def progress(done: int, _total: int) -> None:
            nonlocal before
            told((done - before) / 2)
            before = done

        return generate(self.translator, [source.encoding for source in sources], beams, progress=progress)

    def problem(self, source: Source, target: tuple[int, ...]) -> InputError | None:
        """Too long, or a token outside the vocabulary."""
        found = problem_of(self.translator.module, self.as_translation(source, target))
        return InputError(f"explain a translation by {self.name}", *found) if found else None

    def explain(self, pairs: Sequence[tuple[Source, tuple[int, ...]]], method: str, target: str) -> list[Contributions]:
        """Contributions from teacher-forced passes in batches."""
        return contributions(self.translator.module, [self.as_translation(*pair) for pair in pairs], method, target)

    def as_translation(self, source: Source, target: tuple[int, ...]) -> Translation:
        """A source and a target as attribution takes them."""
        return Translation(source.ids, target, self.translator.forced)


def in_vocabulary(name: str, tokenizer: PreTrainedTokenizerFast, encoding: Encoding, text: str) -> Encoding:
    """A given translation; InputError for a token outside the vocabulary: the model cannot have generated it."""
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown in encoding.ids:
        stranger = text[slice(*encoding.spans[encoding.ids.index(unknown)])]
        found = f"{stranger!r}, which is not in its vocabulary: {text[:40]!r}"
        raise InputError(f"explain a given translation by {name}", found, "leave the text out, or explain the system's own output")
    return encoding
