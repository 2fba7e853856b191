"""Softmax of scores (AttnLRP, Achtibat et al. 2024, proposition 3.1): its Taylor expansion at the scores has a bias for each output.

`absorb`: the bias keeps its share, and the derivative is softmax's own; what it keeps is booked. `omit` leaves the bias out of the
denominator and `distribute` spreads its share evenly over the inputs: both conserve and, as the paper warns, are numerically
unstable, because their shares are divided by sums that may vanish; what a stabiliser takes away is booked as `epsilon`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workbench.rules.composite import Composite
from workbench.rules.recorder import Recorder, watch, wide, without_masks

STABILISER = 1e-6


def softmax(recorder: Recorder, rules: Composite, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Softmax under the composite: a constant, its true derivative with the absorbed part booked, or a conserving mode."""
    options = {name: value for name, value in kwargs.items() if name != "input"}
    scores = args[0] if args else kwargs["input"]
    if rules.attention == "constant":
        return function(scores, *args[1:], **options).detach()
    dimension = args[1] if len(args) > 1 else options.get("dim", -1)
    if rules.attention == "half" and rules.softmax != "absorb" and dimension in (-1, scores.ndim - 1):
        recorder.check_rows(scores)
        return Conserving.apply(scores, rules.softmax, recorder)  # type: ignore[no-any-return, no-untyped-call]
    account = rules.attention_account
    return recorder.tap(function(booked(recorder, scores, account), *args[1:], **options), account)


def booked(recorder: Recorder, scores: Tensor, account: str) -> Tensor:
    """`scores`, of which `value . gradient` is taken from what softmax absorbs; masks (minus infinity) take no part."""
    layer = recorder.layer
    recorder.check_rows(scores)

    def record(gradient: Tensor, kept: Tensor) -> None:
        recorder.add(account, recorder.row_products(without_masks(kept), gradient), -1.0, layer)

    return watch(scores, record)


def stabilised(value: Tensor) -> Tensor:
    """The value, kept away from zero with its sign."""
    sign = torch.where(value < 0, -torch.ones_like(value), torch.ones_like(value))
    return value + STABILISER * sign


def taken(value: Tensor) -> Tensor:
    """The share of a quotient by `value` that its stabiliser takes away."""
    return 1 - value / stabilised(value)


class Conserving(torch.autograd.Function):
    """Softmax over the last axis, whose bias is omitted or distributed."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, mode: str, recorder: Recorder) -> Tensor:
        weights = torch.softmax(scores, -1)
        ctx.save_for_backward(scores, weights)
        ctx.mode, ctx.recorder = mode, recorder
        return weights

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        scores, weights = ctx.saved_tensors
        relevance = weights * gradient
        alive = weights > 0
        x = torch.where(alive, scores, torch.zeros_like(scores))
        mean = (weights * x).sum(-1, keepdim=True)
        if ctx.mode == "omit":
            # R_i = sum_j J_ji x_i R_j / (sum_k J_jk x_k), J_ji = s_j (delta_ji - s_i): the denominator is s_j (x_j - sum s x).
            shares = torch.where(alive, gradient / stabilised(x - mean), torch.zeros_like(x))
            answer = weights * (shares - (weights * shares).sum(-1, keepdim=True))
            lost = relevance * taken(x - mean)
        else:
            # the bias b_j = s_j (1 - x_j + sum s x) holds b_j R_j / s_j of output j, spread evenly over the inputs that are not masked
            spread = (relevance * (1 - x + mean)).sum(-1, keepdim=True) / alive.sum(-1, keepdim=True)
            evenly = torch.where(alive, spread / stabilised(x), torch.zeros_like(x))
            answer = relevance - weights * relevance.sum(-1, keepdim=True) + evenly
            lost = torch.where(alive, spread * taken(x), torch.zeros_like(x))
        ctx.recorder.add("epsilon", ctx.recorder.by_row(wide(lost)))
        return answer, None, None
