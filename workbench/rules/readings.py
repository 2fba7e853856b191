"""What is read while relevance flows back: by token at the embeddings, by position where positions enter.

Positions enter additively at the embedding (`absolute`), as factors of queries and keys (`rotary`), or as biases on scores (`relative`).
Sources: PA-LRP (Bakish et al. 2025); reading biases on scores by distance is an extension of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Aggregation = Literal["signed", "positive", "absolute"]


def aggregated(products: Tensor, aggregation: Aggregation, axes: Sequence[int]) -> Tensor:
    """Relevance of units as relevance of positions, over these axes: the sum, the sum of positive parts, or the size of the sum.

    Sources: `signed` conserves; `positive` is PA-LRP's (Bakish et al. 2025, eq. 11), `absolute` that of its authors' code.
    """
    if aggregation == "positive":
        products = products.clamp(min=0)
    total = products.sum(tuple(axes))
    return total.abs() if aggregation == "absolute" else total


class Readings:
    """Arrays by token of one backward pass, and by position and layer where `layers` asks for it."""

    def __init__(self, layers: bool, aggregation: Aggregation = "signed") -> None:
        self.layers = layers
        self.aggregation = aggregation
        self.by_token: dict[str, Float[Tensor, "batch token"]] = {}
        self.by_layer: dict[tuple[str, int, bool], Float[Tensor, "batch position"]] = {}

    def add(self, kind: str, values: Float[Tensor, "batch token"]) -> None:
        """Adds to a reading; several sources of one kind add up."""
        known = self.by_token.get(kind)
        self.by_token[kind] = values.detach() if known is None else known + values.detach()

    def position(self, kind: str, layer: int, values: Float[Tensor, "batch position"], decoder: bool) -> None:
        """Relevance of positions: adds to the reading of the encoder's or decoder's positions, and to its layer where asked."""
        if values.ndim == 2:
            self.add("decoder_positions" if decoder else "positions", values)
            if kind != "relative":  # whose layers are read by distance
                self.in_layer(kind, layer, values, decoder)

    def in_layer(self, kind: str, layer: int, values: Float[Tensor, "batch position"], decoder: bool) -> None:
        """Keeps a reading by layer."""
        if self.layers:
            key = (kind, layer, decoder)
            known = self.by_layer.get(key)
            self.by_layer[key] = values.detach() if known is None else known + values.detach()

    def distances(self, layer: int, values: Float[Tensor, "batch query key"], decoder: bool) -> None:
        """Relevance of biases on scores, over all heads: by query position in the reading, by distance (key minus query) in the layer."""
        if not decoder or values.shape[1] == values.shape[2]:
            self.add("decoder_positions" if decoder else "positions", values.sum(2))
        if self.layers:
            self.in_layer("relative", layer, by_distance(values), decoder)


def by_distance(values: Float[Tensor, "batch query key"]) -> Float[Tensor, "batch distance"]:
    """Sums along the diagonals: index d belongs to distance d - (queries - 1)."""
    rows, queries, keys = values.shape
    place = torch.arange(keys, device=values.device)[None, :] - torch.arange(queries, device=values.device)[:, None] + queries - 1
    sums = values.new_zeros(rows, queries + keys - 1)
    return sums.index_add_(1, place.reshape(-1), values.reshape(rows, -1))
