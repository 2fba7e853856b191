"""Which systems translate a document: those of its languages, each model loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench import fingerprint
from workbench.corpora import language_of
from workbench.document import Document
from workbench.errors import InputError
from workbench.models.model import Model, is_encoder_decoder, load_model
from workbench.models.translator import Translator, codes, load_unspoken, multilingual, speaking, unknown
from workbench.pipeline.declaration import ModelChoice, Pipeline, TranslationChoice
from workbench.pipeline.translation.prompt import Decoder, Prompt
from workbench.pipeline.translation.sequence import EncoderDecoder
from workbench.pipeline.translation.systems import Languages, System


@dataclass(frozen=True, slots=True)
class Unfit:
    """What stands in the place of a system for documents that none can translate, and why."""

    name: str
    fingerprint: str
    error: InputError


class Systems:
    """The systems of a pipeline; a multilingual model is one for each pair of languages, with the same weights."""

    def __init__(self, pipeline: Pipeline, device: str = "cpu") -> None:
        self.choice = pipeline.translation or TranslationChoice()
        self.names = tuple(dict.fromkeys((pipeline.model.name, *self.choice.systems)))
        self.models = {name: loaded(name, pipeline.model, self.choice, device) for name in self.names}
        self.known: dict[Languages, list[System | Unfit]] = {}

    @property
    def weights(self) -> list[str]:
        """What all models are, whatever languages they are asked for."""
        return [model.weights if isinstance(model, Translator) else model.fingerprint for model in self.models.values()]

    def of(self, document: Document) -> Sequence[System | Unfit]:
        """What translates a document; where nothing does, the reason in its place."""
        pair = (language_of(document, "source") or "", language_of(document, "reference") or "")
        if pair not in self.known:
            self.known[pair] = self.between(pair)
        return self.known[pair]

    def meet(self, documents: Sequence[Document]) -> None:
        """Makes ready for the languages of these documents."""
        for document in documents:
            self.of(document)

    def met(self) -> list[System]:
        """The systems that were asked for so far, each once."""
        return list({one.name: one for found in self.known.values() for one in found if not isinstance(one, Unfit)}.values())

    def between(self, pair: Languages) -> list[System | Unfit]:
        """The systems from one language into another."""
        found = [system for model in self.models.values() if (system := self.system(model, pair)) is not None]
        if found:
            return found
        there = ", ".join(f"{model.name} ({'-'.join(languages_of(model))})" for model in self.models.values())
        error = InputError(
            f"translate {pair[0] or 'an unknown language'} into {pair[1] or 'an unknown language'}",
            f"systems {there}",
            "name a model of these languages under [model] or [translation] systems, or leave the languages out under [corpus]",
        )
        return [Unfit("-".join(pair), fingerprint.of_json(self.weights), error)]

    def system(self, model: Translator | Model, pair: Languages) -> System | Unfit | None:
        """One model between two languages; None where it is for others."""
        if isinstance(model, Model):
            name, prompt = self.prompted(model.name, pair)
            assert prompt is not None
            return Decoder(model, prompt, name, pair)
        if multilingual(model.tokenizer):
            return self.spoken(model, pair)
        fits = all(not asked or not given or asked == given for asked, given in zip(pair, languages_of(model), strict=True))
        return self.plain(model, pair) if fits else None

    def plain(self, model: Translator, pair: Languages) -> System:
        """A model of one pair of languages, or one that only its prompt tells what to do."""
        name, prompt = self.prompted(model.name, pair)
        return EncoderDecoder(model, name, pair, prompt)

    def prompted(self, name: str, pair: Languages) -> tuple[str, Prompt | None]:
        """A model's name and prompt between two languages; languages that a prompt names are part of the system's name."""
        if self.choice.prompt is None:
            return name, None
        words = [self.choice.codes.get(language, language) for language in pair]
        text = self.choice.prompt.replace("{from}", words[0]).replace("{into}", words[1])
        return (name if text == self.choice.prompt else f"{name}/{'-'.join(pair)}"), Prompt(text)

    def spoken(self, model: Translator, pair: Languages) -> System | Unfit:
        """A model of many languages between two of them."""
        known = codes(model.tokenizer)
        named = [self.choice.codes.get(language, language) for language in pair]
        if lacking := unknown(model.tokenizer, *named):
            asked = f"translate {' into '.join(language or 'an unknown language' for language in pair)} by {model.name}"
            language = pair[0] if lacking[0][0] == "source" else pair[1]
            found = f"no code for {language or 'it'} among the model's {len(known)}, such as {', '.join(known[:6])}"
            remedy = f'declare it under [translation.codes]: {language or "fr"} = "…"'
            return Unfit(f"{model.name}/{'-'.join(pair)}", fingerprint.of_json([model.name, *named]), InputError(asked, found, remedy))
        name = f"{model.name}/{'-'.join(named)}"
        return EncoderDecoder(speaking(model, *named), name, pair, self.prompted(model.name, pair)[1])


def languages_of(model: Translator | Model) -> Languages:
    """From which language into which a model translates, "" where it does not say."""
    return (model.source_language, model.target_language) if isinstance(model, Translator) else ("", "")


def loaded(name: str, chosen: ModelChoice, choice: TranslationChoice, device: str) -> Translator | Model:
    """A model of the pipeline; one of many languages waits for them, a decoder without an encoder needs a prompt."""
    revision = chosen.revision if name == chosen.name else None
    if choice.prompt is not None and not is_encoder_decoder(name, revision):
        return load_model(name, revision=revision, precision=chosen.precision, device=device)
    model = load_unspoken(name, revision=revision, precision=chosen.precision, device=device)
    return model if multilingual(model.tokenizer) else speaking(model, None, None)
