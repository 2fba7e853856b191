"""Factors: what every token of a text contributes to every dimension of its embedding, from one forward pass of streams.

A sentence is propagated once, whatever the number of pairs it stands in: the interactions of two texts are the products of their factors
(BiLRP, Eberle et al. 2020; for text Vasileiou and Eberle 2024). Rows for positions, biases (token types
included) and, under AttnLRP, for what softmax absorbs belong to the factors, so that the rows of a text sum to its embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.attribution.inputs import encoded
from workbench.attribution.trace import record
from workbench.encoding import Encoding, by_length
from workbench.errors import PropagationError
from workbench.interaction import Factors
from workbench.rules.composite import Composite, composite
from workbench.rules.layout import Layout
from workbench.rules.sources import source_kinds
from workbench.rules.streams import streams

Embed = Callable[[nn.Module, Mapping[str, Tensor]], Tensor]
#: Contributions (batch token dim) of tokens, and (batch dim) of positions, biases and what softmax absorbs.
Parts = tuple[Tensor, Tensor, Tensor, Tensor]

#: Numbers of one activation that a pass may hold (rows x tokens x widest layer): 64 million are 256 MB in float32.
BUDGET = 64_000_000


def sentence_embedding(module: nn.Module, inputs: Mapping[str, Tensor]) -> Float[Tensor, "batch dim"]:
    """The embedding that a sentence-transformers model gives to its inputs."""
    found: Tensor = module(dict(inputs))["sentence_embedding"]
    return found


def factors(
    module: nn.Module,
    encodings: Sequence[Encoding],
    rules: Composite | str = "bilrp.v1",
    *,
    embed: Embed = sentence_embedding,
    direction: str = "auto",
    budget: int = BUDGET,
) -> list[Factors]:
    """Factors of texts of any lengths under a composite whose shares are constants of the text, or AttnLRP.

    `direction`: `forward` runs one stream for each token, `backward` one pass for each dimension, `auto` the fewer of the two;
    `budget` bounds the numbers of one activation. Raises PropagationError for what has no rule, or an unknown direction.
    """
    chosen = composite(rules)
    answers: dict[int, Factors] = {}
    for indexes in by_length(encodings):
        length = len(encodings[indexes[0]])
        together = max(1, budget // ((length + 3) * length * widest(module)))
        for start in range(0, len(indexes), together):
            places = indexes[start : start + together]
            inputs = encoded(module, [encodings[place] for place in places])
            answers.update(zip(places, batch_factors(module, inputs, chosen, embed, direction, budget), strict=True))
    return [answers[index] for index in range(len(encodings))]


def batch_factors(
    module: nn.Module, inputs: Mapping[str, Tensor], rules: Composite, embed: Embed, direction: str, budget: int
) -> list[Factors]:
    """Factors of texts of one length, in the direction that is asked for or costs less."""
    with torch.no_grad():
        own = embed(module, inputs)
    length = inputs["input_ids"].shape[1]
    if direction not in ("forward", "backward", "auto"):
        raise PropagationError(f"compute factors {direction}", "directions forward, backward, auto", "choose one of these")
    if direction == "forward" or (direction == "auto" and length <= own.shape[1]):
        parts = forward(module, inputs, rules, embed, budget)
    else:
        parts = backward(module, inputs, rules, embed, own.shape[1])
    tokens, *others = (part.to(torch.float64).cpu() for part in parts)
    whole = own.to(torch.float64).cpu()
    gaps = (tokens.sum(1) + sum(others) - whole).abs().amax(1) / whole.norm(dim=1).clamp_min(1e-30)
    of_tokens, of_positions, of_biases, of_softmax, own_ones = (part.to(torch.float32).numpy() for part in (tokens, *others, whole))
    return [
        Factors(of_tokens[row], of_positions[row], of_biases[row], of_softmax[row], own_ones[row], float(gaps[row]))
        for row in range(len(whole))
    ]


def forward(module: nn.Module, inputs: Mapping[str, Tensor], rules: Composite, embed: Embed, budget: int) -> Parts:
    """Factors by streams; tokens for which there is no room run in a stream together and are told apart by another pass."""
    texts, length = inputs["input_ids"].shape
    room = max(1, budget // (texts * length * widest(module)) - 4)
    placed = "positions" in source_kinds(module).values()
    found: list[Tensor] = []
    others = (torch.zeros(()),) * 3
    for start in range(0, length, room):
        count = min(room, length - start)
        parts = told_apart(texts, length, start, count).to(inputs["input_ids"].device)
        layout = Layout(parts, count + (count < length), rules.attention == "half", placed)
        with streams(module, rules, layout):
            rows = embed(module, {name: value.repeat_interleave(layout.rows, 0) for name, value in inputs.items()})
        apart = rows.view(texts, layout.rows, -1)
        found.append(apart[:, 1 : 1 + count])
        biases = apart[:, layout.constants]
        others = (
            apart[:, layout.positions] if placed else torch.zeros_like(biases),
            biases,
            apart[:, -1] if layout.absorbs else torch.zeros_like(biases),
        )
    return torch.cat(found, 1), *others


def told_apart(texts: int, length: int, start: int, count: int) -> Int[Tensor, "text token"]:
    """Streams of tokens: those from `start` on one each, all others the one after them."""
    places = torch.arange(length) - start
    inside = (places >= 0) & (places < count)
    return torch.where(inside, places, torch.full_like(places, count)).expand(texts, -1)


def backward(module: nn.Module, inputs: Mapping[str, Tensor], rules: Composite, embed: Embed, width: int) -> Parts:
    """Factors by one backward pass for each dimension of the embedding (the published procedure, on one graph)."""
    traced = record(Embedder(module, embed), inputs, rules)
    tokens, positions, biases, absorbed = [], [], [], []
    for dimension in range(width):
        explained = traced.explain(lambda trace, at=dimension: trace.output[:, at], keep=True)  # type: ignore[misc]
        tokens.append(traced.recorder.readings.by_token["tokens"])
        ledgers = [explanation.ledger.accounts for explanation in explained]
        positions.append([ledger["positions"] for ledger in ledgers])
        biases.append([ledger["token_types"] + ledger["biases"] for ledger in ledgers])
        absorbed.append([ledger["softmax"] for ledger in ledgers])
    return torch.stack(tokens, -1), torch.tensor(positions).T, torch.tensor(biases).T, torch.tensor(absorbed).T


class Embedder(nn.Module):
    """A module whose output is the embedding, for inputs by name."""

    def __init__(self, module: nn.Module, embed: Embed) -> None:
        super().__init__()
        self.inner = module
        self.embed = embed
        self.training = False

    def get_input_embeddings(self) -> Any:
        """The word embeddings of the model inside."""
        outer: Any = next(part for part in self.inner.modules() if hasattr(part, "get_input_embeddings"))
        return outer.get_input_embeddings()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The embedding of each text."""
        return self.embed(self.inner, {"input_ids": input_ids, "attention_mask": attention_mask})


def widest(module: nn.Module) -> int:
    """The width of the widest linear layer: what one activation holds for each token."""
    return max((part.out_features for part in module.modules() if isinstance(part, nn.Linear)), default=1)
