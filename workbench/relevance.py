"""The result of one explanation: relevance of its sources and the ledger that accounts for all of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Ledger accounts in the order in which they are shown; every explanation has all of them.
ACCOUNTS = ("tokens", "token_types", "positions", "decoder_inputs", "biases", "softmax", "nonlinear", "epsilon")

#: The layer of what happened outside every layer: embeddings, pooling, heads.
OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account of all of a target, in its units: what each kind of source, the biases and the rules took.

    target = tokens + token types + positions + decoder inputs + biases + what softmax, non-linear and epsilon rules absorbed + gap.
    Each account is summed from its own terms; the gap is what they leave, never booked elsewhere. Sources: AttnLRP (Achtibat et al.
    2024, proposition 3.1), PA-LRP (Bakish et al. 2025, eq. 5). `softmax_layers` tells what softmax absorbed in each layer.
    """

    target: float
    accounts: Mapping[str, float]
    softmax_layers: Mapping[int, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """Target minus the sum of all accounts."""
        return self.target - sum(self.accounts.values())

    @property
    def relative_gap(self) -> float:
        """|gap| / max(|target|, 1): the figure that must stay below 1e-4 in float32 and 1e-10 in float64."""
        return abs(self.gap) / max(abs(self.target), 1.0)


@dataclass(frozen=True, slots=True)
class PositionRelevance:
    """Relevance of positions in one layer: `absolute` and `rotary` by position, `relative` by distance (key minus query).

    `values[i]` belongs to position (or distance) `first + i`; layer -1 is the embedding. Source: PA-LRP (Bakish et al. 2025); by
    distance is an extension of it.
    """

    kind: str
    layer: int
    first: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ComponentRelevance:
    """The largest relevances of one kind of component in one layer, and the sum of all that was left out.

    `relevance[i]` belongs to unit `unit[i]` at token `token[i]`. Kinds: `residual`, `attention`, `mlp` (unit 0: the whole stream),
    `heads`, `neurons`, `features` (dimensions of the residual stream).
    """

    kind: str
    layer: int
    token: NDArray[np.int32]
    unit: NDArray[np.int32]
    relevance: NDArray[np.float32]
    rest: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Relevance of one text's tokens (and their positions) for one target of one model.

    `decoder_inputs` and `decoder_positions` are empty for a model without a decoder of its own; `position_layers` and `components`
    hold what was asked for.
    """

    tokens: NDArray[np.float32]
    positions: NDArray[np.float32]
    sensitivity: NDArray[np.float32]
    ledger: Ledger
    decoder_inputs: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    decoder_positions: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    position_layers: tuple[PositionRelevance, ...] = ()
    components: tuple[ComponentRelevance, ...] = ()
