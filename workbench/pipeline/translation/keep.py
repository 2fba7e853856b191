"""What is kept of an explained translation: texts and words, steps and contributions, ledgers of both sides, and its quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.attribution.contributions import Contributions
from workbench.corpora import language_of
from workbench.document import Document
from workbench.encoding import Encoding
from workbench.models.encode import tokenizer_losses
from workbench.models.encoder import Encoder
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline, TranslationChoice
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.translation.quality import Judge
from workbench.pipeline.translation.systems import Source, System
from workbench.relevance import ACCOUNTS, Ledger

#: Decimals kept of log-probabilities and entropies, and of gaps, whose bar is 1e-4: a third of the bits of their noise.
DECIMALS, GAP_DECIMALS = 5, 7


@dataclass(frozen=True, slots=True)
class Ready:
    """A translation that can be explained: who made it or is asked about it, and both its sides.

    `retokenised` says whether the text alone would be read as other tokens; None for a text that was given.
    """

    item: Wanted
    system: System
    source: Source
    target: Encoding
    text: str
    retokenised: bool | None

    @property
    def made(self) -> bool:
        """Whether the system made the text itself."""
        return self.retokenised is not None


def keep(
    rows: Rows, explained: Sequence[tuple[Ready, Contributions]], annotators: Annotators, encoder: Encoder | None, pipeline: Pipeline
) -> None:
    """Adds the rows of all explained translations, those of a document together."""
    choice = pipeline.translation or TranslationChoice()
    documents: dict[str, int] = {}
    tokenised: set[tuple[int, str, str]] = set()
    for one, _ in explained:
        if one.item.document.identifier not in documents:
            documents[one.item.document.identifier] = rows.document(one.item.document)
    add_texts(rows, [one for one, _ in explained], documents, annotators)
    judge = Judge([one for one, _ in explained if one.made], encoder, choice)
    for one, found in explained:
        document = documents[one.item.document.identifier]
        sides = (("source", one.source.encoding), (one.item.role, one.target))
        for role, encoding in sides:
            if (document, role, one.system.tokenizer_name) not in tokenised:
                tokenised.add((document, role, one.system.tokenizer_name))
                rows.tokens(document, role, one.system.tokenizer_name, encoding)
        source_text = one.item.document.segments["source"]
        rows.losses(document, "source", one.system.name, tokenizer_losses(one.system.tokenizer, source_text, one.source.encoding))
        add_explanations(rows, document, one, found, choice, pipeline.model.precision)
        add_scores(rows, document, one, found, judge)


def add_texts(rows: Rows, explained: Sequence[Ready], documents: dict[str, int], annotators: Annotators) -> None:
    """Adds every text of the documents and what systems made of them, each with its words; equal texts are annotated once."""
    texts: dict[tuple[str, str], tuple[str, str | None]] = {}
    for one in explained:
        document = one.item.document
        for role, text in document.segments.items():
            texts[document.identifier, role] = (text, language_of(document, role))
        if one.made:
            texts[document.identifier, one.item.role] = (one.text, into(document, one.system))
    different = list(dict.fromkeys(texts.values()))
    found = annotators.annotate([text for text, _ in different], [language for _, language in different])
    words = dict(zip(different, found, strict=True))
    for (identifier, role), (text, language) in texts.items():
        rows.segment(documents[identifier], role, text, words[text, language], annotators.of(language))


def into(document: Document, system: System) -> str | None:
    """The language of what a system makes of a document."""
    return language_of(document, "reference") or system.languages[1] or None


def add_explanations(rows: Rows, document: int, one: Ready, found: Contributions, choice: TranslationChoice, precision: str) -> None:
    """Adds the explanation of the target's steps with all they took, and that of the source's tokens."""
    sums = {name: float(getattr(found, name).sum()) for name in ("positions", "biases", "softmax", "nonlinear")}
    source, prefix, beginning = (float(part.sum()) for part in (found.source, found.prefix, found.beginning))
    shared: dict[str, Any] = {
        "document": document, "model": one.system.name, "member_of": None, "composite": choice.composite, "target": choice.target,
        "precision": precision, "coverage": 1.0,
    }  # fmt: skip
    total = float(found.target_value.sum())
    rest = dict.fromkeys(ACCOUNTS, 0.0) | sums
    target = rows.explanation(
        Ledger(total, rest | {"tokens": prefix, "decoder_inputs": source + beginning}),
        fingerprint=one.item.fingerprint, role=one.item.role, label=None, **shared,
    )  # fmt: skip
    add_tokens(rows, target, found.prefix.sum(0))
    add_steps(rows, target, one, found)
    add_contributions(rows, target, found)
    own = rows.explanation(
        Ledger(total, rest | {"tokens": source, "decoder_inputs": prefix + beginning}),
        fingerprint=f"{one.item.fingerprint[:16]}/source", role="source", label=one.item.role, **shared,
    )  # fmt: skip
    add_tokens(rows, own, found.source.sum(0))


def add_tokens(rows: Rows, explanation: int, sums: NDArray[np.float64]) -> None:
    """Adds what all steps took from each token."""
    count = len(sums)
    rows.extend(
        "token_relevance",
        count,
        explanation=explanation,
        token=list(range(count)),
        relevance=sums.tolist(),
        position=None,
        sensitivity=None,
    )


def add_steps(rows: Rows, explanation: int, one: Ready, found: Contributions) -> None:
    """Adds every generated token with its accounts."""
    pieces = one.system.tokenizer.convert_ids_to_tokens(found.likeliest.tolist())
    likeliest = [
        None if given == own else piece
        for given, own, piece in zip(found.target_ids.tolist(), found.likeliest.tolist(), pieces, strict=True)
    ]
    sizes = {"source": np.abs(found.source), "prefix": np.abs(found.prefix)}
    rows.extend(
        "step",
        len(likeliest),
        explanation=explanation,
        step=list(range(len(likeliest))),
        likeliest=likeliest,
        source=found.source.sum(1).tolist(),
        prefix=found.prefix.sum(1).tolist(),
        **{f"{side}_size": size.sum(1).tolist() for side, size in sizes.items()},
        **{f"{side}_entropy": [entropy(row) for row in size] for side, size in sizes.items()},
        **{name: getattr(found, name).tolist() for name in ("target_value", "beginning", "positions", "biases", "softmax", "nonlinear")},
        log_probability=found.log_probability.round(DECIMALS).tolist(),
        gap=found.gap.round(GAP_DECIMALS).tolist(),
    )


def entropy(sizes: NDArray[np.float64]) -> float | None:
    """Entropy in nats of sizes as shares; None where nothing has a size."""
    total = sizes.sum()
    if total <= 0:
        return None
    shares = sizes[sizes > 0] / total
    return float(-(shares * np.log(shares)).sum().round(DECIMALS))


def add_contributions(rows: Rows, explanation: int, found: Contributions) -> None:
    """Adds what every step took from each token of the source and from each earlier token of the target."""
    for side, cells in (("source", np.ones_like(found.source)), ("prefix", np.tril(np.ones_like(found.prefix), -1))):
        steps, tokens = np.nonzero(cells)
        rows.extend(
            "contribution",
            len(steps),
            explanation=explanation,
            step=steps.tolist(),
            side=side,
            token=tokens.tolist(),
            relevance=getattr(found, side)[steps, tokens].tolist(),
        )


def add_scores(rows: Rows, document: int, one: Ready, found: Contributions, judge: Judge) -> None:
    """Adds how good a translation is and how it was explained."""
    scores = {"log_probability": float(found.log_probability.mean()), "logit_difference": found.difference}
    if one.made:
        scores |= {"retokenised": float(bool(one.retokenised)), **judge.of(one)}
    for metric, value in scores.items():
        rows.add(
            "score", document=document, role=one.item.role, model=one.system.name, method="quality", ordering="", metric=metric, value=value
        )
