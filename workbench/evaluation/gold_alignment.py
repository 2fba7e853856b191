"""Alignment error rate of a translation model's contributions on sentences whose words people aligned, for every method and reading.

The model reads the source, is given the reference as prefix, and every target word is linked to the source word of largest score. A human
alignment says what belongs together, not what the model used; the figure rewards the right layer and the right convention more than
faithfulness, so all readings are told, and the diagonal beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from workbench import corpora
from workbench.attribution.alignment import CONVENTIONS, Link, best_links, word_alignment
from workbench.attribution.contributions import METHODS, contributions
from workbench.attribution.translations import Translation, problem_of
from workbench.document import Document, Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation.similarity_alignment import blank_words
from workbench.evaluation.threads import one_thread
from workbench.models.translation import Translator, source_of, target_of

RESAMPLES = 500
DIAGONAL = "diagonal"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class GoldPair:
    """A sentence and its translation as the model encodes them, and the links of their words by number: sure ones, and all allowed."""

    texts: tuple[str, str]
    encodings: tuple[Encoding, Encoding]
    sure: frozenset[Link]
    allowed: frozenset[Link]


def gold_alignment(
    translator: Translator, corpus: str = "hansards-alignments", *, split: str | None = None, limit: int | None = None,
    methods: Sequence[str] = METHODS, target: str = "token", progress: Progress | None = None,
) -> pl.DataFrame:  # fmt: skip
    """One row for each method, convention and correction: error rate with its interval over sentences, links, seconds a sentence.

    `left_out` counts sentences that the model cannot take. Raises InputError where none is left.
    """
    documents = list(corpora.read(corpora.find(corpus), split, limit))
    pairs = [pair for document in documents if (pair := gold_pair(translator, document)) is not None]
    if not pairs:
        raise InputError(f"align the corpus {corpus}", f"no sentence that {translator.name} can take", "use another model or corpus")
    shared = {"corpus": corpus, "sentences": len(pairs), "left_out": len(documents) - len(pairs)}
    rows = [{"method": DIAGONAL, "convention": "", "corrected": False, **error(pairs, map(diagonal, pairs)), "seconds": 0.0, **shared}]
    translations = [Translation(one.encodings[0].ids, one.encodings[1].ids, translator.forced) for one in pairs]
    for done, method in enumerate(methods):

        def told(sentences: int, of: int, begun: int = done) -> None:
            if progress is not None:
                progress(f"align {corpus}", begun * of + sentences, len(methods) * of)

        before = process_time()
        with one_thread():
            found = contributions(translator.module, translations, method, target, progress=told)
        seconds = (process_time() - before) / len(pairs)
        for convention in CONVENTIONS:
            for corrected in (False, True):
                links = (
                    best_links(word_alignment(one, sides(pair, 0), sides(pair, 1), corrected=corrected, convention=convention))
                    for one, pair in zip(found, pairs, strict=True)
                )
                rows.append({"method": method, "convention": convention, "corrected": corrected, **error(pairs, links), "seconds": seconds,
                             **shared})  # fmt: skip
    return pl.DataFrame(rows)


def gold_pair(translator: Translator, document: Document) -> GoldPair | None:
    """A document with gold links as the model takes it, None where it cannot."""
    texts = document.segments["source"], document.segments["reference"]
    try:
        encodings = source_of(translator, texts[0]), target_of(translator, texts[1])
    except InputError:
        return None
    if problem_of(translator.module, Translation(encodings[0].ids, encodings[1].ids, translator.forced)) is not None:
        return None
    places = [{word.char_start: word.index for word in blank_words(text)} for text in texts]
    given = document.metadata.get("interactions")
    links: dict[Link, str] = {}
    for item in given if isinstance(given, list) else []:
        if isinstance(item, Mapping):
            ends = [[known[int(start)] for start, _ in pairs_of(item.get(key))] for key, known in zip("ab", places, strict=True)]
            links |= {(left, right): str(item.get("type")) for left in ends[0] for right in ends[1]}
    return GoldPair(texts, encodings, frozenset(link for link, kind in links.items() if kind == "sure"), frozenset(links))


def pairs_of(spans: object) -> list[tuple[int, int]]:
    """Spans of a link as pairs of numbers."""
    return [(int(start), int(end)) for start, end in spans] if isinstance(spans, list) else []


def sides(pair: GoldPair, side: int) -> tuple[Encoding, tuple[Word, ...]]:
    """Encoding and words of the source (0) or the reference (1)."""
    return pair.encodings[side], blank_words(pair.texts[side])


def diagonal(pair: GoldPair) -> set[Link]:
    """Every target word with the source word at the same share of the sentence: what needs no model."""
    source, target = (len(text.split()) for text in pair.texts)
    return {(min(source - 1, (2 * place + 1) * source // (2 * target)), place) for place in range(target)}


def error(pairs: Sequence[GoldPair], found: Iterable[set[Link]]) -> dict[str, float]:
    """Error rate over all sentences and its 95 % interval, and the number of links. Source: Och and Ney 2003."""
    counts = np.array([
        (len(links & pair.sure) + len(links & pair.allowed), len(links) + len(pair.sure), len(links))
        for links, pair in zip(found, pairs, strict=True)
    ], dtype=np.float64)  # fmt: skip

    def rate(right: NDArray[np.float64], asked: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        result: NDArray[np.float64] = 1 - right.sum(axis) / np.maximum(asked.sum(axis), 1)
        return result

    low = high = float("nan")
    if len(counts) > 1:
        interval = stats.bootstrap(
            (counts[:, 0], counts[:, 1]), rate, paired=True, vectorized=True, method="percentile", n_resamples=RESAMPLES,
            rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        low, high = float(interval.low), float(interval.high)
    return {"error_rate": float(rate(counts[:, 0], counts[:, 1])), "low": low, "high": high, "links": float(counts[:, 2].sum())}
