"""Pairs of the STS benchmark with the similarity that people gave them, within and across languages."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.training.multilingual_encoder.rows import LANGUAGES, spelled
from pipelines.training.multilingual_encoder.sources import held_out
from workbench.corpora import find, read

SHOWN = ("en", "de", "fr", "es", "en-de", "en-fr", "en-es", "de-fr", "de-es", "fr-es")


@dataclass(frozen=True)
class Pair:
    """Both sentences by language, and the similarity between 0 and 5."""

    first: dict[str, str]
    second: dict[str, str]
    similarity: float


def benchmark(split: str) -> list[Pair]:
    """The pairs of a split in all languages, in the order of the rows."""
    columns = [list(read(find("stsb-multilingual"), split, languages=language)) for language in LANGUAGES]
    pairs = []
    for documents in zip(*columns, strict=True):
        sides = [{str(document.language): document.segments[role] for document in documents} for role in ("text_a", "text_b")]
        value = documents[0].metadata["similarity"]
        assert isinstance(value, int | float)
        pairs.append(Pair(sides[0], sides[1], float(value)))
    return pairs


def training_pairs() -> list[Pair]:
    """Pairs of the training split neither sentence of which stands in the development or test split, in any language."""
    forbidden = held_out()
    return [
        pair
        for pair in benchmark("train")
        if forbidden.isdisjoint(spelled(text) for side in (pair.first, pair.second) for text in side.values())
    ]


def sides(pairs: list[Pair], languages: str) -> tuple[list[str], list[str]]:
    """First and second texts in the languages asked for: `en`, or `en-de` for a first text in English and a second in German."""
    first, _, second = languages.partition("-")
    return [pair.first[first] for pair in pairs], [pair.second[second or first] for pair in pairs]
