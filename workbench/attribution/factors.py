"""Factors: what every token of a text contributes to every dimension of its embedding, from one forward pass of streams.

A sentence is propagated once, whatever the number of pairs it stands in: the interactions of two texts are the products of their factors
(BiLRP, Eberle et al. 2020; for text Vasileiou and Eberle 2024). Rows for positions, biases (token types
included) and, under AttnLRP, for what softmax absorbs belong to the factors, so that the rows of a text sum to its embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from workbench.rules.tape import node_of, play

Embed = Callable[[nn.Module, Mapping[str, Tensor]], Tensor]
#: Contributions (batch token dim) of tokens, and (batch dim) of positions, biases and what softmax absorbs.
Parts = tuple[Tensor, Tensor, Tensor, Tensor]

#: Numbers of one activation that streams may hold (streams x texts x tokens x widest layer).
BUDGET = 2_000_000
#: Texts of one length that run together.
TEXTS = 16
DIRECTIONS = ("forward", "backward", "auto")
SOURCES = ("words", "embeddings")
PRECISIONS: dict[str, torch.dtype | None] = {"float32": None, "bfloat16": torch.bfloat16}


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
    units: Sequence[Sequence[int]] | None = None,
    source: str = "words",
    precision: str = "float32",
    budget: int = BUDGET,
) -> list[Factors]:
    """Factors of texts of any lengths under a composite whose shares are constants of the text, or AttnLRP.

    `direction`: `forward` plays one stream for each token, `backward` runs one pass for each dimension, `auto` the fewer of the two.
    `units` names the unit of each token of each text (its word, say), -1 for none: rows are then units, fewer streams than tokens.
    `source`: rows start at `words`, or at `embeddings`: what enters the first block, positions and types included, as published for BiLRP.
    `precision` `bfloat16` plays forward streams in half the numbers; constants and the embedding stay as the model computes them.
    `budget` bounds the numbers of one activation. Raises PropagationError for what has no rule, or an unknown choice.
    """
    chosen = composite(rules)
    for asked, name, known in (("direction", direction, DIRECTIONS), ("source", source, SOURCES), ("precision", precision, PRECISIONS)):
        if name not in known:
            raise PropagationError(f"compute factors with {asked} {name}", f"{asked}s {', '.join(known)}", "choose one of these")
    if units is None:
        units = [range(len(encoding)) for encoding in encodings]
    way = Way(chosen, embed, direction, source, PRECISIONS[precision], budget // widest(module))
    answers: dict[int, Factors] = {}
    for indexes in by_length(encodings):
        together = max(1, min(TEXTS, way.room // len(encodings[indexes[0]])))
        for start in range(0, len(indexes), together):
            places = indexes[start : start + together]
            parts = torch.tensor([list(units[place]) for place in places])
            inputs = encoded(module, [encodings[place] for place in places])
            answers.update(zip(places, batch_factors(module, inputs, parts, way), strict=True))
    return [answers[index] for index in range(len(encodings))]


@dataclass(frozen=True, slots=True)
class Way:
    """How factors are computed; `room` is how many streams of tokens may be held at a time."""

    rules: Composite
    embed: Embed = sentence_embedding
    direction: str = "auto"
    source: str = "words"
    dtype: torch.dtype | None = None
    room: int = BUDGET


def batch_factors(module: nn.Module, inputs: Mapping[str, Tensor], parts: Int[Tensor, "text token"], way: Way) -> list[Factors]:
    """Factors of texts in one batch by the part of each token, in the direction that is asked for or costs less."""
    counts = (parts.amax(1) + 1).tolist()
    if way.direction == "backward":
        whole, found = backward(module, inputs, parts, way)
    else:
        with streams(module, way.rules, way.source):
            whole = way.embed(module, inputs)
        if way.direction == "auto" and max(counts) > whole.shape[1] and way.source == "words":
            whole, found = backward(module, inputs, parts, way)
        else:
            found = forward(module, whole, parts, way)
    tokens, *others = (part.to(torch.float64).cpu() for part in found)
    whole = whole.to(torch.float64).cpu()
    gaps = (tokens.sum(1) + sum(others) - whole).abs().amax(1) / whole.norm(dim=1).clamp_min(1e-30)
    of_tokens, of_positions, of_biases, of_softmax, own_ones = (part.to(torch.float32).numpy() for part in (tokens, *others, whole))
    return [
        Factors(of_tokens[row, :count], of_positions[row], of_biases[row], of_softmax[row], own_ones[row], float(gaps[row]))
        for row, count in enumerate(counts)
    ]


def forward(module: nn.Module, whole: Tensor, parts: Int[Tensor, "text token"], way: Way) -> Parts:
    """Factors by streams, played from the pass that computed the embedding."""
    node = node_of(whole)
    if node is None:
        raise PropagationError(
            f"compute factors of {type(module).__name__}", "an embedding that depends on no word", "look at what `embed` takes from it"
        )
    placed = way.source == "words" and "positions" in source_kinds(module).values()
    layout = Layout(parts.to(whole.device), int(parts.max()) + 1, way.rules.attention == "half", placed)
    rows = play(node, layout, way.room // parts.numel(), way.dtype).transpose(0, 1)
    none = torch.zeros_like(rows[:, 0])
    others = (none if place is None else rows[:, place] for place in (layout.positions, layout.constants, layout.absorbed))
    return rows[:, : layout.count], *others  # type: ignore[return-value]


def backward(module: nn.Module, inputs: Mapping[str, Tensor], parts: Int[Tensor, "text token"], way: Way) -> tuple[Tensor, Parts]:
    """The embedding and its factors by one backward pass for each of its dimensions (the published procedure, on one graph)."""
    if way.source != "words":
        raise PropagationError(f"compute factors backward from {way.source}", "a ledger of words alone", "use the forward direction")
    traced = record(Embedder(module, way.embed), inputs, way.rules)
    tokens, positions, biases, absorbed = [], [], [], []
    for dimension in range(traced.output.shape[1]):
        explained = traced.explain(lambda trace, at=dimension: trace.output[:, at], keep=True)  # type: ignore[misc]
        tokens.append(traced.recorder.readings.by_token["tokens"])
        ledgers = [explanation.ledger.accounts for explanation in explained]
        positions.append([ledger["positions"] for ledger in ledgers])
        biases.append([ledger["token_types"] + ledger["biases"] for ledger in ledgers])
        absorbed.append([ledger["softmax"] for ledger in ledgers])
    members = (parts[:, None] == torch.arange(int(parts.max()) + 1)[:, None]).to(tokens[0])
    found = members @ torch.stack(tokens, -1)
    return traced.output.detach(), (found, torch.tensor(positions).T, torch.tensor(biases).T, torch.tensor(absorbed).T)


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
