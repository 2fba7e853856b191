"""Weighted sums over tokens, taken before the linear operations that lead to what is summed: these have one token to do instead of all.

Poolings are such sums. A linear layer, a sum and a norm by constant scales commute with them, and what is elementwise with the choice of
one token; whatever else comes before is summed as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.rules import operations, steps
from workbench.rules.calls import Call
from workbench.rules.layout import Rows
from workbench.rules.tape import Node, Step, Sums, node_of

#: Makes a node of a step and its inputs.
New = Callable[[Step, tuple[Node, ...]], Node]

TOTALS = operations.resolve("sum mean")
CHOICES = operations.resolve("gather")
POOLINGS = TOTALS | CHOICES


def token_sum(node: Node, weights: Tensor, new: New) -> Node:
    """The sum over tokens of what `node` stands for, by weights `(text token)`."""
    if node.sums is None:
        return new(weighted(weights), (node,))
    found: Node = node.sums(weights, new)
    return found


def weighted(weights: Tensor) -> Step:
    """A sum over tokens."""

    def step(_: Rows, streams: Tensor) -> Tensor:
        return torch.matmul(weights[:, None].to(streams.dtype), streams).squeeze(-2)

    return step


def weights_of(call: Call) -> Tensor | None:
    """The weights `(text token)` of a sum, mean or choice over the tokens of `(text token dim)`, None for any other function."""
    if call.function not in POOLINGS:
        return None
    given = call.given("input", "dim", "index")
    x, dim, index = given.get("input"), given.get("dim"), given.get("index")
    if not isinstance(x, Tensor) or x.ndim != 3 or isinstance(dim, Tensor) or dim not in (1, -2, (1,), [1]):
        return None
    if call.function in CHOICES:
        if not isinstance(index, Tensor) or index.shape[1] != 1 or not bool((index == index[..., :1]).all()):
            return None
        return x.new_zeros(x.shape[:2]).scatter_(1, index[..., 0], 1.0)
    if index is not None or given.get("keepdim") or given.get("dtype") not in (None, x.dtype):
        return None
    return x.new_full(x.shape[:2], 1 / x.shape[1] if "mean" in call.name else 1.0)


def record(call: Call, result: Tensor, weights: Tensor, new: New) -> Node:
    """The node of a sum over tokens, whose axis is kept where the result has it."""
    node = token_sum(call.nodes[0], weights, new)
    return node if result.ndim == 2 else new(lambda _, streams: streams.unsqueeze(2), (node,))


@dataclass(frozen=True, slots=True)
class OfLayer:
    """A linear layer of the sum; the bias counts as often as the weights say."""

    weight: Tensor
    bias: Tensor | None
    given: Node

    def __call__(self, weights: Tensor, new: New) -> Node:
        """The node of the sum."""
        times = None if self.bias is None else self.bias * weights.sum(1, keepdim=True)
        return new(steps.linear(self.weight, times), (token_sum(self.given, weights, new),))


def addition(weights: tuple[float, float], *given: Node) -> Sums:
    """A sum of two sums; only that of a layer's output is taken earlier, the residual stream is there to be summed."""

    def sums(own: Tensor, new: New) -> Node:
        parts = (token_sum(node, own, new) if isinstance(node.sums, OfLayer) else new(weighted(own), (node,)) for node in given)
        return new(steps.addition(2, weights), tuple(parts))

    return sums


def norm(scale: Tensor, weight: Tensor | None, bias: Tensor | None, given: Node) -> Sums:
    """A norm of the sum by weights times the scale `(text token 1)` of each token."""

    def sums(own: Tensor, new: New) -> Node:
        gain = torch.ones((), dtype=scale.dtype, device=scale.device) if weight is None else weight
        times = None if bias is None else bias * own.sum(1, keepdim=True)
        return new(steps.norm(gain, times), (token_sum(given, own * scale[..., 0], new),))

    return sums


def scaled(ratio: Tensor, given: Node) -> Sums:
    """Elementwise constants of the one token that is chosen; sums of several are taken after them."""

    def sums(own: Tensor, new: New) -> Node:
        if bool((own.count_nonzero(1) == 1).all()):
            chosen = ratio[torch.arange(len(own), device=own.device), own.abs().argmax(1)]
            return new(steps.scaled(chosen), (token_sum(given, own, new),))
        return new(weighted(own), (new(steps.scaled(ratio), (given,)),))

    return sums


def product(call: Call, result: Any) -> Sums | None:
    """A product by constants that are the same for all numbers of a token (a mask): they become weights; None for any other."""
    constants = [value for value in call.args if isinstance(value, Tensor) and node_of(value) is None]
    if result.ndim != 3 or len(call.nodes) != 1 or len(constants) != 1 or constants[0].ndim != 3 or call.function not in steps.SCALINGS:
        return None
    of_token = constants[0][..., :1]
    if not bool((constants[0] == of_token).all()):
        return None
    factor = of_token[..., 0].expand(result.shape[:2])
    return lambda weights, new: token_sum(call.nodes[0], weights * factor, new)
