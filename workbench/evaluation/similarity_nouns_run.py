"""The noun encoder trained and asked: pairs of the STS benchmark, tagged by the embedded English pipeline, or generated sentences.

STS-B: trained on pairs of its train split, asked on its test split, of which a pair is used whose nouns were all met in training (an
unknown word is one token for all, which no method could tell apart). Generated: the grammar of `agreement_language`, whose nouns are known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats
from torch import nn

from workbench import corpora
from workbench.annotation import annotator
from workbench.errors import InputError
from workbench.evaluation.agreement_language import ALL_NOUNS, sentence
from workbench.evaluation.agreement_words import VOCABULARY
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.similarity_encoder import Array
from workbench.evaluation.similarity_methods import METHODS, Computed, named
from workbench.evaluation.similarity_nouns import (
    NOUNS,
    NounSettings,
    Progress,
    Tagged,
    TaggedPair,
    encoding_of,
    products,
    train,
    truth,
    usable,
    vocabulary,
)
from workbench.evaluation.similarity_pairs import STSB, texts_of
from workbench.fingerprint import Json

#: Reported by Vasileiou and Eberle 2024 for an encoder of their own.
PUBLISHED = {"bilrp_embeddings": 0.81, "embedding_squares": 0.67, "hessian_x_product": 0.62}
#: Generated pairs to train on; of pairs that share no noun one in so many is kept.
GENERATED, KEPT = 3000, 20


@dataclass(frozen=True, slots=True)
class NounStudy:
    """What the encoder learnt (Spearman, share of exact counts after rounding) and how far each method agrees with its reasons."""

    source: str
    words: int
    pairs: int
    spearman: float
    trained_spearman: float
    exact: float
    agreement: pl.DataFrame
    seconds: float

    def row(self) -> dict[str, Json]:
        """All figures for JSON."""
        return {
            "source": self.source, "words": self.words, "pairs": self.pairs, "spearman": self.spearman,
            "trained_spearman": self.trained_spearman, "exact": self.exact, "seconds": self.seconds, "agreement": self.agreement.to_dicts(),
        }  # fmt: skip


def noun_study(
    settings: NounSettings, methods: Sequence[str] = tuple(METHODS), left_out: list[str] | None = None, progress: Progress = lambda *_: None
) -> NounStudy:
    """Trains the encoder and measures every method on held-out pairs with a shared noun; `left_out` is told where STS-B is not at hand."""
    before = time.process_time()
    try:
        (training, held_out), source = tagged_pairs(), f"{STSB}, train and test"
    except InputError as error:
        if left_out is not None:
            left_out.append(f"{STSB}: {error.found}; the noun encoder learns from generated sentences")
        (training, held_out), source = generated_pairs(settings.seed), "generated sentences"
    training = usable(training, settings)
    words = vocabulary(training, settings.rarest)
    met = frozenset(word for pair in training for text in pair for word in text.types if word in words)
    asked = [pair for pair in usable(held_out, settings) if all(text.types <= met for text in pair)]
    model = train(training, words, settings, progress)
    random = np.random.default_rng(settings.seed)
    known = [training[place] for place in random.permutation(len(training))[: len(asked)].tolist()]
    found, learnt = (judged(model, chosen, words) for chosen in (asked, known))
    sharing = [pair for pair in asked if pair[0].types & pair[1].types]
    chosen = [sharing[place] for place in sorted(random.permutation(len(sharing))[: settings.pairs].tolist())]
    return NounStudy(
        source=source,
        words=len(words),
        pairs=len(chosen),
        spearman=found[0],
        trained_spearman=learnt[0],
        exact=found[1],
        agreement=agreement(model, chosen, words, methods, settings.seed),
        seconds=time.process_time() - before,
    )


def judged(model: nn.Module, pairs: Sequence[TaggedPair], words: dict[str, int]) -> tuple[float, float]:
    """Spearman correlation of the encoder's products with the number of shared nouns, and the share of pairs where they round to it."""
    got = products(model, [(encoding_of(left, words), encoding_of(right, words)) for left, right in pairs])
    wanted = np.array([len(left.types & right.types) for left, right in pairs])
    return float(stats.spearmanr(got, wanted).statistic), float((np.round(got) == wanted).mean())


def agreement(model: nn.Module, pairs: Sequence[TaggedPair], words: dict[str, int], methods: Sequence[str], seed: int = 0) -> pl.DataFrame:
    """Mean cosine of each method's cells with the true ones, its interval over pairs, and the published figure where there is one."""
    encoded = [(encoding_of(left, words), encoding_of(right, words)) for left, right in pairs]
    computed = Computed(model, list(dict.fromkeys(text for pair in encoded for text in pair)))
    known = [truth(*pair) for pair in pairs]
    found = []
    for name, method in named(methods).items():
        rows = computed.rows(method)
        cells = [method.cells(rows[left].tokens, rows[right].tokens) for left, right in encoded]
        values = np.array([cosine(own, true) for own, true in zip(cells, known, strict=True)])
        low, high = mean_interval(values, seed)
        found.append({"method": name, "cosine": float(values.mean()), "low": low, "high": high, "published": PUBLISHED.get(name)})
    return pl.DataFrame(found, schema_overrides={"published": pl.Float64}).sort("cosine", descending=True)


def cosine(cells: Array, true: Array) -> float:
    """The cosine of two matrices as vectors; 0 where all cells are 0."""
    length = float(np.linalg.norm(cells) * np.linalg.norm(true))
    return float((cells * true).sum() / length) if length else 0.0


def tagged_pairs() -> tuple[list[TaggedPair], list[TaggedPair]]:
    """Pairs of the STS benchmark's train and test split, tagged. Raises InputError where it is not at hand."""
    splits = [list(corpora.read(corpora.find(STSB), split, languages="en")) for split in ("train", "test")]
    texts = list(dict.fromkeys(text for split in splits for document in split for text in texts_of(document)))
    tagged = {
        text: Tagged(tuple(word.form.lower() for word in words), tuple(word.upos in NOUNS for word in words))
        for text, words in zip(texts, annotator("english").annotate(texts), strict=True)
    }
    training, held_out = ([(tagged[left], tagged[right]) for left, right in map(texts_of, split)] for split in splits)
    return training, held_out


def generated_pairs(seed: int, count: int = GENERATED) -> tuple[list[TaggedPair], list[TaggedPair]]:
    """Pairs of generated sentences, most of which share a noun, to train on and one in five more to ask."""
    random = np.random.default_rng([seed, 2])
    nouns = frozenset(form for noun in ALL_NOUNS for form in noun.forms)

    def drawn() -> Tagged:
        words = tuple(VOCABULARY[number] for number in sentence(random)[1:])
        return Tagged(words, tuple(word in nouns for word in words))

    found: list[TaggedPair] = []
    while len(found) < count + count // 5:
        pair = (drawn(), drawn())
        if pair[0].types & pair[1].types or random.integers(KEPT) == 0:
            found.append(pair)
    return found[:count], found[count:]
