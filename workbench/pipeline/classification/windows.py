"""One text in little memory: layers computed again in the backward pass and, where that is not enough, the text in windows.

In one window the numbers are those of the ordinary way. In several, each window is read by itself; what is predicted and what is explained
is the mean over the windows, so that the ledger closes as it does for each. How many there were is kept as a score of the method `memory`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.batch import Batch
from workbench.corpora import language_of
from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.models.classifier import Classifier
from workbench.models.encode import covered, encode
from workbench.models.ensemble import Ensemble, decide
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.classification.work import Answer, add_document, chosen_labels, explain_member, mean_ledger, run_member
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.relevance import ComponentRelevance, Explanation, Ledger, PositionRelevance


def explain_in_windows(item: Wanted, count: int, ensemble: Ensemble, annotators: Annotators, pipeline: Pipeline) -> Batch:
    """The batch of one document whose text is read in `count` windows; InputError for a text of fewer words."""
    rows, text, rules = Rows(), item.document.segments[item.role], pipeline.relevance
    language = language_of(item.document, item.role)
    (words,) = annotators.annotate([text], [language])
    end = max(max(stop for _, stop in encode(member.tokenizer, text, member.window).spans) for member in ensemble.members)
    spans = [(0, len(text))] if count == 1 else windows(words, end, count)
    encodings = [[window(member, text, span) for span in spans] for member in ensemble.members]
    logits = [
        torch.stack([run_member(member, [one], rules.composite, checkpoint=True).logits[0] for one in own]).mean(0)
        for member, own in zip(ensemble.members, encodings, strict=True)
    ]
    decision = decide([values[None] for values in logits])
    chosen = chosen_labels(decision, rules.decision)
    parts = []
    for member, own in zip(ensemble.members, encodings, strict=True):
        passes = (run_member(member, [one], rules.composite, checkpoint=True, **rules.beside) for one in own)
        parts.append(mean([explain_member(passed, chosen, rules.target)[0] for passed in passes]))
    coverage = covered(text, end)
    wholes = [own[0] if count == 1 else together(own, coverage) for own in encodings]
    answer = Answer(decision, 0, chosen, logits, wholes, parts)
    document = add_document(rows, item, words, annotators.of(language), ensemble, answer, pipeline)
    if count == 1:
        return rows.batch()
    for member in ensemble.members:
        rows.add(
            "score",
            document=document,
            role=item.role,
            model=member.name,
            method="memory",
            ordering="",
            metric="windows",
            value=float(count),
        )
    return Batch(rows.batch().frames, {"windowed": 1})


def windows(words: Sequence[Word], end: int, count: int) -> list[tuple[int, int]]:
    """Spans of about equally many words that cover the text up to `end`, cut between words."""
    seen = [word for word in words if word.char_start < end]
    if len(seen) < count:
        found = f"a text of {len(seen)} words that does not fit into memory"
        raise InputError(f"read a text in {count} windows", found, "free memory or use a larger machine", retryable=True)
    starts = [0, *(seen[len(seen) * place // count].char_start for place in range(1, count)), end]
    return list(pairwise(starts))


def window(member: Classifier, text: str, span: tuple[int, int]) -> Encoding:
    """The encoding of a part of a text, its spans counted in the whole text."""
    start, end = span
    found = encode(member.tokenizer, text[start:end], member.window)
    shifted = tuple(one if special else (one[0] + start, one[1] + start) for one, special in zip(found.spans, found.special, strict=True))
    return replace(found, spans=shifted)


def together(encodings: Sequence[Encoding], coverage: float) -> Encoding:
    """The encodings of all windows in a row, special tokens of each included."""
    return Encoding(
        tuple(value for one in encodings for value in one.ids),
        tuple(value for one in encodings for value in one.tokens),
        tuple(value for one in encodings for value in one.spans),
        tuple(value for one in encodings for value in one.special),
        coverage,
    )


def mean(parts: Sequence[Explanation]) -> Explanation:
    """The explanation of the mean over windows: tokens in a row, ledgers and positions by layer averaged."""
    if len(parts) == 1:
        return parts[0]
    count = len(parts)
    softmax: dict[int, float] = defaultdict(float)
    for part in parts:
        for layer, value in part.ledger.softmax_layers.items():
            softmax[layer] += value / count
    ledger = mean_ledger(parts)
    return Explanation(
        tokens=in_a_row([part.tokens for part in parts], count),
        positions=in_a_row([part.positions for part in parts], count),
        sensitivity=in_a_row([part.sensitivity for part in parts], count**2),  # squares of a gradient
        ledger=Ledger(ledger.target, ledger.accounts, dict(softmax)),
        position_layers=tuple(mean_positions(parts)),
        components=tuple(mean_components(parts)),
    )


def in_a_row(values: Sequence[NDArray[np.float32]], divisor: int) -> NDArray[np.float32]:
    """Arrays one after another, divided."""
    return (np.concatenate(values) / divisor).astype(np.float32)


def mean_positions(parts: Sequence[Explanation]) -> list[PositionRelevance]:
    """Positions of each kind and layer, those of one number (or distance) averaged over all windows."""
    sums: dict[tuple[str, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for part in parts:
        for one in part.position_layers:
            for place, value in enumerate(one.values.tolist(), start=one.first):
                sums[one.kind, one.layer][place] += value / len(parts)
    found = []
    for (kind, layer), values in sums.items():
        first, last = min(values), max(values)
        row = np.array([values.get(place, 0.0) for place in range(first, last + 1)], np.float32)
        found.append(PositionRelevance(kind, layer, first, row))
    return found


def mean_components(parts: Sequence[Explanation]) -> list[ComponentRelevance]:
    """Components of each kind and layer, the tokens of all windows in a row."""
    starts = np.cumsum([0, *(len(part.tokens) for part in parts)])
    found: dict[tuple[str, int], list[tuple[int, ComponentRelevance]]] = defaultdict(list)
    for start, part in zip(starts, parts, strict=False):
        for one in part.components:
            found[one.kind, one.layer].append((int(start), one))
    return [
        ComponentRelevance(
            kind,
            layer,
            np.concatenate([one.token + start for start, one in own]).astype(np.int32),
            np.concatenate([one.unit for _, one in own]),
            in_a_row([one.relevance for _, one in own], len(parts)),
            sum(one.rest for _, one in own) / len(parts),
        )
        for (kind, layer), own in found.items()
    ]
