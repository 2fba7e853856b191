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

from workbench.rules import alpha_beta
from workbench.rules.composite import Composite
from workbench.rules.marks import STATISTIC, mark
from workbench.rules.recorder import Recorder


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
        return scaled.sub_(scaled.mean(ctx.axes, keepdim=True)).mul_(inverse_std), None, None, None, None


def layer_norm(
    recorder: Recorder,
    rules: Composite,
    x: Tensor,
    shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer norm with 1/std fixed, or with its plain derivative and the non-linear part of that booked."""
    if rules.normalization == "gradient":
        y = F.layer_norm(recorder.tap(x, "nonlinear", -1.0), shape, weight, bias, eps)
        return recorder.tap(y if bias is None else recorder.constant(y, bias, taken_from="nonlinear"), "nonlinear")
    if rules.linear == "alpha_beta" and len(shape) == 1:
        return centred(recorder, rules, x, weight, bias, eps)
    y = ConstantScale.apply(x, list(shape), weight, bias, eps)  # type: ignore[no-untyped-call]
    return y if bias is None else recorder.constant(y, bias)


def centred(recorder: Recorder, rules: Composite, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Layer norm with 1/std fixed as the linear layer that it then is, `(x / std) @ (diag(gain) - gain 1^T / n).T + bias`."""
    scale = (x.detach().var(-1, unbiased=False, keepdim=True) + eps).rsqrt()
    gain = x.new_ones(x.shape[-1]) if weight is None else weight.detach()
    matrix = torch.diag(gain) - gain[:, None] / x.shape[-1]
    return alpha_beta.dense(recorder, rules, x * scale, matrix, bias)


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:  # noqa: A002
    """`F.rms_norm` in value; the root mean square is a constant."""
    axes = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    small = torch.finfo(input.dtype).eps if eps is None else eps
    scaled: Tensor = input * (input.detach().square().mean(axes, keepdim=True) + small).rsqrt()
    return scaled if weight is None else scaled * weight


def unit(input: Tensor, p: float | int = 2, dim: int = 1, eps: float = 1e-12, out: None = None) -> Tensor:  # noqa: A002 - torch's own names
    """`F.normalize` in value; the norm is a constant."""
    norm: Tensor = torch.linalg.vector_norm(input.detach(), p, dim, keepdim=True).clamp_min(eps)
    return input / norm


def statistic(value: Tensor) -> Tensor:
    """Marks the statistic of a norm: a constant that may only end in a root."""
    return mark(value.detach(), STATISTIC)  # type: ignore[no-any-return]
