"""The work of one job of pairs, a pure function from documents to a batch.

1. Each text once, however often it stands in a pair: tokens, words, and its factors from one forward pass of streams.
2. Each pair: products of factors are its cells; three explanations, of the pair and of either text, with ledgers that close.

What fails (a text that cannot be encoded, is longer than the model's window, or has factors that are not finite) is recorded, and the
job goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.attribution.factors import BUDGET, factors
from workbench.attribution.words import unit_factors
from workbench.batch import Batch
from workbench.corpora import language_of
from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.interaction import Factors
from workbench.models.encode import encode, tokenizer_losses
from workbench.models.encoder import Encoder
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline, SimilarityChoice
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.similarity.cells import (
    Side,
    add_cells,
    add_factors,
    add_token_sums,
    pair_ledger,
    similarity,
    sums_and_cells,
    text_ledger,
)
from workbench.pipeline.similarity.matching import Translations, matched


@dataclass(frozen=True, slots=True)
class Text:
    """One text as a model and an annotator see it, whatever pairs it stands in."""

    encoding: Encoding
    words: Sequence[Word]
    factors: Factors


#: Texts of a job by (text, language); None takes the place of one that failed, with the error.
Texts = dict[tuple[str, str | None], Text | InputError]


def work(
    job: Sequence[Wanted],
    encoder: Encoder,
    annotators: Annotators,
    translations: Translations,
    pipeline: Pipeline,
    *,
    budget: int = BUDGET,
) -> Batch:
    """Explains the pairs of one job, what failed is in its failures; `budget` as for `factors`."""
    choice = pipeline.similarity or SimilarityChoice()
    texts = explained_texts(job, encoder, annotators, choice, budget)
    rows = Rows()
    for item in job:
        try:
            sides = [side_of(item, role, texts, choice.measure) for role in item.role.split("~")]
        except InputError as error:
            rows.failure(item.document, item.fingerprint, "explain" if "factors" in error.found else "encode", error)
        else:
            add_pair(rows, item, sides[0], sides[1], encoder, annotators, translations, pipeline)
    return rows.batch()


def explained_texts(job: Sequence[Wanted], encoder: Encoder, annotators: Annotators, choice: SimilarityChoice, budget: int) -> Texts:
    """Every different text of a job with its tokens, words and factors."""
    texts: Texts = {}
    encodings: dict[tuple[str, str | None], Encoding] = {}
    for item in job:
        for role, text in item.document.segments.items():
            key = (text, language_of(item.document, role))
            if key in texts or key in encodings:
                continue
            try:
                encodings[key] = whole(encode(encoder.tokenizer, text, encoder.window), encoder, choice)
            except InputError as error:
                texts[key] = error
    keys = list(encodings)
    words = annotators.annotate([text for text, _ in keys], [language for _, language in keys])
    found = factors(encoder.module, list(encodings.values()), choice.composite, precision=choice.streams, budget=budget)
    for key, of_text, made in zip(keys, words, found, strict=True):
        texts[key] = Text(encodings[key], of_text, made) if finite(made) else not_finite(key[0])
    return texts


def whole(encoding: Encoding, encoder: Encoder, choice: SimilarityChoice) -> Encoding:
    """An encoding of a whole text; InputError for one that was cut, unless cuts are asked for."""
    if encoding.coverage < 1.0 and choice.long == "refuse":
        found = f"more than the {encoder.window} tokens that {encoder.name} sees ({encoding.coverage:.0%} of the text)"
        remedy = 'split it, declare [retrieval] (passages are read in windows), or accept the cut: long = "cut" under [similarity]'
        raise InputError("explain a similarity", found, remedy)
    return encoding


def finite(made: Factors) -> bool:
    """Whether every number of a text's factors is finite."""
    return all(bool(np.isfinite(part).all()) for part in (made.tokens, made.positions, made.biases, made.absorbed, made.embedding))


def not_finite(text: str) -> InputError:
    """The error of a text whose factors cannot be kept."""
    return InputError("explain a similarity", f"factors that are not finite for {text[:40]!r}", "explain it in float64")


def side_of(item: Wanted, role: str, texts: Texts, measure: str) -> Side:
    """One text of a pair; InputError where it failed."""
    language = language_of(item.document, role)
    text = texts[item.document.segments[role], language]
    if isinstance(text, InputError):
        raise text
    units = unit_factors(text.factors, text.encoding, text.words, measure)
    return Side(role, language, text.encoding, text.words, text.factors, units)


def add_pair(
    rows: Rows,
    item: Wanted,
    left: Side,
    right: Side,
    encoder: Encoder,
    annotators: Annotators,
    translations: Translations,
    pipeline: Pipeline,
) -> None:
    """Adds all that is kept of one pair."""
    choice = pipeline.similarity or SimilarityChoice()
    document = rows.document(item.document)
    cells, *sums = sums_and_cells(left, right)
    target = similarity(left, right, choice.measure)
    shared: dict[str, Any] = {
        "document": document,
        "model": encoder.name,
        "member_of": None,
        "composite": choice.composite,
        "target": choice.measure,
        "label": None,
        "precision": choice.streams if choice.streams == "bfloat16" else pipeline.model.precision,
    }
    ledger = pair_ledger(target, left, right, cells)
    coverage = min(left.coverage, right.coverage)
    pair = rows.explanation(ledger, fingerprint=item.fingerprint, role=item.role, coverage=coverage, **shared)
    known = translations(left.language or "", right.language or "") if left.language != right.language else frozenset()
    add_cells(rows, pair, left, right, cells, matched(left.words, right.words, known), choice.strongest)
    for side, other, own in ((left, right, sums[0]), (right, left, sums[1])):
        text = item.document.segments[side.role]
        rows.segment(document, side.role, text, side.words, annotators.of(side.language))
        rows.tokens(document, side.role, encoder.tokenizer_name, side.encoding)
        rows.losses(document, side.role, encoder.name, tokenizer_losses(encoder.tokenizer, text, side.encoding))
        name = f"{item.fingerprint}/{side.role}"
        one = rows.explanation(text_ledger(target, side, own), fingerprint=name, role=side.role, coverage=side.coverage, **shared)
        add_token_sums(rows, one, side, other, choice.measure)
        if choice.factors != "none":
            add_factors(rows, one, side, choice.factors)
        rows.add(
            "score",
            document=document,
            role=side.role,
            model=encoder.name,
            method="factors",
            ordering="",
            metric="embedding_gap",
            value=side.factors.gap,
        )
