"""Products of active tensors: each factor keeps its share (uniform rule; AttnLRP, Achtibat et al. 2024, propositions 3.2-3.3).

The value is unchanged; relevance of the product is split evenly and conserved, since x . (y g / 2) + y . (x g / 2) = x y . g. With the
rule `signal` a gate (the result of an activation) is a constant (signal-takes-it-all, Arras et al. 2017). A rotary factor is a constant,
or under PA-LRP (Bakish et al. 2025) takes half for its position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from workbench.rules import alpha_beta
from workbench.rules.composite import Composite
from workbench.rules.marks import NEURONS, POSITION, WEIGHTS, is_marked
from workbench.rules.operations import resolve
from workbench.rules.readings import aggregated
from workbench.rules.recorder import Recorder, watch, wide

ELEMENTWISE = resolve("mul multiply __mul__ __rmul__")
#: Names of operands, in their order.
OPERANDS = ("input", "other", "tensor", "mat2", "vec2", "vec")


def active(value: object) -> bool:
    """Whether a value was computed from a source."""
    return getattr(value, "requires_grad", False)


def by_place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands in their order, also those given by name or, as `einsum` allows, in a list; and all other arguments."""
    if not kwargs and not any(isinstance(value, (list, tuple)) for value in args):
        return args, kwargs
    flat = tuple(part for value in args for part in (value if isinstance(value, (list, tuple)) else (value,)))
    named = tuple(kwargs[name] for name in OPERANDS if name in kwargs)
    return flat + named, {name: value for name, value in kwargs.items() if name not in OPERANDS}


def product(recorder: Recorder, rules: Composite, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """A product of any number of operands (matmul, mul, einsum): plain when at most one is active, else the composite's rule."""
    args, kwargs = by_place(args, kwargs)
    count = sum(active(value) for value in args)
    if count < 2:
        return single(recorder, rules, function, args, kwargs)
    if rules.product == "gradient":
        return recorder.tap(function(*args, **kwargs), "nonlinear", 1.0 - count)
    if rules.product == "signal":
        gates = [is_marked(value, NEURONS) for value in args]
        if any(gates) and not all(gates):
            return function(*(value.detach() if gate else value for value, gate in zip(args, gates, strict=True)), **kwargs)
    if rules.attention == "gradient" and function not in ELEMENTWISE:  # products of two active matrices are those of attention
        return recorder.tap(function(*args, **kwargs), rules.attention_account, 1.0 - count)
    if function in ELEMENTWISE:
        return recorder.shared(function(*args, **kwargs), 1 / count)
    halves = (recorder.tap(value, "nonlinear", 0.0, share=1 / count) if active(value) else value for value in args)
    return function(*halves, **kwargs)


def single(recorder: Recorder, rules: Composite, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """A product with at most one active factor: linear, but for attention weights and positions under rules that look at them."""
    result = function(*args, **kwargs)
    if not result.requires_grad:
        return result
    if rules.position == "half" and any(is_marked(value, POSITION) for value in args):
        factor = next(value for value in args if is_marked(value, POSITION))
        return positioned(recorder, result, factor, elementwise=function in ELEMENTWISE)
    if rules.linear == "alpha_beta" and len(args) > 1 and is_marked(args[0], WEIGHTS) and active(args[1]):
        return alpha_beta.weighted(recorder, rules, args[0], args[1])
    return result


def positioned(recorder: Recorder, value: Tensor, factor: Tensor, *, elementwise: bool) -> Tensor:
    """`value`, of which the positions that `factor` carries take half: a rotation by token, or scores by token and distance."""
    layer, decoder = recorder.layer, recorder.decoder
    axis = token_axis(value, factor) if elementwise else value.ndim - 2

    def record(gradient: Tensor, kept: Tensor) -> Tensor:
        relevance = wide(kept) * wide(gradient)
        if axis is None:
            recorder.add("positions", recorder.by_row(relevance), 0.5)
            return 0.5 * gradient
        units = relevance.reshape(recorder.rows, -1, *kept.shape[1:])
        others = [place for place in range(1, units.ndim) if place != axis + 1]
        by_token = 0.5 * aggregated(units, recorder.readings.aggregation, others)
        signed = recorder.readings.aggregation == "signed"
        recorder.add("positions", by_token.sum(1) if signed else 0.5 * recorder.by_row(relevance))
        recorder.readings.position("rotary" if elementwise else "relative", layer, by_token, decoder)
        return 0.5 * gradient

    recorder.check_rows(value)
    return watch(value, record)


def token_axis(value: Tensor, factor: Tensor) -> int | None:
    """The axis of tokens in `value (batch ... hidden)`: the inner axis in which the factor is as long as the value."""
    if factor.ndim != value.ndim or value.ndim < 3:
        return None
    inner = range(1, value.ndim - 1)
    along = [place for place in inner if factor.shape[place] == value.shape[place] > 1]
    return along[0] if len(along) == 1 else next((place for place in reversed(inner) if value.shape[place] == 1), None)
