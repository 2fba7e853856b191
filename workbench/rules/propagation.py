"""The interception: inside the context every torch function that a model calls meets its rule; outside nothing has changed.

1. `F.embedding` lookups become sources: leaves where relevance ends (word embedding, token type, position).
2. A function with a rule is replaced by one with the same value and the rule's derivative.
3. A linear function runs as it is; constants added on the way are booked as biases, on scores as positions.
4. Any other function whose result is active stops the trace with an error: nothing is approximated silently.

No class is patched and no hook outlives the context. The mode belongs to the thread that entered it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from workbench.errors import PropagationError
from workbench.rules import activation, alpha_beta, attention, linear, normalization, operations, product, register, softmax
from workbench.rules.audit import refuse_unfit
from workbench.rules.composite import Composite
from workbench.rules.marks import NAME, NEURONS, POSITION, STATISTIC, WEIGHTS, hand_on, is_marked, mark
from workbench.rules.module_rules import module_rules
from workbench.rules.product import active
from workbench.rules.readings import Aggregation
from workbench.rules.recorder import MASK_VALUE, Recorder
from workbench.rules.sources import Parts, source_kinds

HANDED_ON = frozenset({WEIGHTS, NEURONS})
#: Arguments that are neither active nor marked.
NUMBERS = (int, float, str, torch.dtype, type(None))
SUMS_IN_PLACE = operations.ADDITIONS_IN_PLACE | operations.SUBTRACTIONS_IN_PLACE
SCALINGS = operations.DIVISIONS | operations.DIVISIONS_IN_PLACE | operations.PRODUCTS_IN_PLACE
#: What only the plain derivative knows what to do with.
PLAIN = operations.SMOOTH | operations.STATISTICS | operations.ROOTS | operations.DIVISIONS | operations.RMS_NORMS


class Propagation(TorchFunctionMode):
    """A composite at work on whatever `module` calls in this thread; `recorder` keeps what its backward passes book."""

    def __init__(self, module: nn.Module, composite: Composite, recorder: Recorder, parts: Parts | None = None) -> None:
        super().__init__()
        self.module = module
        self.composite = composite
        self.recorder = recorder
        self.inside_module_rule = 0
        self.scanning = 0
        self.checkpointing = False
        self.hooked: Callable[[nn.Module], AbstractContextManager[None]] = lambda _: nullcontext()
        self.parts = list(module.named_modules()) if parts is None else parts
        self.kinds = source_kinds(module, self.parts)
        self.marking = bool(recorder.kinds & {"heads", "neurons"}) or composite.product == "signal" or composite.linear == "alpha_beta"
        self.marking = self.marking or composite.attention == "gradient"

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function in operations.QUESTIONS or self.inside_module_rule or not torch.is_grad_enabled():
            return function(*args, **kwargs)
        if function in operations.EMBEDDINGS:
            return self.source(function(*args, **kwargs), *args[:2], **kwargs)
        relevant = False
        for value in (*args, *kwargs.values()) if kwargs else args:  # one look at each: a model calls a hundred functions a layer
            if isinstance(value, NUMBERS):
                continue
            if is_active(value):
                relevant = True
            elif STATISTIC in getattr(value, NAME, ()):
                return self.statistic(function, args, kwargs)
        if not relevant:
            return self.inactive_call(function, args, kwargs)
        try:
            result = self.active_call(function, args, kwargs)
        except RuntimeError as error:
            if "inplace" in str(error):
                raise self.refusal(function, " in place") from error
            raise
        if self.marking and (function in operations.LINEAR or function in operations.PRODUCTS):
            names = HANDED_ON if function in operations.LINEAR else frozenset({NEURONS})
            hand_on(args, result, names)
        return result

    def inactive_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function of constants; what carries positions is followed where positions take a share of products."""
        result = function(*args, **kwargs)
        if self.composite.position == "constant":
            return result
        if any(isinstance(value, nn.Parameter) and self.kinds.get(value.data_ptr()) == "distances" for value in args):
            # a function may return the table itself, which must not be marked for good
            return mark(result.view_as(result) if isinstance(result, nn.Parameter) else result, POSITION)
        return hand_on(args, result, frozenset({POSITION}))

    def active_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that has an active argument, under its rule."""
        rules, book = self.composite, self.recorder
        if function in operations.LINEAR:
            if self.scanning and function in operations.SPLITS:
                return scan_parameters(function(*args, **kwargs))
            return function(*args, **kwargs)
        if function in operations.LINEAR_LAYERS:
            given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
            x, weight, bias = given["input"], given["weight"], given.get("bias")
            if not active(x):
                raise self.refusal(function, " with weights")
            x = self.neurons(x)
            return linear.dense(book, rules, x, weight, bias, lambda: function(x, weight, bias))
        if function in operations.ADDITIONS:
            return self.addition(function, args, kwargs)
        if function in operations.PRODUCTS:
            return self.product(function, args, kwargs)
        if function in operations.LAYER_NORMS:
            return normalization.layer_norm(book, rules, *args[:5], **{k: v for k, v in kwargs.items() if k != "cudnn_enable"})
        if function in operations.ATTENTIONS:
            return attention.fused(book, rules, function, args, kwargs)
        if function in activation.RATIOS:
            return activation.activation(book, rules.activation, function, args, kwargs)
        if function in operations.SOFTMAXES:
            return mark(softmax.softmax(book, rules, function, args, kwargs), WEIGHTS)
        return self.rarer_call(function, args, kwargs)

    def rarer_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that few models call, or the refusal of one that has no rule."""
        rules, book = self.composite, self.recorder
        if function in operations.DROPOUTS and not (args[2] if len(args) > 2 else kwargs.get("training", True)):
            return args[0] if args else kwargs["input"]
        if function in operations.STATISTICS and rules.normalization == "constant":
            return normalization.statistic(function(*args, **kwargs))
        if function in operations.SUBTRACTIONS:
            return self.addition(function, args, kwargs, sign=-1.0)
        if function in operations.REVERSED_SUBTRACTIONS:
            return self.addition(torch.sub, (args[1], args[0]), kwargs, sign=-1.0)
        if function in SUMS_IN_PLACE and active(args[0]):
            return self.addition(function, args, kwargs, sign=1.0 if function in operations.ADDITIONS_IN_PLACE else -1.0)
        if function in SCALINGS and not kwargs.get("rounding_mode") and not active(product.by_place(args, kwargs)[0][1]):
            return function(*args, **kwargs)
        if function in operations.ADDMMS and not kwargs:
            bias, x, weight = args[0], self.neurons(args[1]), args[2]
            return linear.dense(book, rules, x, weight.T, bias, lambda: torch.matmul(x, weight) + bias)
        if function in operations.BADDBMMS:
            return self.scores(*args, **kwargs)
        if function in operations.CONVOLUTIONS and not active(args[1] if len(args) > 1 else kwargs["weight"]):
            bias = args[2] if len(args) > 2 else kwargs.get("bias")
            return linear.output(book, rules, function(*args, **kwargs), None if bias is None else bias[:, None])
        return self.norm_or_refusal(function, args, kwargs)

    def norm_or_refusal(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Parts of norms and smooth functions; what is none of these is refused if its result is active."""
        if self.composite.normalization == "constant":
            if function in operations.NORMALIZE:
                return normalization.unit(*args, **kwargs)
            if function in operations.RMS_NORMS:
                return normalization.rms_norm(*args, **kwargs)
        elif function in PLAIN:
            return activation.plain(self.recorder, function, args, kwargs)
        elif function in operations.DIVISIONS_IN_PLACE:
            return activation.plain(self.recorder, torch.div, args, kwargs)
        if function in register.FUNCTIONS:
            return self.registered(function, args, kwargs)
        result = function(*args, **kwargs)
        if not is_active(result):
            return result
        raise self.refusal(function)

    def registered(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function with a rule of the user's."""
        rule, ratio = register.FUNCTIONS[function]
        if rule == "constant":
            return function(*args, **kwargs).detach()
        if rule == "linear" or not active(args[0]):
            return function(*args, **kwargs)
        with torch.no_grad():
            y = function(*args, **kwargs)
        return activation.identity(args[0], y, ratio(args[0].detach(), y))

    def addition(self, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any], sign: float = 1.0) -> Tensor:
        """A sum or difference; a constant operand is booked: learned or given as a bias, on scores as a position."""
        left, right = args[0], args[1] if len(args) > 1 else kwargs["other"]
        if kwargs.get("alpha", 1) != 1:
            raise self.refusal(function)
        if active(left) and active(right):
            if self.composite.linear == "alpha_beta" and sign > 0:
                return alpha_beta.summed(self.recorder, self.composite, left, right)
            return function(left, right)
        result = function(left, right)
        constant, weight = (right, sign) if active(left) else (left, 1.0)
        if is_bias_on_scores(result, constant):
            return attention.added_to_scores(self.recorder, result, constant, weight)
        return self.recorder.constant(result, constant, weight=weight)

    def product(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A product; that of attention weights and values gives the heads."""
        result = product.product(self.recorder, self.composite, function, args, kwargs)
        if "heads" not in self.recorder.kinds or not args or not is_marked(args[0], WEIGHTS):
            return result
        if result.ndim == 3:  # texts and heads in one axis
            apart = result.reshape(self.recorder.rows, -1, *result.shape[1:])
            return self.recorder.component("heads", apart).reshape(result.shape)
        return self.recorder.component("heads", result)

    def scores(self, bias: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1.0, alpha: float = 1.0) -> Tensor:
        """`beta * bias + alpha * batch1 @ batch2` from its parts (attention scores with linear biases)."""
        scores = product.product(self.recorder, self.composite, torch.matmul, (batch1, batch2), {}) * alpha
        return self.addition(torch.add, (scores, bias * beta), {})

    def neurons(self, x: Tensor) -> Tensor:
        """The input of a linear layer; one that comes from an activation holds the neurons of the running layer."""
        return self.recorder.component("neurons", x) if is_marked(x, NEURONS) else x

    def statistic(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The way of a norm's statistic: means and sums keep it one, a root makes it a constant, all else is refused."""
        result = function(*args, **kwargs)
        if function in operations.ROOTS or not isinstance(result, Tensor) or not result.is_floating_point():
            return result
        if function in operations.MERGES and not any(map(active, args)):
            return normalization.statistic(result)
        raise self.refusal(function, " on a power or variance outside a norm")

    def source(self, value: Tensor, ids: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
        """An embedding lookup as a source of its kind, one row of it for each text; a table of distances stays a constant."""
        kind = self.kinds.get(weight.data_ptr(), "positions")
        if kind == "distances":
            return mark(value, POSITION)  # type: ignore[no-any-return]
        rows = self.recorder.rows
        if value.shape[0] == 1 and rows > 1:
            value = value.expand(rows, *value.shape[1:])
        elif value.ndim == 2 and kind == "positions":
            value = value.expand(rows, *value.shape)
        if value.shape[0] != rows:
            raise PropagationError(
                f"book an embedding lookup of shape {tuple(value.shape)} in {self.path()}",
                f"a batch of {rows} texts",
                "explain one text at a time",
            )
        return self.recorder.source(value, "decoder_inputs" if kind == "tokens" and self.recorder.decoder else kind)

    def path(self) -> str:
        """The innermost module of the traced model that is running, found on the call stack (only when something is refused)."""
        names = {id(module): name or type(module).__name__ for name, module in self.module.named_modules()}
        frame = inspect.currentframe()
        while frame is not None:
            owner = frame.f_locals.get("self")
            if isinstance(owner, nn.Module) and id(owner) in names:
                return f"{names[id(owner)]} ({type(owner).__name__})"
            frame = frame.f_back
        return type(self.module).__name__

    def refusal(self, function: Callable[..., Any], detail: str = "") -> PropagationError:
        """The error for an active operation without a rule."""
        name = resolve_name(function) or getattr(function, "__name__", repr(function))
        return PropagationError(
            f"propagate relevance under {self.composite.name}",
            f"the operation {name}{detail} in {self.path()} acts on relevant values and has no rule",
            "register a rule for it with workbench.rules.register (by function or by module class), or use another composite",
        )


def is_active(value: object) -> bool:
    """Whether a value, or a tensor in a list of values, was computed from a source."""
    return getattr(value, "requires_grad", False) or (isinstance(value, (list, tuple)) and any(map(is_active, value)))


def is_bias_on_scores(scores: Tensor, constant: object) -> bool:
    """Whether a constant was added by query and key: four axes, or three of which the first holds texts and heads."""
    if not isinstance(constant, Tensor) or not constant.is_floating_point() or constant.ndim < 3:
        return False
    by_query_and_key = scores.ndim == 4 or (scores.ndim == 3 and scores.shape[1] == scores.shape[2])
    return by_query_and_key and bool(((constant != 0) & (constant.abs() < MASK_VALUE)).any())


def scan_parameters(parts: Any) -> Any:
    """The three parts that a Mamba-2 mixer splits: of (gate, convolved, step) the step, of (values, B, C) B and C are constants."""
    if len(parts) != 3:
        return parts
    first, second, third = parts
    return (first, second.detach() if second.shape[-1] == third.shape[-1] else second, third.detach())


@contextmanager
def propagation(
    module: nn.Module,
    composite: Composite,
    rows: int,
    *,
    watch: Collection[str] = (),
    position_layers: bool = False,
    aggregation: Aggregation = "signed",
    checkpoint: bool = False,
    parts: Parts | None = None,
) -> Iterator[Recorder]:
    """Runs what is inside the context under the composite's rules; `rows` is the number of texts in the batch.

    `parts` are the module's named modules, where they have been listed already.

    Source: rules by function interception; see the room's modules for the papers. Raises PropagationError for what has no rule.
    """
    mode = Propagation(module, composite, Recorder(rows, watch, position_layers, aggregation), parts)
    refuse_unfit(module, mode.parts)
    with module_rules(mode, checkpoint=checkpoint), mode:
        yield mode.recorder
