"""Products of active tensors: each factor keeps its share (uniform rule; AttnLRP, Achtibat et al. 2024, propositions 3.2-3.3).

The value is unchanged; relevance of the product is split evenly and conserved, since x . (y g / 2) + y . (x g / 2) = x y . g.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from workbench.rules.recorder import Recorder


def active(value: object) -> bool:
    """Whether a value was computed from a source."""
    return isinstance(value, Tensor) and value.requires_grad


def product(recorder: Recorder, rule: str, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """A product of any number of operands (matmul, mul, einsum): plain when at most one is active, half rule for two."""
    count = sum(active(value) for value in args)
    if count < 2:
        return function(*args, **kwargs)
    if rule == "gradient":
        return recorder.tap(function(*args, **kwargs), "nonlinear", 1.0 - count)
    halves = (recorder.tap(value, "nonlinear", 0.0, share=1 / count) if active(value) else value for value in args)
    return function(*halves, **kwargs)
