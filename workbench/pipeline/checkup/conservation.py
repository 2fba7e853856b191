"""Does the model say the same under rules as without them, and is all of it accounted for?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workbench.attribution.trace import finite, record
from workbench.errors import PropagationError
from workbench.models.model import Model
from workbench.pipeline.checkup.cases import Case, plain
from workbench.relevance import ACCOUNTS, Explanation
from workbench.rules.composite import composite

#: By the type that a model computes in: how far values may differ and ledgers stay open, relative to a value of at least 1.
BARS = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 5e-2}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot be explained: what was asked, what was found, what to do."""

    asked: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Row:
    """A composite on all texts: largest difference of the output, largest open part of a ledger, share of each account in all sizes."""

    composite: str
    bar: float
    difference: float = 0.0
    gap: float = 0.0
    closed: int = 0
    texts: int = 0
    shares: Mapping[str, float] | None = None
    refusal: Refusal | None = None

    @property
    def met(self) -> bool:
        """Whether the value is the plain model's and every ledger closes; neither is so of what is not a number."""
        return self.refusal is None and self.difference <= self.bar and self.closed == self.texts


def row(model: Model, cases: Sequence[Case], name: str, bar: float) -> Row:
    """Value and ledgers of one composite; a refusal is kept with its place and remedy."""
    differences, explanations = [], []
    name = composite(name).name
    try:
        for case in cases:
            traced = record(model.module, case.inputs, name)
            differences.append(difference(plain(model.module, case.inputs), traced.output))
            explanations += traced.explain(case.target)
    except PropagationError as error:
        return Row(name, bar, refusal=Refusal(error.asked, error.found, error.remedy))
    gaps = [one.ledger.relative_gap if finite(one) else float("inf") for one in explanations]
    return Row(name, bar, max(differences), max(gaps), sum(gap <= bar for gap in gaps), len(gaps), shares(explanations))


def difference(expected: Any, found: Any) -> float:
    """Largest difference of all floating tensors of two outputs, relative to the largest value where that exceeds 1."""
    largest = 0.0
    for name, value in expected.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            continue
        distance = float((value.double() - found[name].detach().double()).abs().max())
        largest = max(largest, distance / max(1.0, float(value.double().abs().max())))
    return largest


def shares(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Share of each account, and of the gap, in the sum of their sizes (as the store's query `conservation` has it)."""
    sums = {name: sum(abs(one.ledger.accounts[name]) for one in explanations) for name in ACCOUNTS}
    sums["gap"] = sum(abs(one.ledger.gap) for one in explanations)
    whole = sum(sums.values())
    return {name: value / whole if whole else 0.0 for name, value in sums.items()}
