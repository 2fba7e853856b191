"""Marks: what a tensor is to the rules, remembered on the tensor itself and handed on by functions that keep its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

NAME = "_workbench_marks"

#: The statistic of a norm on its way to a root.
STATISTIC = "statistic"
#: A factor that carries positions: rotary cosines and sines, projections of a relative position table.
POSITION = "position"
#: Attention weights, the result of a softmax over scores.
WEIGHTS = "weights"
#: The result of an activation, or a product with one: what the next linear layer reads as its neurons, or a gate.
NEURONS = "neurons"


def mark(value: Any, *names: str) -> Any:
    """The tensor itself, marked; every tensor of a tuple or list."""
    if isinstance(value, Tensor):
        if names:
            setattr(value, NAME, getattr(value, NAME, frozenset()).union(names))
    elif isinstance(value, (tuple, list)):
        for part in value:
            mark(part, *names)
    return value


def marks(value: object) -> frozenset[str]:
    """The marks of a tensor, or of all tensors of a list."""
    if isinstance(value, (tuple, list)):
        return frozenset().union(*map(marks, value))
    return getattr(value, NAME, frozenset()) if isinstance(value, Tensor) else frozenset()


def is_marked(value: object, name: str) -> bool:
    """Whether a tensor has the mark."""
    return isinstance(value, Tensor) and name in getattr(value, NAME, ())


def hand_on(arguments: Iterable[object], result: Any, names: frozenset[str]) -> Any:
    """The result, marked with those of `names` that an argument has."""
    found = frozenset().union(*map(marks, arguments)) & names
    return mark(result, *found) if found else result
