"""The annotators of a pipeline, one for all texts or one for each language, loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.annotation.annotator import Annotator, annotator
from workbench.document import Word
from workbench.errors import PipelineError
from workbench.pipeline.declaration import AnnotationChoice


class Annotators:
    """Which annotator finds the words of a text in which language."""

    def __init__(self, choice: AnnotationChoice) -> None:
        self.choice = choice
        self.loaded: dict[str, Annotator] = {}

    def of(self, language: str | None) -> Annotator:
        """The annotator of a language; PipelineError where the pipeline declares none."""
        name = self.choice.languages.get(language or "", self.choice.pipeline)
        if name is None:
            found = f"annotators for {', '.join(self.choice.languages)}"
            remedy = f'declare one under [annotation.languages] ({language} = "blank:{language}" finds words alone)'
            raise PipelineError(f"annotate a text in {language or 'an unknown language'}", found, remedy)
        if name not in self.loaded:
            self.loaded[name] = annotator(name)
        return self.loaded[name]

    def all(self) -> list[Annotator]:
        """Every annotator that is declared."""
        languages = list(self.choice.languages)
        return [self.of(language) for language in ([*languages, None] if self.choice.pipeline else languages)]

    def annotate(self, texts: Sequence[str], languages: Sequence[str | None]) -> list[list[Word]]:
        """Words of each text by the annotator of its language."""
        words: list[list[Word]] = [[] for _ in texts]
        for language in dict.fromkeys(languages):
            places = [place for place, one in enumerate(languages) if one == language]
            found = self.of(language).annotate([texts[place] for place in places])
            for place, of_text in zip(places, found, strict=True):
                words[place] = of_text
        return words
