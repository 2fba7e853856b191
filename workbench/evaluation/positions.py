"""Relevance of positions as one number for each token of a text, from what an explanation keeps by layer.

| kind | what it says of a position | source |
|---|---|---|
| absolute | the position's embedding, where it is added to the word's | PA-LRP (Bakish et al. 2025, eq. 5) |
| rotary | half of the turned query and half of the turned key, each at its own place | PA-LRP, eq. 10 |
| relative | biases on scores by distance; seen from the first token, a distance is a place | an extension of it |

A layer may speak for a label with a position and another layer against it. Three ways to add layers up: `signed` conserves relevance and is
what the ledger holds; `positive` leaves out what speaks against, as in the paper (eq. 11, there for every hidden unit, here for the
sum over units); `absolute` adds sizes, as the authors' code does.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.relevance import Explanation, PositionRelevance

Aggregation: TypeAlias = Literal["signed", "positive", "absolute"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)


def by_place(explanation: Explanation, aggregation: Aggregation = "signed") -> NDArray[np.float64]:
    """Relevance of each token's position, over all layers, from absolute or rotary positions; zeros where the model has neither."""
    return _total([layer.values for layer in explanation.position_layers if layer.kind in ("absolute", "rotary")], explanation, aggregation)


def from_first_token(explanation: Explanation, aggregation: Aggregation = "signed") -> NDArray[np.float64]:
    """Relevance of each token's distance to the first token, over all layers, from biases on scores; zeros where the model has none.

    Meant for models that read their answer at the first token. Other tokens at the same distance from one another count as well.
    """
    relative = [layer for layer in explanation.position_layers if layer.kind == "relative"]
    return _total([_ahead(layer, len(explanation.tokens)) for layer in relative], explanation, aggregation)


def _ahead(layer: PositionRelevance, tokens: int) -> NDArray[np.float32]:
    return layer.values[-layer.first : -layer.first + tokens]


def _total(layers: list[NDArray[np.float32]], explanation: Explanation, aggregation: Aggregation) -> NDArray[np.float64]:
    total = np.zeros(len(explanation.tokens))
    for values in layers:
        wide = values.astype(np.float64)
        total += {"signed": wide, "positive": np.maximum(wide, 0.0), "absolute": np.abs(wide)}[aggregation]
    return total
