"""What each torch function is answered with where an argument of it is active: one table, a row for each set of functions.

An answer gives the function's own value, with the derivative that the composite's rule says. A function without an answer is one that
asks (it has none), one with a rule of the user's, or one that may not give an active result: `other`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from workbench.rules import activation, alpha_beta, attention, normalization, operations, product, register, softmax
from workbench.rules import linear as layers
from workbench.rules.marks import NEURONS, WEIGHTS, is_marked, mark
from workbench.rules.product import active

if TYPE_CHECKING:
    from workbench.rules.propagation import Propagation

Function: TypeAlias = Callable[..., Any]
Arguments: TypeAlias = tuple[Any, ...]
Options: TypeAlias = dict[str, Any]
Answer: TypeAlias = Callable[["Propagation", Function, Arguments, Options], Any]

#: What only the plain derivative knows what to do with.
PLAIN = operations.SMOOTH | operations.STATISTICS | operations.ROOTS | operations.DIVISIONS | operations.RMS_NORMS


def linear(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A function that passes relevance on by its own derivative; what a selective scan takes its parameters from is constant."""
    if mode.scanning and function in operations.SPLITS:
        return scan_parameters(function(*args, **kwargs))
    return function(*args, **kwargs)


def dense(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A linear layer, of which only the input may be active."""
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
    x, weight, bias = given["input"], given["weight"], given.get("bias")
    if not active(x):
        raise mode.refusal(function, " with weights")
    x = neurons(mode, x)
    return layers.dense(mode.recorder, mode.composite, x, weight, bias, lambda: function(x, weight, bias))


def added_product(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """`addmm`: a linear layer whose weights stand the other way round."""
    if kwargs:
        return other(mode, function, args, kwargs)
    bias, x, weight = args[0], neurons(mode, args[1]), args[2]
    return layers.dense(mode.recorder, mode.composite, x, weight.T, bias, lambda: torch.matmul(x, weight) + bias)


def convolution(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A convolution whose weights are constant."""
    if active(args[1] if len(args) > 1 else kwargs["weight"]):
        return other(mode, function, args, kwargs)
    bias = args[2] if len(args) > 2 else kwargs.get("bias")
    return layers.output(mode.recorder, mode.composite, function(*args, **kwargs), None if bias is None else bias[:, None])


def addition(mode: Propagation, function: Function, args: Arguments, kwargs: Options, sign: float = 1.0) -> Tensor:
    """A sum or difference; a constant operand is booked: learned or given as a bias, on scores as a position."""
    left, right = args[0], args[1] if len(args) > 1 else kwargs["other"]
    if kwargs and kwargs.get("alpha", 1) != 1:
        raise mode.refusal(function)
    if active(left) and active(right):
        if mode.composite.linear == "alpha_beta" and sign > 0:
            return alpha_beta.summed(mode.recorder, mode.composite, left, right)
        return function(left, right)  # type: ignore[no-any-return]
    result: Tensor = function(left, right)
    constant, weight = (right, sign) if active(left) else (left, 1.0)
    if attention.is_bias_on_scores(result, constant):
        return attention.added_to_scores(mode.recorder, result, constant, weight)
    return mode.recorder.constant(result, constant, weight=weight)


def difference(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Tensor:
    """A difference."""
    return addition(mode, function, args, kwargs, -1.0)


def reversed_difference(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Tensor:
    """`y - x` of `x.rsub(y)`."""
    return addition(mode, torch.sub, (args[1], args[0]), kwargs, -1.0)


def added_in_place(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A sum or difference in the place of its first operand."""
    if not active(args[0]):
        return other(mode, function, args, kwargs)
    return addition(mode, function, args, kwargs, 1.0 if function in operations.ADDITIONS_IN_PLACE else -1.0)


def scored(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """`baddbmm`: attention scores with linear biases."""
    return scores(mode, *args, **kwargs)


def scores(mode: Propagation, bias: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1.0, alpha: float = 1.0) -> Tensor:
    """`beta * bias + alpha * batch1 @ batch2` from its parts."""
    factors = product.product(mode.recorder, mode.composite, torch.matmul, (batch1, batch2), {}) * alpha
    return addition(mode, torch.add, (factors, bias * beta), {})


def multiplied(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A product; that of attention weights and values gives the heads."""
    result = product.product(mode.recorder, mode.composite, function, args, kwargs)
    if "heads" not in mode.recorder.kinds or not args or not is_marked(args[0], WEIGHTS):
        return result
    if result.ndim == 3:  # texts and heads in one axis
        apart = result.reshape(mode.recorder.rows, -1, *result.shape[1:])
        return mode.recorder.component("heads", apart).reshape(result.shape)
    return mode.recorder.component("heads", result)


def scaling(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A division, or a product in place, by what is constant."""
    if kwargs.get("rounding_mode") or active(product.by_place(args, kwargs)[0][1]):
        return other(mode, function, args, kwargs)
    return function(*args, **kwargs)


def layer_norm(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """Layer norm under its rule."""
    options = {name: value for name, value in kwargs.items() if name != "cudnn_enable"}
    return normalization.layer_norm(mode.recorder, mode.composite, *args[:5], **options)


def power(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """A power or variance: the statistic of a norm, where norms are constant."""
    if mode.composite.normalization != "constant":
        return other(mode, function, args, kwargs)
    return normalization.statistic(function(*args, **kwargs))


def attended(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """Fused attention under its rules."""
    return attention.fused(mode.recorder, mode.composite, function, args, kwargs)


def activated(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """An activation under its rule."""
    return activation.activation(mode.recorder, mode.composite.activation, function, args, kwargs)


def weighed(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """Softmax under its rule; its results are attention weights."""
    return mark(softmax.softmax(mode.recorder, mode.composite, function, args, kwargs), WEIGHTS)


def dropped(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """Dropout, which does nothing outside training."""
    if args[2] if len(args) > 2 else kwargs.get("training", True):
        return other(mode, function, args, kwargs)
    return args[0] if args else kwargs["input"]


def other(mode: Propagation, function: Function, args: Arguments, kwargs: Options) -> Any:
    """Parts of norms, smooth functions and functions with a rule of the user's; what is none of these may give no active result."""
    if mode.composite.normalization == "constant":
        if function in operations.NORMALIZE:
            return normalization.unit(*args, **kwargs)
        if function in operations.RMS_NORMS:
            return normalization.rms_norm(*args, **kwargs)
    elif function in PLAIN:
        return activation.plain(mode.recorder, function, args, kwargs)
    elif function in operations.DIVISIONS_IN_PLACE:
        return activation.plain(mode.recorder, torch.div, args, kwargs)
    if function in register.FUNCTIONS:
        return registered(function, args, kwargs)
    result = function(*args, **kwargs)
    if not is_active(result):
        return result
    raise mode.refusal(function)


def registered(function: Function, args: Arguments, kwargs: Options) -> Any:
    """The result of a function with a rule of the user's."""
    rule, ratio = register.FUNCTIONS[function]
    if rule == "constant":
        return function(*args, **kwargs).detach()
    if rule == "linear" or not active(args[0]):
        return function(*args, **kwargs)
    with torch.no_grad():
        y = function(*args, **kwargs)
    return activation.identity(args[0], y, ratio(args[0].detach(), y))


def neurons(mode: Propagation, x: Tensor) -> Tensor:
    """The input of a linear layer; one that comes from an activation holds the neurons of the running layer."""
    return mode.recorder.component("neurons", x) if is_marked(x, NEURONS) else x


def is_active(value: object) -> bool:
    """Whether a value, or a tensor in a list of values, was computed from a source."""
    return getattr(value, "requires_grad", False) or (isinstance(value, (list, tuple)) and any(map(is_active, value)))


def scan_parameters(parts: Any) -> Any:
    """The three parts that a Mamba-2 mixer splits: of (gate, convolved, step) the step, of (values, B, C) B and C are constants."""
    if len(parts) != 3:
        return parts
    first, second, third = parts
    return (first, second.detach() if second.shape[-1] == third.shape[-1] else second, third.detach())


#: Sets of functions and what they are answered with.
ROWS: tuple[tuple[frozenset[Function], Answer], ...] = (
    (operations.LINEAR, linear),
    (operations.LINEAR_LAYERS, dense),
    (operations.ADDMMS, added_product),
    (operations.CONVOLUTIONS, convolution),
    (operations.ADDITIONS, addition),
    (operations.SUBTRACTIONS, difference),
    (operations.REVERSED_SUBTRACTIONS, reversed_difference),
    (operations.ADDITIONS_IN_PLACE | operations.SUBTRACTIONS_IN_PLACE, added_in_place),
    (operations.BADDBMMS, scored),
    (operations.PRODUCTS, multiplied),
    (operations.DIVISIONS | operations.DIVISIONS_IN_PLACE | operations.PRODUCTS_IN_PLACE, scaling),
    (operations.LAYER_NORMS, layer_norm),
    (operations.STATISTICS, power),
    (operations.ATTENTIONS, attended),
    (frozenset(activation.RATIOS), activated),
    (operations.SOFTMAXES, weighed),
    (operations.DROPOUTS, dropped),
)
ANSWERS: dict[Function, Answer | None] = {function: answer for functions, answer in ROWS for function in functions}
ANSWERS |= dict.fromkeys(operations.QUESTIONS)
