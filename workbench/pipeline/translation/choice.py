"""Which systems translate a document: those of its languages, each model loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workbench import fingerprint
from workbench.corpora import language_of
from workbench.document import Document
from workbench.errors import InputError
from workbench.models.translator import Translator, codes, load_unspoken, multilingual, speaking
from workbench.pipeline.declaration import ModelChoice, Pipeline, TranslationChoice
from workbench.pipeline.translation.systems import EncoderDecoder, System

#: From which language into which, as the corpus names them, "" where it does not.
Languages: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unfit:
    """What stands in the place of a system for documents that none can translate, and why."""

    name: str
    fingerprint: str
    error: InputError


class Systems:
    """The systems of a pipeline; a multilingual model is one for each pair of languages, with the same weights."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.choice = pipeline.translation or TranslationChoice()
        self.names = tuple(dict.fromkeys((pipeline.model.name, *self.choice.systems)))
        self.models = {name: loaded(name, pipeline.model) for name in self.names}
        self.known: dict[Languages, list[System | Unfit]] = {}

    @property
    def weights(self) -> list[str]:
        """What all models are, whatever languages they are asked for."""
        return [model.weights for model in self.models.values()]

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
        found = [system for name, model in self.models.items() if (system := self.system(name, model, pair)) is not None]
        if found:
            return found
        there = ", ".join(f"{model.name} ({model.source_language}-{model.target_language})" for model in self.models.values())
        error = InputError(
            f"translate {pair[0] or 'an unknown language'} into {pair[1] or 'an unknown language'}",
            f"systems {there}",
            "name a model of these languages under [model] or [translation] systems, or leave the languages out under [corpus]",
        )
        return [Unfit("-".join(pair), fingerprint.of_json(self.weights), error)]

    def system(self, name: str, model: Translator, pair: Languages) -> System | Unfit | None:
        """One model between two languages; None where it is for others."""
        if not multilingual(model.tokenizer):
            own = (model.source_language, model.target_language)
            fits = all(not asked or not given or asked == given for asked, given in zip(pair, own, strict=True))
            return EncoderDecoder(model, model.name, pair) if fits else None
        known = codes(model.tokenizer)
        named = [self.choice.codes.get(language, language) for language in pair]
        if unknown := [language for language, code in zip(pair, named, strict=True) if code not in known]:
            asked = f"translate {' into '.join(language or 'an unknown language' for language in pair)} by {name}"
            found = f"no code for {unknown[0] or 'it'} among the model's {len(known)}, such as {', '.join(known[:6])}"
            remedy = f'declare it under [translation.codes]: {unknown[0] or "fr"} = "…"'
            return Unfit(f"{model.name}/{'-'.join(pair)}", fingerprint.of_json([model.name, *named]), InputError(asked, found, remedy))
        return EncoderDecoder(speaking(model, *named), f"{model.name}/{'-'.join(named)}", pair)


def loaded(name: str, chosen: ModelChoice) -> Translator:
    """A model of the pipeline; one of many languages waits for them."""
    revision = chosen.revision if name == chosen.name else None
    model = load_unspoken(name, revision=revision, precision=chosen.precision)
    return model if multilingual(model.tokenizer) else speaking(model, None, None)
