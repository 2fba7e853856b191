"""A model with an encoder of its own: Marian, M2M-100, NLLB, mBART, and with an instruction around the source T5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from workbench.attribution.contributions import BUDGET, Contributions, contributions
from workbench.attribution.translations import Translation, problem_of
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.fingerprint import Json
from workbench.models.translation import generate, source_of, target_of
from workbench.models.translator import Translator
from workbench.pipeline.translation.prompt import Prompt
from workbench.pipeline.translation.systems import Languages, Pair, Source, halves, in_vocabulary
from workbench.pipeline.worker import Told


@dataclass(frozen=True, slots=True)
class EncoderDecoder:
    """A translation model between two languages as the corpus names them; tokens of a prompt around the source count as special."""

    translator: Translator
    name: str
    languages: Languages
    prompt: Prompt | None = None

    @property
    def fingerprint(self) -> str:
        """That of the model between its languages."""
        return self.translator.fingerprint

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's own."""
        return self.translator.tokenizer

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's name with its fingerprint, and the prompt that texts are cut in."""
        return self.translator.tokenizer_name + (f"/{self.prompt.name}" if self.prompt else "")

    @property
    def parameters(self) -> dict[str, Json]:
        """What the store registers of it."""
        model = self.translator
        found: dict[str, Json] = {
            "tokenizer": self.tokenizer_name, "revision": model.revision, "window": model.window,
            "architecture": type(model.module).__name__, "languages": [model.source_language, model.target_language],
        }  # fmt: skip
        return found | ({"supervision": model.supervision} if model.supervision else {})

    def source(self, text: str) -> Source:
        """A text to translate, in its prompt where there is one."""
        if self.prompt is None:
            encoding = source_of(self.translator, text)
            return Source(encoding, encoding.ids)
        whole = source_of(self.translator, self.prompt.around(text)[0])
        return Source(self.prompt.seen(whole, text, instruction=True), whole.ids)

    def target(self, _source: Source, text: str) -> Encoding:
        """A translation that is given."""
        return in_vocabulary(self.name, self.tokenizer, target_of(self.translator, text), text)

    def read(self, _source: Source, text: str) -> Encoding | None:
        """A text of its own as its tokenizer reads it."""
        try:
            return target_of(self.translator, text)
        except InputError:
            return None

    def translate(self, sources: Sequence[Source], beams: int, told: Told) -> list[tuple[int, ...]]:
        """Beam search over the sources in batches."""
        return generate(self.translator, [source.encoding for source in sources], beams, progress=halves(told))

    def problem(self, source: Source, target: tuple[int, ...]) -> InputError | None:
        """Too long, or a token outside the vocabulary."""
        found = problem_of(self.translator.module, self.as_translation(source, target))
        return InputError(f"explain a translation by {self.name}", *found) if found else None

    def explain(self, pairs: Sequence[Pair], method: str, target: str, budget: int = BUDGET) -> list[Contributions]:
        """Contributions from teacher-forced passes in batches."""
        return contributions(self.translator.module, [self.as_translation(*pair) for pair in pairs], method, target, budget=budget)

    def as_translation(self, source: Source, target: tuple[int, ...]) -> Translation:
        """A source and a target as attribution takes them."""
        return Translation(source.ids, target, self.translator.forced)
