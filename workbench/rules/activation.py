"""The identity rule: an elementwise activation passes relevance on unchanged (AttnLRP, Achtibat et al. 2024, eq. 9).

In gradient form the derivative is f(x)/x instead of f'(x): SiLU sigmoid(x), GELU Phi(x), tanh-GELU (1 + tanh(...))/2, ReLU step(x), tanh
tanh(x)/x. A value that the model computed as x times such a number of size at most 1 gives it back when divided by x: to two units in
the last place at every x but 0 (the limit is known there), in any precision, with nothing that could overflow, and conserving the value
as the model rounded it. Evaluating erf or tanh again would cost six times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules.marks import NEURONS, mark
from workbench.rules.recorder import Recorder, watch, without_masks

Ratio = Callable[[Tensor, Tensor], Tensor]


def gelu_ratio(x: Tensor, y: Tensor, approximate: str = "none") -> Tensor:
    """GELU(x)/x: the normal distribution function, or its tanh approximation; 1/2 at 0."""
    return (y / x).nan_to_num_(0.5)


def silu_ratio(x: Tensor, y: Tensor) -> Tensor:
    """SiLU(x)/x = sigmoid(x), 1/2 at 0."""
    return (y / x).nan_to_num_(0.5)


def relu_ratio(x: Tensor, y: Tensor) -> Tensor:
    """ReLU(x)/x = 1 where x > 0, else 0."""
    return (x > 0).to(x.dtype)


def tanh_ratio(x: Tensor, y: Tensor) -> Tensor:
    """tanh(x)/x, 1 at 0."""
    return (y / x).nan_to_num_(1.0)


def quotient(x: Tensor, y: Tensor, *_: Any, **__: Any) -> Tensor:
    """f(x)/x for any f with f(0) = 0; at 0 itself nothing flows, since x times anything is 0 there."""
    return (y / x).nan_to_num_(0.0, 0.0, 0.0)


RATIOS: dict[Callable[..., Any], Callable[..., Tensor]] = {
    **dict.fromkeys((F.gelu, torch._C._nn.gelu), gelu_ratio),
    **dict.fromkeys((F.silu, torch._C._nn.silu), silu_ratio),
    **dict.fromkeys((F.relu, torch.relu, Tensor.relu), relu_ratio),
    **dict.fromkeys((F.tanh, torch.tanh, Tensor.tanh), tanh_ratio),
    **dict.fromkeys((F.leaky_relu, F.elu, F.selu, F.celu, F.mish, F.hardswish, F.softsign, torch.selu, torch.celu), quotient),
}
#: Linear on either side of 0: f'(x) is f(x)/x already.
PIECEWISE = frozenset({F.relu, torch.relu, Tensor.relu, F.leaky_relu})


class IdentityRule(torch.autograd.Function):
    """`y` in value, `ratio` as the derivative with respect to `x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, ratio: Tensor) -> Tensor:
        ctx.save_for_backward(ratio)
        return y.detach()  # no view: what a model changes in place afterwards is its own

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
    if function in PIECEWISE:
        return mark(function(x, *args[1:], **options), NEURONS)  # type: ignore[no-any-return]
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
