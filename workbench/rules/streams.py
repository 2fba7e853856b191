"""Forward relevance: a model run once on a batch of streams, one for each part of a text, instead of once backward for each output.

Each text takes several rows of the batch: the whole text, one row for each part (a token, a word, a class of words), one for positions
where the layout wants it, one for all other constants (token types, biases) and, where softmax has a true derivative, one for what softmax
absorbs. Rows of parts carry what the part contributes; what is a constant to the rules (attention weights, 1/std, activation ratios) is
taken from the row of the whole. All other rows sum to the row of the whole wherever the model is asked: at its embedding too.

With constant attention the network is affine and a row is the frozen network applied to its part alone (Ali et al. 2022; Eberle et al.
2020, BiLRP, for pairs); with AttnLRP's rules (Achtibat et al. 2024) rows carry the derivative in the direction of the part. No derivative
is taken by torch: this is also an oracle for the backward rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from workbench.errors import PropagationError
from workbench.rules import activation, activations, operations
from workbench.rules.audit import refuse_unfit
from workbench.rules.composite import Composite
from workbench.rules.layout import Layout
from workbench.rules.marks import NEURONS, is_marked, mark
from workbench.rules.sources import source_kinds

STREAM = "stream"
EXTREMA = operations.resolve("max amax")
AMAXES = operations.resolve("amax")
#: Functions that take only the shape or type of a stream, all or where it is the second argument.
SHAPED_LIKE = operations.resolve("zeros_like ones_like full_like empty_like rand_like new_zeros new_ones new_full new_empty new_tensor")
SHAPED_AS = operations.resolve("expand_as view_as reshape_as type_as to")
#: Choices of rules that a stream can follow: those whose shares are constants of the whole text.
FOLLOWED = {"linear": ("zero",), "softmax": ("absorb",), "attention": ("half", "constant"), "position": ("constant",)}


class Streams(TorchFunctionMode):
    """A composite at work on rows of parts; `layout` tells rows apart."""

    def __init__(self, module: nn.Module, composite: Composite, layout: Layout) -> None:
        super().__init__()
        self.composite = composite
        self.layout = layout
        self.inside_module_rule = 0
        self.kinds = source_kinds(module)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.inside_module_rule:
            return function(*args, **kwargs)
        if function in operations.EMBEDDINGS:
            return self.lookup(function(*args, **kwargs), args[1] if len(args) > 1 else kwargs["weight"])
        if not any(map(is_streamed, args)) and not any(map(is_streamed, kwargs.values())):
            return function(*args, **kwargs)
        return self.streamed_call(function, args, kwargs)

    def lookup(self, value: Tensor, weight: Tensor) -> Tensor:
        """An embedding lookup as a source; a table of distances stays a constant."""
        kind = self.kinds.get(weight.data_ptr(), "positions")
        if kind == "distances":
            return value
        if value.ndim == 2:
            value = value[None]
        return mark(self.layout.sourced(value, kind), STREAM)  # type: ignore[no-any-return]

    def streamed_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function of streams: linear functions by row, all else by its rule."""
        if function in SHAPED_LIKE or (function in SHAPED_AS and not is_streamed(args[0])):
            return function(*args, **kwargs)
        if function in EXTREMA and (kwargs.get("dim") is not None or len(args) > 1):
            return self.extremum(function, args, kwargs)
        if function in operations.STATISTICS:
            return function(self.layout.whole(args[0]), *args[1:], **kwargs)
        if function in operations.SOFTMAXES and self.composite.attention == "constant":
            return function(self.layout.whole(args[0]), *args[1:], **kwargs) if args else function(**self.constants(kwargs))
        if function in operations.LINEAR:
            return mark(function(*args, **kwargs), STREAM)
        result = self.ruled_call(function, args, kwargs)
        if result is None:
            result = function(*args, **kwargs)
            if not isinstance(result, Tensor) or not result.is_floating_point():
                return result
            name = resolve_name(function) or getattr(function, "__name__", repr(function))
            raise PropagationError(
                f"propagate relevance forward under {self.composite.name}",
                f"the operation {name}, which has no forward rule",
                "use the backward direction (composite and model permitting)",
            )
        return mark(result, STREAM)

    def ruled_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        """The result of a function with a forward rule, None for one without."""
        if function in operations.LINEAR_LAYERS:
            given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
            return self.biased(function(given["input"], given["weight"]), given.get("bias"))
        if function in operations.ADDMMS:
            return self.biased(torch.matmul(args[1], args[2]), args[0])
        if function in operations.ADDITIONS | operations.ADDITIONS_IN_PLACE | operations.SUBTRACTIONS:
            return self.addition(args[0], args[1], -1.0 if function in operations.SUBTRACTIONS else 1.0)
        if function in operations.PRODUCTS or (function in operations.DIVISIONS and not is_streamed(args[1])):
            return self.product(function, args, kwargs)
        if function in operations.DROPOUTS:
            value: Tensor = args[0] if args else kwargs["input"]
            return value
        if function in operations.ATTENTIONS:
            return self.attention(args, kwargs)
        return self.scaled_call(function, args, kwargs)

    def scaled_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        """The result of a function whose scale or ratio the whole text gives, None for any other."""
        if function in operations.LAYER_NORMS:
            return self.layer_norm(*args[:5], **{k: v for k, v in kwargs.items() if k != "cudnn_enable"})
        if function in operations.NORMALIZE:
            return self.unit(*args, **kwargs)
        if function in activation.RATIOS:
            return self.activated(args[0], activation.RATIOS[function], function(*args, **kwargs), kwargs)
        return self.softmax(function, args, kwargs) if function in operations.SOFTMAXES else None

    def biased(self, value: Tensor, bias: Tensor | None) -> Tensor:
        """The output of a linear layer with its bias where it belongs."""
        return value if bias is None else self.layout.with_constant(value, bias)

    def addition(self, left: Any, right: Any, sign: float) -> Tensor:
        """A sum or difference; a constant goes to the rows of the whole and of constants."""
        if is_streamed(left) and is_streamed(right):
            total: Tensor = left + sign * right
            return total
        if is_streamed(left):
            return self.layout.with_constant(left, sign * right)
        return self.layout.with_constant(sign * right, left)

    def product(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """A product; of two streamed factors each takes half, in the direction of each row."""
        streamed = [place for place, value in enumerate(args) if is_streamed(value)]
        gates = [place for place in streamed if self.composite.product == "signal" and is_marked(args[place], NEURONS)]
        if len(gates) == len(streamed) - 1:
            signal = (self.layout.whole(value) if place in gates else value for place, value in enumerate(args))
            return function(*signal, **kwargs)  # type: ignore[no-any-return]
        wholes = [self.layout.whole(value) if place in streamed else value for place, value in enumerate(args)]
        terms = [function(*(args[at] if at == place else value for at, value in enumerate(wholes)), **kwargs) for place in streamed]
        mean: Tensor = sum(terms) / len(terms)  # in the row of the whole every term is the product itself
        return mean

    def layer_norm(self, x: Tensor, shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
        """Layer norm with the scale of the whole."""
        axes = tuple(range(x.ndim - len(shape), x.ndim))
        scale = (self.layout.whole(x).var(axes, unbiased=False, keepdim=True) + eps).rsqrt()
        value = (x - x.mean(axes, keepdim=True)) * scale
        value = value if weight is None else value * weight
        return self.biased(value, bias)

    def unit(self, x: Tensor, p: float | int = 2, dim: int = 1, eps: float = 1e-12, out: None = None) -> Tensor:
        """`F.normalize` by the norm of the whole."""
        norm: Tensor = torch.linalg.vector_norm(self.layout.whole(x), p, dim, keepdim=True).clamp_min(eps)
        return x / norm

    def activated(self, x: Tensor, ratio: Callable[..., Tensor], value: Tensor, options: dict[str, Any]) -> Tensor:
        """An activation: every row times f(x)/x of the whole; the row of the whole keeps its own value."""
        options = {name: given for name, given in options.items() if name not in ("input", "inplace")}
        apart = self.layout.apart(x)
        first = apart[:, :1]
        shares = ratio(first, self.layout.apart(value)[:, :1], **options)
        return mark((apart * shares).reshape(x.shape), NEURONS)  # type: ignore[no-any-return]

    def softmax(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """Attention weights of the whole, and their derivative in the direction of each row."""
        scores = args[0] if args else kwargs["input"]
        weights = function(self.layout.whole(scores), *args[1:], **{name: value for name, value in kwargs.items() if name != "input"})
        return self.tangent(weights, scores)

    def constants(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Named arguments with streams replaced by what the whole says, for every row."""
        return {name: self.layout.whole(value) if is_streamed(value) else value for name, value in kwargs.items()}

    def tangent(self, weights: Tensor, scores: Tensor) -> Tensor:
        """Softmax's derivative along the last axis in the direction of each row; what the rows fall short of is absorbed."""
        finite = torch.where(torch.isfinite(scores), scores, torch.zeros_like(scores))
        moved = weights * (finite - (weights * finite).sum(-1, keepdim=True))
        apart = self.layout.apart(moved).clone()
        apart[:, 0] = self.layout.apart(weights)[:, 0]
        return self.layout.with_absorbed(apart.reshape(moved.shape))

    def attention(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """`scaled_dot_product_attention` from its parts."""
        given = dict(zip(("query", "key", "value", "attn_mask", "dropout_p", "is_causal"), args, strict=False)) | kwargs
        query, key, value, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
        if given.get("enable_gqa"):
            key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (key, value))
        scale = query.shape[-1] ** -0.5 if given.get("scale") is None else given["scale"]
        if given.get("is_causal"):
            mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
        layout = self.layout
        if self.composite.attention == "constant":
            first = [layout.apart(x)[:, 0, 0] for x in (query, key)]
            scores = (first[0] @ first[1].mT) * scale
            if mask is not None:
                mask = layout.apart(mask)[:, 0, 0] if mask.ndim == 4 and mask.shape[0] != 1 else mask
                scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
            weights = torch.softmax(scores, -1)[:, None]
            return (weights @ layout.apart(value).squeeze(2)).reshape(value.shape[0], *query.shape[1:-1], value.shape[-1])
        scores = self.product(torch.matmul, (mark(query, STREAM), mark(key.mT, STREAM)), {}) * scale
        if mask is not None and mask.dtype == torch.bool:
            scores = scores.masked_fill(~mask, float("-inf"))
        elif mask is not None:
            scores = layout.with_constant(scores, mask)
        weights = mark(self.tangent(torch.softmax(layout.whole(scores), -1), scores), STREAM)
        return self.product(torch.matmul, (weights, mark(value, STREAM)), {})

    def extremum(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The entries of every row at which the whole is largest."""
        x, dim = args[0], args[1] if len(args) > 1 else kwargs["dim"]
        indices = self.layout.whole(x).argmax(dim, keepdim=True)
        values = mark(x.gather(dim, indices).squeeze(dim), STREAM)
        return (
            torch.return_types.max((values, indices.squeeze(dim))) if function is not torch.amax and function is not Tensor.amax else values
        )


def is_streamed(value: object) -> bool:
    """Whether a value, or a tensor in a list of values, carries streams."""
    if isinstance(value, (list, tuple)):
        return any(map(is_streamed, value))
    return is_marked(value, STREAM)


@contextmanager
def streams(module: nn.Module, composite: Composite, layout: Layout) -> Iterator[Streams]:
    """Runs what is inside the context on streams; the batch must hold every text once for each row of the layout.

    Raises PropagationError for a composite without forward rules, or an operation without one.
    """
    refuse_unfit(module)
    if unfit := [field for field, known in FOLLOWED.items() if getattr(composite, field) not in known]:
        found = f"its rule for {', '.join(unfit)} weights contributions by their values"
        raise PropagationError(f"propagate {composite.name} forward", found, "use attnlrp, cplrp, bilrp or lrp0")
    mode = Streams(module, composite, layout)
    handles: list[Any] = []

    def enter(*_: Any) -> None:
        if mode in torch.overrides._get_current_function_mode_stack():  # type: ignore[no-untyped-call]
            mode.inside_module_rule += 1

    def leave(part: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
        if mode not in torch.overrides._get_current_function_mode_stack():  # type: ignore[no-untyped-call]
            return None
        mode.inside_module_rule -= 1
        ratio = activations.ratio_of(part)
        if ratio is None or not is_streamed(inputs[0]):
            return None
        mode.inside_module_rule += 1
        try:
            return mark(mode.activated(inputs[0], ratio, output, {}), STREAM)  # type: ignore[no-any-return]
        finally:
            mode.inside_module_rule -= 1

    try:
        for part in module.modules():
            if activations.ratio_of(part) is not None:
                handles += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
        with torch.no_grad(), mode:
            yield mode
    finally:
        for handle in handles:
            handle.remove()
