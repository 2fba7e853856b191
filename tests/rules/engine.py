"""The engine on a single operation: active tensors in, their relevance and the accounts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workbench.relevance import ACCOUNTS
from workbench.rules.composite import Composite, composite
from workbench.rules.propagation import propagation
from workbench.rules.recorder import Recorder


@dataclass(frozen=True)
class Propagated:
    """What one backward pass gave."""

    output: Tensor
    start: Tensor
    relevance: tuple[Tensor, ...]
    recorder: Recorder

    def account(self, name: str) -> Tensor:
        """An account by text, zeros where nothing was booked."""
        return self.recorder.accounts.get(name, torch.zeros(self.recorder.rows, dtype=torch.float64))

    @property
    def gap(self) -> float:
        """The largest part, over texts, of the output's relevance that nothing accounts for."""
        arrived = sum(part.reshape(self.recorder.rows, -1).sum(1) for part in self.relevance)
        assert set(self.recorder.accounts) <= set(ACCOUNTS)
        explained = (self.output * self.start).reshape(self.recorder.rows, -1).sum(1)
        booked = sum(self.recorder.accounts.values(), torch.zeros(self.recorder.rows, dtype=torch.float64))
        return float((explained - arrived - booked).abs().max() / explained.abs().max().clamp_min(1e-300))


def rules(name: str, **changes: Any) -> Composite:
    """A registered composite with other parameters."""
    return replace(composite(name), **changes)


def propagate(
    chosen: str | Composite, function: Callable[..., Tensor], leaves: Sequence[Tensor], *, start: Tensor | None = None, rows: int = 1,
    module: nn.Module | None = None, **options: Any,
) -> Propagated:  # fmt: skip
    """Runs `function(*leaves)` under rules; `start` is the derivative of the explained number by its output (drawn where not given)."""
    active = [leaf.detach().clone().requires_grad_(True) for leaf in leaves]
    with propagation((module or nn.Identity()).eval(), composite(chosen), rows, **options) as recorder:
        output = function(*active)
    if start is None:
        start = torch.randn(output.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4)).to(output.dtype)
    gradients = torch.autograd.grad(output, [*active, *recorder.leaves], start, allow_unused=True)[: len(active)]
    relevance = tuple(
        torch.zeros_like(leaf) if gradient is None else (leaf * gradient).detach() for leaf, gradient in zip(active, gradients, strict=True)
    )
    return Propagated(output.detach(), start, relevance, recorder)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers in float64."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
