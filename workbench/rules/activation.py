"""The identity rule: an elementwise activation passes relevance on unchanged (AttnLRP, Achtibat et al. 2024, eq. 9).

In gradient form the derivative is f(x)/x instead of f'(x). Closed forms are used where they exist, so that nothing is divided by a
small number: SiLU sigmoid(x), GELU Phi(x), tanh-GELU (1 + tanh(...))/2, ReLU step(x), tanh tanh(x)/x with 1 at 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules.marks import NEURONS, mark
from workbench.rules.recorder import Recorder, watch, without_masks

Ratio = Callable[[Tensor, Tensor], Tensor]


def gelu_ratio(x: Tensor, y: Tensor, approximate: str = "none") -> Tensor:
    """GELU(x)/x: the normal distribution function, or its tanh approximation."""
    if approximate == "tanh":
        return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    # torch.special.ndtr is the same number at five times the cost.
    return x.mul(math.sqrt(0.5)).erf_().add_(1).mul_(0.5)


def silu_ratio(x: Tensor, y: Tensor) -> Tensor:
    """SiLU(x)/x = sigmoid(x)."""
    return torch.sigmoid(x)


def relu_ratio(x: Tensor, y: Tensor) -> Tensor:
    """ReLU(x)/x = 1 where x > 0, else 0."""
    return (x > 0).to(x.dtype)


def tanh_ratio(x: Tensor, y: Tensor) -> Tensor:
    """tanh(x)/x, 1 at 0."""
    return torch.where(x == 0, torch.ones_like(x), y / torch.where(x == 0, torch.ones_like(x), x))


def quotient(x: Tensor, y: Tensor, *_: Any, **__: Any) -> Tensor:
    """f(x)/x for any f with f(0) = 0; at 0 itself nothing flows, since x times anything is 0 there."""
    return torch.where(x == 0, torch.zeros_like(x), y / torch.where(x == 0, torch.ones_like(x), x))


RATIOS: dict[Callable[..., Any], Callable[..., Tensor]] = {
    **dict.fromkeys((F.gelu, torch._C._nn.gelu), gelu_ratio),
    **dict.fromkeys((F.silu, torch._C._nn.silu), silu_ratio),
    **dict.fromkeys((F.relu, torch.relu, Tensor.relu), relu_ratio),
    **dict.fromkeys((F.tanh, torch.tanh, Tensor.tanh), tanh_ratio),
    **dict.fromkeys((F.leaky_relu, F.elu, F.selu, F.celu, F.mish, F.hardswish, F.softsign, torch.selu, torch.celu), quotient),
}


class IdentityRule(torch.autograd.Function):
    """`y` in value, `ratio` as the derivative with respect to `x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, ratio: Tensor) -> Tensor:
        ctx.save_for_backward(ratio)
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (ratio,) = ctx.saved_tensors
        return gradient * ratio, None, None


def identity(x: Tensor, y: Tensor, ratio: Tensor) -> Tensor:
    """`y = f(x)` in value with the derivative `ratio = f(x)/x`."""
    return IdentityRule.apply(x, y, ratio)  # type: ignore[no-any-return, no-untyped-call]


def activation(recorder: Recorder, rule: str, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Applies the identity rule, or the plain derivative with what it does not conserve booked as `nonlinear`."""
    options = {name: value for name, value in kwargs.items() if name not in ("input", "inplace")}
    x = args[0] if args else kwargs["input"]
    if rule == "gradient":
        return recorder.tap(function(recorder.tap(x, "nonlinear", -1.0), *args[1:], **options), "nonlinear")
    with torch.no_grad():
        y = function(x, *args[1:], **options)
        ratio = RATIOS[function](x, y, **options)
    return mark(identity(x, y, ratio), NEURONS)  # type: ignore[no-any-return]


def plain(recorder: Recorder, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Any smooth function at its plain derivative: what value times derivative does not conserve is booked as `nonlinear`."""
    tapped = (smooth(recorder, value, -1.0) for value in args)
    named = {name: smooth(recorder, value, -1.0) for name, value in kwargs.items()}
    result: Tensor = smooth(recorder, function(*tapped, **named), 1.0)
    return result


def smooth(recorder: Recorder, value: Any, weight: float) -> Any:
    """An active tensor, of which `weight * value . gradient` is booked where the value is finite; anything else as it is."""
    if not isinstance(value, Tensor) or not value.requires_grad:
        return value
    recorder.check_rows(value)

    def record(gradient: Tensor, kept: Tensor) -> None:
        recorder.add("nonlinear", recorder.row_products(without_masks(kept), gradient), weight)

    return watch(value, record)
