"""Normalisation: the scale 1/std is a constant, centring and gain stay linear (LN-rule, Ali et al. 2022; AttnLRP, proposition 3.4).

Layer norm is met at `F.layer_norm`. Norms written out in Python (`x * rsqrt(mean(x ** 2) + eps)`) are met at their statistics: a
power or variance of an active tensor may only flow through means and sums into a (reciprocal) root, whose result is then a
constant; any other use of it is refused.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules.recorder import Recorder

STATISTIC = "_workbench_statistic"


class ConstantScale(torch.autograd.Function):
    """Layer norm in value; the derivative keeps 1/std fixed, so only centring and gain are differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: list[int], weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
        y, _, inverse_std = torch.native_layer_norm(x, shape, weight, bias, eps)
        ctx.save_for_backward(inverse_std, weight)
        ctx.axes = tuple(range(x.ndim - len(shape), x.ndim))
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        inverse_std, weight = ctx.saved_tensors
        scaled = gradient.clone() if weight is None else gradient * weight
        scaled.sub_(scaled.mean(ctx.axes, keepdim=True))
        return scaled.mul_(inverse_std), None, None, None, None


def layer_norm(
    recorder: Recorder,
    rule: str,
    x: Tensor,
    shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer norm under the rule `constant` (1/std fixed) or `gradient` (plain derivative, its non-linear part booked)."""
    if rule == "gradient":
        y = F.layer_norm(recorder.tap(x, "nonlinear", -1.0), shape, weight, bias, eps)
        if bias is not None:
            y = recorder.constant(recorder.constant(y, bias), bias, "nonlinear", -1.0)
        return recorder.tap(y, "nonlinear")
    y = ConstantScale.apply(x, list(shape), weight, bias, eps)  # type: ignore[no-untyped-call]
    return y if bias is None else recorder.constant(y, bias)


def unit(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None) -> Tensor:  # noqa: A002 - torch's own names
    """`F.normalize` in value; the norm is a constant."""
    norm: Tensor = torch.linalg.vector_norm(input.detach(), p, dim, keepdim=True).clamp_min(eps)
    return input / norm


def statistic(value: Tensor) -> Tensor:
    """Marks the statistic of a norm: a constant that may only end in a root."""
    constant = value.detach()
    setattr(constant, STATISTIC, True)
    return constant


def is_statistic(value: object) -> bool:
    """Whether `value` is the statistic of a norm on its way to a root."""
    return isinstance(value, Tensor) and getattr(value, STATISTIC, False)
