"""Relevance of words by nine methods, for one classifier or an ensemble: the mean over members at word level.

All answer the same question: how much does each word of a text speak for a label? Each takes a subject (the classifiers), texts and the
label explained for each text, and gives one array of word scores for each text. Token scores become word scores by shared characters, as in
the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from captum.attr import LayerIntegratedGradients
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.attribution.targets import target as target_named
from workbench.attribution.trace import explain
from workbench.attribution.words import to_words
from workbench.encoding import Encoding
from workbench.evaluation.predictions import BATCH_TOKENS, batches_of_one_length
from workbench.evaluation.removal import Text
from workbench.evaluation.rollout import rollout
from workbench.evaluation.subject import Subject
from workbench.relevance import Explanation

WordScores: TypeAlias = list[NDArray[np.float64]]

Method: TypeAlias = Callable[[Subject, Sequence[Text], Sequence[int]], WordScores]
#: Token scores of one member for texts of any lengths.
TokenMethod: TypeAlias = Callable[[nn.Module, Sequence[Encoding], Sequence[int]], list[NDArray[np.floating]]]


def attnlrp(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """AttnLRP (Achtibat et al. 2024, eq. 8-9, propositions 3.1-3.4): layer-wise relevance propagation through attention and softmax."""
    return _explained(subject, texts, labels, "attnlrp.v1", lambda explanation: explanation.tokens)


def cplrp(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """CP-LRP (Ali et al. 2022, AH- and LN-rule): attention weights and normalisation scales are constants."""
    return _explained(subject, texts, labels, "cplrp.v1", lambda explanation: explanation.tokens)


def palrp(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """PA-LRP (Bakish et al. 2025, eq. 10): AttnLRP in which rotary positions take half of every query and key; the words' part of it."""
    return _explained(subject, texts, labels, "palrp.v1", lambda explanation: explanation.tokens)


def gradient_x_input(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """Gradient times input (Denil et al. 2014; Shrikumar et al. 2016): sum over the embedding of x times df/dx."""
    return _explained(subject, texts, labels, "gradient_x_input.v1", lambda explanation: explanation.tokens)


def sensitivity(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """Sensitivity analysis (Simonyan et al. 2014; Karim et al. 2021): sum over the embedding of (df/dx) squared, never negative."""
    return _explained(subject, texts, labels, "gradient_x_input.v1", lambda explanation: explanation.sensitivity)


def integrated_gradients(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """Integrated gradients (Sundararajan et al. 2017, eq. 1; captum's LayerIntegratedGradients) on the word embeddings.

    The baseline is the same text with every token that is not special replaced by the member's uninformative token (mask, else unknown or
    pad), positions kept; the integral by Gauss-Legendre quadrature of `subject.steps` points.
    """
    members = iter(subject.baselines)

    def tokens(module: nn.Module, encodings: Sequence[Encoding], chosen: Sequence[int]) -> list[NDArray[np.floating]]:
        return _integrate(module, encodings, chosen, next(members), subject)

    return _mean_over_members(subject, texts, labels, tokens)


def occlusion(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """Leave one word out (Zeiler and Fergus 2014; Li et al. 2016, eq. 1 as a difference): target of the text minus target without the word.

    The word's tokens are removed from the ids of every member; the target is the probability (or the contrast of logits).
    """
    requests = [(text, text.everything & ~removed) for text in texts for removed in (0, *(1 << word for word in range(len(text.words))))]
    rows = torch.from_numpy(subject.remainders.rows(requests))
    repeated = torch.tensor([label for text, label in zip(texts, labels, strict=True) for _ in range(len(text.words) + 1)])
    values = target_named(subject.target)(rows, repeated).numpy()
    parts = np.split(values, np.cumsum([len(text.words) + 1 for text in texts])[:-1])
    return [part[0] - part[1:] for part in parts]


def attention_rollout(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:
    """Attention rollout (Abnar and Zuidema 2020, eq. 1): products of attention weights, the same for every label."""
    return _mean_over_members(subject, texts, labels, lambda module, encodings, _: rollout(module, encodings))


def random(subject: Subject, texts: Sequence[Text], labels: Sequence[int]) -> WordScores:  # noqa: ARG001 - the contract of a method
    """Uniform random scores from -1 to 1, the same for the same text and seed: what a ranking without knowledge earns."""
    return [np.random.default_rng([subject.seed, *text.encodings[0].ids]).uniform(-1, 1, len(text.words)) for text in texts]


#: Methods for any classifier.
METHODS: Mapping[str, Method] = {
    method.__name__: method for method in (attnlrp, cplrp, gradient_x_input, sensitivity, integrated_gradients, occlusion, random)
}
#: Methods that validation sets side by side: those of transformers as well.
COMPARED: Mapping[str, Method] = {**METHODS, "palrp": palrp, "attention_rollout": attention_rollout}
#: Methods that propagate relevance by layers: what the bars of validation are about.
LRP_FAMILY = ("attnlrp", "cplrp", "palrp")


def explanations(
    module: nn.Module, encodings: Sequence[Encoding], labels: Sequence[int], rules: str, target: str, *, position_layers: bool = False
) -> list[Explanation]:
    """Explanations of texts of any lengths in batches of one length."""
    found: dict[int, Explanation] = {}
    for positions in batches_of_one_length([len(encoding) for encoding in encodings]):
        chosen = [labels[i] for i in positions]
        batch = explain(module, [encodings[i] for i in positions], rules, labels=chosen, target=target, position_layers=position_layers)
        found.update(zip(positions, batch, strict=True))
    return [found[index] for index in range(len(encodings))]


def _explained(
    subject: Subject, texts: Sequence[Text], labels: Sequence[int], rules: str, reading: Callable[[Explanation], NDArray[np.floating]]
) -> WordScores:
    def tokens(module: nn.Module, encodings: Sequence[Encoding], chosen: Sequence[int]) -> list[NDArray[np.floating]]:
        return [reading(explanation) for explanation in explanations(module, encodings, chosen, rules, subject.target)]

    return _mean_over_members(subject, texts, labels, tokens)


def _mean_over_members(subject: Subject, texts: Sequence[Text], labels: Sequence[int], method: TokenMethod) -> WordScores:
    totals = [np.zeros(len(text.words)) for text in texts]
    for member, module in enumerate(subject.modules):
        encodings = [text.encodings[member] for text in texts]
        for total, text, values in zip(totals, texts, method(module, encodings, labels), strict=True):
            total += to_words(values, text.encodings[member], text.words).words / len(subject.modules)
    return totals


def _integrate(
    module: nn.Module, encodings: Sequence[Encoding], labels: Sequence[int], baseline: int, subject: Subject
) -> list[NDArray[np.floating]]:
    def explained(ids: Tensor, chosen: Tensor) -> Tensor:
        return target_named(subject.target)(module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits, chosen)

    integrator = LayerIntegratedGradients(explained, module.get_input_embeddings())  # type: ignore[operator]
    device = next(module.parameters()).device
    found: dict[int, NDArray[np.floating]] = {}
    for positions in batches_of_one_length([len(encoding) for encoding in encodings], max(1, 4 * BATCH_TOKENS // subject.steps)):
        ids = torch.tensor([encodings[i].ids for i in positions], device=device)
        special = torch.tensor([encodings[i].special for i in positions], device=device)
        attributions, delta = integrator.attribute(
            ids,
            baselines=torch.where(special, ids, torch.full_like(ids, baseline)),
            additional_forward_args=torch.tensor([labels[i] for i in positions], device=device),
            n_steps=subject.steps,
            return_convergence_delta=True,
        )
        subject.convergence.extend(delta.abs().tolist())
        found.update(zip(positions, attributions.sum(-1).detach().cpu().numpy(), strict=True))
    return [found[index] for index in range(len(encodings))]
