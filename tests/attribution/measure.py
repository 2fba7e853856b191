"""What is measured of a family under a composite: by the test table, and for the page of families."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch

from tests.attribution.families import Double, Family, build, inputs, target, texts
from workbench.attribution.trace import record
from workbench.relevance import ACCOUNTS


@dataclass(frozen=True)
class Measured:
    """Largest difference to the plain model's output, largest relative gap of the ledger, and mean size of each account's share."""

    difference: float
    gap: float
    shares: Mapping[str, float]


def measure(family: Family, composite: str, dtype: torch.dtype = torch.float64, *, count: int = 3, length: int = 11) -> Measured:
    """The figures of one cell; in float64 the casts to float32 that a model makes on its way are left out (`Double`).

    The gap is relative to the largest account where that is more than the target: conserving softmax modes reach sizes far above it.
    """
    model = build(family, dtype=dtype, gain=3.0 if dtype == torch.float64 else 1.0)
    given = inputs(family, texts(1 if family.single else count, length))
    options = {} if family.task == "classifier" else {"use_cache": False}
    with Double() if dtype == torch.float64 else nullcontext():
        with torch.no_grad():
            plain = model(**given, **options).logits
        trace = record(model, {**given, **options}, composite)
    difference = (trace.logits - plain).abs().max() / plain.abs().max()
    explanations = trace.explain(target(family, plain))
    ledgers = [explanation.ledger for explanation in explanations]
    scale = [max(abs(ledger.target), 1.0, *map(abs, ledger.accounts.values())) for ledger in ledgers]
    sizes = {account: sum(abs(ledger.accounts[account]) for ledger in ledgers) for account in ACCOUNTS}
    whole = sum(sizes.values()) or 1.0
    gap = max(abs(ledger.gap) / size for ledger, size in zip(ledgers, scale, strict=True))
    return Measured(difference.item(), gap, {account: size / whole for account, size in sizes.items()})
