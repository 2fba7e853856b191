"""The result of one explanation: relevance of its sources and the ledger that accounts for all of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Ledger accounts in the order in which they are shown; every explanation has all of them.
ACCOUNTS = ("tokens", "token_types", "positions", "biases", "softmax", "nonlinear", "epsilon")


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account of all of a target, in its units: what each kind of source, the biases and the rules took.

    target = tokens + token types + positions + biases + what softmax, non-linear and epsilon rules absorbed + gap. Each account is
    summed from its own terms; the gap is what they leave, never booked elsewhere. Sources: AttnLRP (Achtibat et al. 2024, proposition 3.1),
    PA-LRP (Bakish et al. 2025, eq. 5).
    """

    target: float
    accounts: Mapping[str, float]

    @property
    def gap(self) -> float:
        """Target minus the sum of all accounts."""
        return self.target - sum(self.accounts.values())

    @property
    def relative_gap(self) -> float:
        """|gap| / max(|target|, 1): the figure that must stay below 1e-4 in float32 and 1e-10 in float64."""
        return abs(self.gap) / max(abs(self.target), 1.0)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Relevance of one text's tokens (and their positions) for one target of one model."""

    tokens: NDArray[np.float32]
    positions: NDArray[np.float32]
    sensitivity: NDArray[np.float32]
    ledger: Ledger
