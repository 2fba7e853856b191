"""Interactions of two texts by many methods, for any sentence encoder.

Every method but chance gives one row of numbers for each token of a text, once for each text whatever the pairs it stands in; the
interaction of two tokens is the product of their rows. Rows are in units of the embedding divided by its length, so that interactions are
shares of the cosine, except where a method has no scale of its own (`token_cosine`, `embedding_cosine`, `embedding_products`).
`rest` is what belongs to no token, in a method that accounts for the whole similarity: with it all cells sum to the cosine.

| method | cost of a text of n tokens, in forward passes |
|---|---|
| bilrp, attnlrp, bilrp_embeddings | about one pass of n + 3 rows, the faster way to play it is in `factors` |
| hessian_x_product | one forward-mode pass of n rows, about 2 to 3 times n |
| integrated_jacobians | the same at each of `STEPS` points; 20 leave a gap of about 0.03 on MiniLM, 40 one of 0.001 |
| leave_one_out | n + 1 |
| embedding_products, embedding_cosine, token_products, token_cosine | 1 |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.attribution.factors import factors
from workbench.attribution.inputs import encoded, padding_of
from workbench.encoding import Encoding, by_length
from workbench.errors import InputError
from workbench.evaluation.similarity_encoder import Array, directional, embedder, states, watched
from workbench.interaction import scale

#: Points of the integral of `integrated_jacobians`.
STEPS = 20
#: Tokens of all rows of texts that are computed together.
TOGETHER = 8192


@dataclass(frozen=True, slots=True)
class Rows:
    """One text by one method: `tokens (token dim)`, and `rest (dim)` where the method says what belongs to no token."""

    tokens: Array
    rest: Array | None = None


TextMethod: TypeAlias = Callable[[nn.Module, Sequence[Encoding]], list[Rows]]


@dataclass(frozen=True, slots=True)
class SimilarityMethod:
    """A method: how it computes rows, its source; whether rows are divided by their length, or cells squared; whether it has a scale."""

    rows: TextMethod
    source: str
    unit: bool = False
    squared: bool = False
    scaled: bool = True

    def cells(self, left: Array, right: Array) -> Array:
        """Interactions `(left right)` of the rows of two texts, of tokens or of words."""
        if self.unit:
            left, right = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-30) for side in (left, right))
        product: Array = left @ right.T
        return product**2 if self.squared else product


def bilrp(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """BiLRP of words: attention, norm scales and activation ratios constant; positions, types and biases are the rest."""
    return _factors(module, encodings, "bilrp.v1")


def attnlrp(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """The same with AttnLRP's rules: relevance through attention weights too."""
    return _factors(module, encodings, "attnlrp.v1")


def _factors(module: nn.Module, encodings: Sequence[Encoding], rules: str, source: str = "words") -> list[Rows]:
    found = factors(module, encodings, rules, source=source)
    lengths = [scale(text, "cosine") for text in found]
    return [Rows(text.tokens.astype(np.float64) / length, text.elsewhere / length) for text, length in zip(found, lengths, strict=True)]


def bilrp_embeddings(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """BiLRP as published: a token is what enters the first block (its word, position and type together, after their norm)."""
    return _factors(module, encodings, "bilrp.v1", "embeddings")


def hessian_x_product(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """Hessian x Product: plain gradient times input in place of relevance, at the embedding layer; no rest, it sums to a small part."""

    def batch(inputs: Mapping[str, Tensor], special: Tensor) -> tuple[Tensor, None]:  # noqa: ARG001 - the contract of a batch
        points, features = watched(module, inputs)
        return directional(module, inputs, points, points) / features["sentence_embedding"].norm(dim=1)[:, None, None], None

    return _batched(module, encodings, batch)


def integrated_jacobians(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """Integrated Jacobians from a text of padding tokens (special ones kept), whose embedding is the rest; `STEPS` points (Gauss)."""
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    filler = max((padding_of(part) for part in module.modules()), default=0)

    def batch(inputs: Mapping[str, Tensor], special: Tensor) -> tuple[Tensor, Tensor]:
        points, _ = watched(module, inputs)
        ids = inputs["input_ids"]
        start, features = watched(module, {**inputs, "input_ids": torch.where(special, ids, torch.full_like(ids, filler))})
        parts = [
            weight / 2 * directional(module, inputs, start + (node + 1) / 2 * (points - start), points - start, unit=True)
            for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True)
        ]
        return torch.stack(parts).sum(0), functional.normalize(features["sentence_embedding"])

    return _batched(module, encodings, batch)


def leave_one_out(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """Leave one token out of each text, by inclusion and exclusion: s(a, b) - s(a', b) - s(a, b') + s(a', b').

    The cosine is bilinear in unit embeddings, so that this is the product of what each text's embedding loses. Special tokens stay: 0.
    """
    embed = embedder(module)
    remainders = [
        {at: (*text.ids[:at], *text.ids[at + 1 :]) for at in range(len(text)) if not text.special[at]} if len(text) > 1 else {}
        for text in encodings
    ]
    embed([ids for text, without in zip(encodings, remainders, strict=True) for ids in (text.ids, *without.values())])
    found = []
    for text, without in zip(encodings, remainders, strict=True):
        whole, *others = (row / np.linalg.norm(row) for row in embed([text.ids, *without.values()]))
        rows = np.zeros((len(text), len(whole)))
        if others:
            rows[list(without)] = whole - np.stack(others)
        found.append(Rows(rows if others else whole[None]))  # of a single token nothing is left, which counts as zero
    return found


def embeddings(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """What the embedding layer gives for each token, of which the first layer has not heard yet."""
    return [Rows(text.inputs) for text in states(module, encodings)]


def last_states(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:
    """States of the last layer over their number and the embedding's length: they sum to the cosine where pooling is the mean."""
    return [Rows(text.last / (len(text.last) * np.linalg.norm(text.embedding))) for text in states(module, encodings)]


def chance(module: nn.Module, encodings: Sequence[Encoding]) -> list[Rows]:  # noqa: ARG001 - the contract of a method
    """Rows of 64 random numbers, the same for the same tokens."""
    return [Rows(np.random.default_rng([0, *encoding.ids]).standard_normal((len(encoding), 64))) for encoding in encodings]


BILRP = "Eberle et al. 2020, 'Building and interpreting deep similarity models', eq. 4-5; Vasileiou and Eberle 2024 for text"
EMBEDDINGS = "the embedding baseline of Vasileiou and Eberle 2024"
STATES = "Zhang et al. 2020, 'BERTScore', whose cells are cosines of contextual states"
METHODS: Mapping[str, SimilarityMethod] = {
    "bilrp": SimilarityMethod(bilrp, BILRP),
    "bilrp_cosine": SimilarityMethod(bilrp, f"{BILRP}; rows of tokens compared by direction alone", unit=True, scaled=False),
    "bilrp_embeddings": SimilarityMethod(bilrp_embeddings, BILRP),
    "attnlrp": SimilarityMethod(attnlrp, "Achtibat et al. 2024, 'AttnLRP', rules for each dimension of the embedding"),
    "hessian_x_product": SimilarityMethod(hessian_x_product, "Eberle et al. 2020, section 3 (H x P, second-order gradient times product)"),
    "integrated_jacobians": SimilarityMethod(integrated_jacobians, "Moeller et al. 2023, 'An attribution method for Siamese encoders'"),
    "leave_one_out": SimilarityMethod(leave_one_out, "Janizek et al. 2021 (interactions by differences); Zeiler and Fergus 2014"),
    "embedding_products": SimilarityMethod(embeddings, EMBEDDINGS, scaled=False),
    "embedding_squares": SimilarityMethod(embeddings, f"{EMBEDDINGS}, whose published code squares them", squared=True, scaled=False),
    "embedding_cosine": SimilarityMethod(embeddings, EMBEDDINGS, unit=True, scaled=False),
    "token_products": SimilarityMethod(last_states, STATES),
    "token_cosine": SimilarityMethod(last_states, STATES, unit=True, scaled=False),
    "random": SimilarityMethod(chance, "what an order without knowledge earns", scaled=False),
}


def named(names: Sequence[str]) -> dict[str, SimilarityMethod]:
    """Methods by name, in this order. Raises InputError for one that is not known."""
    if unknown := set(names) - set(METHODS):
        raise InputError(f"compare {', '.join(names)}", f"unknown: {', '.join(sorted(unknown))}", f"choose among {', '.join(METHODS)}")
    return {name: METHODS[name] for name in names}


@dataclass(slots=True)
class Computed:
    """Rows of some texts by every method that is asked for; methods that differ in their cells alone share them."""

    module: nn.Module
    texts: Sequence[Encoding]
    _found: dict[TextMethod, dict[Encoding, Rows]] = field(default_factory=dict)
    _seconds: dict[TextMethod, float] = field(default_factory=dict)

    def rows(self, method: SimilarityMethod) -> dict[Encoding, Rows]:
        """Rows of each text by a method."""
        if method.rows not in self._found:
            before = time.process_time()
            self._found[method.rows] = dict(zip(self.texts, method.rows(self.module, self.texts), strict=True))
            self._seconds[method.rows] = (time.process_time() - before) / max(1, len(self.texts))
        return self._found[method.rows]

    def seconds(self, method: SimilarityMethod) -> float:
        """Processor time of a method for one text, the mean."""
        self.rows(method)
        return self._seconds[method.rows]


def interaction_matrices(module: nn.Module, pairs: Sequence[tuple[Encoding, Encoding]], method: str) -> list[Array]:
    """Interactions `(left token, right token)` of pairs of texts by the method of this name; each text is computed once.

    Raises InputError for an unknown method, PropagationError or ModelError for an encoder that it cannot explain.
    """
    chosen = named([method])[method]
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    rows = dict(zip(texts, chosen.rows(module, texts), strict=True))
    return [chosen.cells(rows[left].tokens, rows[right].tokens) for left, right in pairs]


def _batched(
    module: nn.Module, encodings: Sequence[Encoding], batch: Callable[[Mapping[str, Tensor], Tensor], tuple[Tensor, Tensor | None]]
) -> list[Rows]:
    """Rows of texts of one length at a time; `batch` is given their inputs and which tokens are special."""
    found: dict[int, Rows] = {}
    for places in by_length(encodings):
        size = max(1, TOGETHER // len(encodings[places[0]]) ** 2)
        for start in range(0, len(places), size):
            some = [encodings[place] for place in places[start : start + size]]
            inputs = encoded(module, some)
            special = torch.tensor([encoding.special for encoding in some], device=inputs["input_ids"].device)
            found.update(zip(places[start : start + size], _rows(*batch(inputs, special)), strict=True))
    return [found[place] for place in range(len(encodings))]


def _rows(tokens: Tensor, rest: Tensor | None) -> list[Rows]:
    first = tokens.double().cpu().numpy()
    if rest is None:
        return [Rows(text) for text in first]
    return [Rows(text, other) for text, other in zip(first, rest.double().cpu().numpy(), strict=True)]
