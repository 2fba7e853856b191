"""Models that are told in words what to do: an encoder-decoder with an instruction (T5), and a decoder alone that goes on from a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from workbench import fingerprint
from workbench.attribution.contributions import BUDGET, Contributions
from workbench.attribution.prompted import Prompted, problem_of, prompted
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.fingerprint import Json
from workbench.models.continuation import continuations
from workbench.models.encode import encode
from workbench.models.model import UNLIMITED, Model
from workbench.pipeline.translation.systems import Languages, Pair, Source, halves, in_vocabulary
from workbench.pipeline.worker import Told

SOURCE = "{source}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads, with `{source}` in it, where the text to translate stands."""

    text: str

    @property
    def name(self) -> str:
        """A short name that tells prompts apart."""
        return fingerprint.of_json(self.text)[:8]

    def around(self, source: str) -> tuple[str, int]:
        """The whole text with a source in it, and where the source begins."""
        before, _, after = self.text.partition(SOURCE)
        return before + source + after, len(before)

    def within(self, encoding: Encoding, source: str) -> tuple[int, int]:
        """The span of tokens of a source in the encoding of the whole text; InputError where it has none."""
        _, start = self.around(source)
        inside = [place for place, span in enumerate(encoding.spans) if span[0] < span[1] and overlap(span, (start, start + len(source)))]
        if not inside:
            raise InputError("encode a text", f"no token in {source[:40]!r}", "leave out texts without words")
        return inside[0], inside[-1] + 1

    def seen(self, encoding: Encoding, source: str, *, instruction: bool) -> Encoding:
        """The encoding with spans in the source alone: the instruction's tokens are special, or left out."""
        start, end = self.within(encoding, source)
        _, first = self.around(source)
        spans = [
            (max(0, left - first), min(len(source), right - first)) if start <= place < end else (0, 0)
            for place, (left, right) in enumerate(encoding.spans)
        ]
        special = [hidden or not start <= place < end for place, hidden in enumerate(encoding.special)]
        kept = slice(0, len(encoding)) if instruction else slice(start, end)
        return Encoding(encoding.ids[kept], encoding.tokens[kept], tuple(spans[kept]), tuple(special[kept]))


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two spans share a character."""
    return max(one[0], other[0]) < min(one[1], other[1])


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder without an encoder that translates from a prompt: the source is a span of what it reads."""

    model: Model
    prompt: Prompt
    name: str
    languages: Languages

    @property
    def fingerprint(self) -> str:
        """The model's."""
        return self.model.fingerprint

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's own."""
        return self.model.tokenizer

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer and the prompt that texts are cut in."""
        return f"{self.model.name}@{self.model.fingerprint[:12]}/{self.prompt.name}"

    @property
    def parameters(self) -> dict[str, Json]:
        """What the store registers of it."""
        return {
            "tokenizer": self.tokenizer_name, "revision": self.model.revision, "window": self.model.window,
            "architecture": type(self.model.module).__name__, "languages": list(self.languages),
        }  # fmt: skip

    @property
    def window(self) -> int:
        """Tokens that prompt and translation can have together."""
        return self.model.window or UNLIMITED

    def source(self, text: str) -> Source:
        """A text to translate, in the prompt."""
        if not text.strip():
            raise InputError("encode a text", f"no token in {text[:40]!r}", "leave out texts without words")
        asked = self.prompt.around(text)[0]
        whole = self.whole(asked)
        return Source(self.prompt.seen(whole, text, instruction=False), whole.ids, self.prompt.within(whole, text), asked)

    def whole(self, text: str) -> Encoding:
        """Tokens of a text without the end that some tokenizers add; InputError for one that is longer than the window."""
        found = encode(self.tokenizer, text, self.window)
        if found.coverage < 1:
            problem = f"more than the {self.window} tokens that the model allows: {text[:40]!r}"
            raise InputError(f"encode a text for {self.name}", problem, "split the text into sentences or leave it out")
        count = len(found)
        while count and found.special[count - 1]:
            count -= 1
        return Encoding(found.ids[:count], found.tokens[:count], found.spans[:count], found.special[:count])

    def target(self, source: Source, text: str) -> Encoding:
        """A translation as the prompt goes on with it; InputError where its first token begins in the prompt."""
        before, count = len(source.prompt), len(source.ids)
        found = self.whole(source.prompt + text)
        if found.ids[:count] != source.ids:
            problem = f"a first token that begins in the prompt: {text[:40]!r}"
            raise InputError(f"explain a given translation by {self.name}", problem, "end the prompt with a line break")
        spans = tuple((max(0, start - before), max(0, end - before)) for start, end in found.spans[count:])
        given = Encoding(found.ids[count:], found.tokens[count:], spans, found.special[count:])
        return in_vocabulary(self.name, self.tokenizer, given, text)

    def read(self, source: Source, text: str) -> Encoding | None:
        """A text of its own as its tokenizer reads it behind the prompt."""
        try:
            return self.target(source, text)
        except InputError:
            return None

    def translate(self, sources: Sequence[Source], beams: int, told: Told) -> list[tuple[int, ...]]:
        """Beam search behind the prompts."""
        lengths = [len(source.encoding) for source in sources]
        return continuations(self.model.module, self.tokenizer, [source.ids for source in sources], lengths, beams, progress=halves(told))

    def problem(self, source: Source, target: tuple[int, ...]) -> InputError | None:
        """Too long, or a token outside the vocabulary."""
        found = problem_of(self.model.module, as_prompted(source, target))
        return InputError(f"explain a translation by {self.name}", *found) if found else None

    def explain(self, pairs: Sequence[Pair], method: str, target: str, budget: int = BUDGET) -> list[Contributions]:
        """Contributions of the source's span and of the generated tokens."""
        return prompted(self.model.module, [as_prompted(*pair) for pair in pairs], method, target, budget=budget)


def as_prompted(source: Source, target: tuple[int, ...]) -> Prompted:
    """A source and a target as attribution takes them."""
    assert source.span is not None
    return Prompted(source.ids, source.span, target)
