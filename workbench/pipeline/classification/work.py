"""The work of one job, a pure function from documents to a batch: it touches no store and can run in any process.

1. Words by the annotator; tokens by each member's tokenizer. A text that cannot be encoded becomes a failure of that document.
2. One forward pass of every member under the composite's rules, in batches of equal length.
3. The ensemble decides which label is explained.
4. One backward pass for each batch; the ensemble's explanation is the mean of its members', and has no layers or components of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from workbench.annotation.annotator import Annotator
from workbench.attribution.trace import Trace, trace
from workbench.batch import Batch
from workbench.corpora import language_of
from workbench.document import Word
from workbench.encoding import Encoding, by_length
from workbench.errors import InputError
from workbench.models.classifier import Classifier
from workbench.models.encode import encode, tokenizer_losses
from workbench.models.ensemble import Decision, Ensemble, decide
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.relevance import ACCOUNTS, Explanation, Ledger


@dataclass(frozen=True, slots=True)
class Traced:
    """One member's pass over a job: traces by equal length, with the places of their texts in the job."""

    member: Classifier
    encodings: tuple[Encoding, ...]
    traces: tuple[tuple[tuple[int, ...], Trace], ...]

    @property
    def logits(self) -> torch.Tensor:
        """Logits (text label) of the whole job."""
        joined = torch.cat([traced.logits.detach().cpu() for _, traced in self.traces])
        order = torch.tensor([place for places, _ in self.traces for place in places])
        return torch.empty_like(joined).index_copy_(0, order, joined)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an ensemble says of the document at a place of its decision: logits, encoding and explanation of each member."""

    decision: Decision
    place: int
    chosen: torch.Tensor
    logits: list[torch.Tensor]
    encodings: list[Encoding]
    parts: list[Explanation]


def work(job: Sequence[Wanted], ensemble: Ensemble, annotators: Annotators, pipeline: Pipeline) -> Batch:
    """Explains the documents of one job; what could not be encoded is in its failures."""
    rows = Rows()
    fit: list[Wanted] = []
    encodings: list[list[Encoding]] = []
    for item in job:
        text = item.document.segments[item.role]
        try:
            encodings.append([encode(member.tokenizer, text, member.window) for member in ensemble.members])
        except InputError as error:
            rows.failure(item.document, item.fingerprint, "encode", error)
        else:
            fit.append(item)
    if fit:
        explain_fit(rows, fit, encodings, ensemble, annotators, pipeline)
    return rows.batch()


def explain_fit(
    rows: Rows, fit: list[Wanted], encodings: list[list[Encoding]], ensemble: Ensemble, annotators: Annotators, pipeline: Pipeline
) -> None:
    """Adds everything about the documents that could be encoded."""
    languages = [language_of(item.document, item.role) for item in fit]
    words = annotators.annotate([item.document.segments[item.role] for item in fit], languages)
    rules = pipeline.relevance
    passes = [
        run_member(member, [row[index] for row in encodings], rules.composite, **rules.beside)
        for index, member in enumerate(ensemble.members)
    ]
    decision = decide([passed.logits for passed in passes])
    chosen = chosen_labels(decision, rules.decision)
    explained = [explain_member(passed, chosen, rules.target) for passed in passes]
    for place, item in enumerate(fit):
        answer = Answer(
            decision,
            place,
            chosen,
            [passed.logits[place] for passed in passes],
            [passed.encodings[place] for passed in passes],
            [explanations[place] for explanations in explained],
        )
        add_document(rows, item, words[place], annotators.of(languages[place]), ensemble, answer, pipeline)


def chosen_labels(decision: Decision, by: str) -> torch.Tensor:
    """The labels that are explained, by `vote` or by mean `probability`."""
    return decision.by_vote if by == "vote" else decision.by_probability


def run_member(member: Classifier, encodings: Sequence[Encoding], composite: str, **options: Any) -> Traced:
    """One forward pass of a member over all texts, in batches of equal length; options as for `trace`."""
    traces = []
    for places in by_length(encodings):
        texts = [encodings[place] for place in places]
        traces.append((tuple(places), trace(member.module, texts, composite, **options)))
    return Traced(member, tuple(encodings), tuple(traces))


def explain_member(passed: Traced, chosen: torch.Tensor, target: str) -> list[Explanation]:
    """One member's explanations of the chosen labels, in the job's order."""
    answers: dict[int, Explanation] = {}
    for places, traced in passed.traces:
        answers.update(zip(places, traced.explanations(chosen[list(places)], target), strict=True))
    return [answers[place] for place in range(len(answers))]


def add_document(
    rows: Rows, item: Wanted, words: Sequence[Word], annotator: Annotator, ensemble: Ensemble, answer: Answer, pipeline: Pipeline
) -> int:
    """Adds all that is kept of one document; returns its identifier in the batch."""
    document = rows.document(item.document)
    rows.segment(document, item.role, item.document.segments[item.role], words, annotator)
    label = ensemble.labels[int(answer.chosen[answer.place])]
    add_predictions(rows, document, item.role, ensemble, answer.decision, answer.logits, answer.place)
    add_explanations(rows, document, item, label, ensemble, answer.encodings, answer.parts, pipeline)
    return document


def add_predictions(
    rows: Rows, document: int, role: str, ensemble: Ensemble, decision: Decision, logits: list[torch.Tensor], place: int
) -> None:
    """Adds logits and probabilities of every label, for each member and, where there are several, for the ensemble with its votes."""
    for member, values in zip(ensemble.members, logits, strict=True):
        rows.predictions(document, role, member.name, ensemble.labels, values.tolist(), values.double().softmax(0).tolist())
    if len(ensemble.members) > 1:
        mean = torch.stack(logits).double().mean(0).tolist()
        votes = decision.votes[place].tolist()
        rows.predictions(document, role, ensemble.name, ensemble.labels, mean, decision.probabilities[place].tolist(), votes)


def add_explanations(
    rows: Rows,
    document: int,
    item: Wanted,
    label: str,
    ensemble: Ensemble,
    encodings: list[Encoding],
    parts: list[Explanation],
    pipeline: Pipeline,
) -> None:
    """Adds the ensemble's explanation (the members' mean) and each member's own with its tokens."""
    shared: dict[str, Any] = {
        "document": document,
        "role": item.role,
        "composite": pipeline.relevance.composite,
        "target": pipeline.relevance.target,
        "label": label,
        "precision": pipeline.model.precision,
    }
    whole = None
    if len(parts) > 1:
        coverage = min(encoding.coverage for encoding in encodings)
        whole = rows.explanation(
            mean_ledger(parts), fingerprint=item.fingerprint, model=ensemble.name, member_of=None, coverage=coverage, **shared
        )
    for member, encoding, part in zip(ensemble.members, encodings, parts, strict=True):
        identity = item.fingerprint if whole is None else f"{item.fingerprint}/{member.fingerprint[:12]}"
        one = rows.explanation(part.ledger, fingerprint=identity, model=member.name, member_of=whole, coverage=encoding.coverage, **shared)
        rows.tokens(document, item.role, member.tokenizer_name, encoding)
        rows.losses(document, item.role, member.name, tokenizer_losses(member.tokenizer, item.document.segments[item.role], encoding))
        rows.relevance(one, part)
        rows.layers(one, part)
        rows.components(one, part)


def mean_ledger(parts: Sequence[Explanation]) -> Ledger:
    """The mean of the members' ledgers: it is closed because theirs are."""
    count = len(parts)
    accounts = {account: sum(part.ledger.accounts[account] for part in parts) / count for account in ACCOUNTS}
    return Ledger(sum(part.ledger.target for part in parts) / count, accounts)
