"""The interception: inside the context every torch function that a model calls meets its rule; outside nothing has changed.

1. `F.embedding` lookups become sources: leaves where relevance ends (word embedding, token type, position).
2. A function with a rule is replaced by one with the same value and the rule's derivative.
3. A linear function runs as it is; constants added on the way are booked as biases.
4. Any other function whose result is active stops the trace with an error: nothing is approximated silently.

No class is patched and no hook outlives the context. The mode belongs to the thread that entered it.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from workbench.errors import PropagationError
from workbench.rules import activation, attention, linear, normalization, operations, product
from workbench.rules.composite import Composite
from workbench.rules.modules import module_rule
from workbench.rules.product import active
from workbench.rules.recorder import Recorder, Watch

OWN_FUNCTIONS = (Watch, activation.IdentityRule, normalization.ConstantScale)


class Propagation(TorchFunctionMode):
    """A composite at work on whatever `module` calls in this thread; `recorder` keeps what its backward passes book."""

    def __init__(self, module: nn.Module, composite: Composite, rows: int) -> None:
        super().__init__()
        self.module = module
        self.composite = composite
        self.recorder = Recorder(rows)
        self.inside_module_rule = 0
        self.kinds = source_kinds(module)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.inside_module_rule or not torch.is_grad_enabled():
            return function(*args, **kwargs)
        if function in operations.EMBEDDINGS:
            return self.source(function(*args, **kwargs), *args[:2], **kwargs)
        if any(map(normalization.is_statistic, args)):
            return self.statistic(function, args, kwargs)
        if not any(map(is_active, args)) and not any(map(is_active, kwargs.values())):
            return function(*args, **kwargs)
        try:
            return self.active_call(function, args, kwargs)
        except RuntimeError as error:
            if "inplace" in str(error):
                raise self.refusal(function, " in place") from error
            raise

    def active_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that has an active argument, under its rule."""
        rules, book = self.composite, self.recorder
        if function in operations.LINEAR:
            return function(*args, **kwargs)
        if function in operations.LINEAR_LAYERS:
            bias = args[2] if len(args) > 2 else kwargs.get("bias")
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            return linear.output(book, rules, function(args[0] if args else kwargs["input"], weight, bias), bias)
        if function in operations.ADDITIONS:
            return self.addition(operator.add, function, args, kwargs)
        if function in operations.PRODUCTS:
            return product.product(book, rules.product, function, args, kwargs)
        if function in operations.LAYER_NORMS:
            return normalization.layer_norm(
                book, rules.normalization, *args[:5], **{k: v for k, v in kwargs.items() if k != "cudnn_enable"}
            )
        if function in operations.ATTENTIONS:
            return attention.fused(book, rules.attention, function, args, kwargs)
        if function in activation.RATIOS:
            return activation.activation(book, rules.activation, function, args, kwargs)
        if function in operations.SOFTMAXES:
            return attention.softmax(book, rules.attention, function, args, kwargs)
        return self.rarer_call(function, args, kwargs)

    def rarer_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that few models call, or the refusal of one that has no rule."""
        rules, book = self.composite, self.recorder
        if function in operations.SUBTRACTIONS:
            return self.addition(operator.sub, function, args, kwargs, sign=-1.0)
        if function in operations.REVERSED_SUBTRACTIONS:
            return self.addition(operator.sub, function, (args[1], args[0]), kwargs, sign=-1.0)
        if function in operations.DIVISIONS and not active(args[1]):
            return function(*args, **kwargs)
        if function in operations.ADDMMS:
            return linear.output(book, rules, torch.matmul(args[1], args[2]) + args[0], args[0])
        if function in operations.DROPOUTS and not (args[2] if len(args) > 2 else kwargs.get("training", True)):
            return args[0] if args else kwargs["input"]
        if rules.normalization == "constant" and function in operations.STATISTICS:
            return normalization.statistic(function(*args, **kwargs))
        if rules.normalization == "constant" and function in operations.NORMALIZE:
            return normalization.unit(*args, **kwargs)
        result = function(*args, **kwargs)
        if not is_active(result):
            return result
        raise self.refusal(function)

    def addition(
        self,
        compute: Callable[[Any, Any], Tensor],
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        sign: float = 1.0,
    ) -> Tensor:
        """A sum or difference; a constant operand is booked, whether learned (a bias) or given."""
        left, right = args[0], args[1] if len(args) > 1 else kwargs["other"]
        if kwargs.get("alpha", 1) != 1:
            raise self.refusal(function)
        result = compute(left, right)
        if not active(left):
            return self.recorder.constant(result, left)
        return result if active(right) else self.recorder.constant(result, right, weight=sign)

    def statistic(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The way of a norm's statistic: means and sums keep it one, a root makes it a constant, all else is refused."""
        result = function(*args, **kwargs)
        if function in operations.ROOTS or not isinstance(result, Tensor) or not result.is_floating_point():
            return result
        if function in operations.MERGES and not any(map(active, args)):
            return normalization.statistic(result)
        raise self.refusal(function, " on a power or variance outside a norm")

    def source(self, value: Tensor, ids: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
        """An embedding lookup as a source of its kind, one row of it for each text."""
        rows = self.recorder.rows
        if value.shape[0] == 1 and rows > 1:
            value = value.expand(rows, *value.shape[1:])
        if value.shape[0] != rows > 1:
            raise PropagationError(
                f"book an embedding lookup of shape {tuple(value.shape)} in {self.path()}",
                f"a batch of {rows} texts",
                "explain one text at a time",
            )
        return self.recorder.source(value, self.kinds.get(weight.data_ptr(), "positions"))

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
            "register a rule for the module's class with workbench.rules.modules.register, or use another composite",
        )


def is_active(value: object) -> bool:
    """Whether a value, or a tensor in a list of values, was computed from a source."""
    if isinstance(value, Tensor):
        return value.requires_grad
    return isinstance(value, (list, tuple)) and any(map(is_active, value))


def source_kinds(module: nn.Module) -> dict[int, str]:
    """Ledger account by storage address of each embedding table: word embeddings, token types, all others are positions."""
    lookup: Any = getattr(module, "get_input_embeddings", None)
    words = lookup() if lookup else None
    kinds = {}
    for name, part in module.named_modules():
        if isinstance(part, nn.Embedding):
            kinds[part.weight.data_ptr()] = "tokens" if part is words else "token_types" if "token_type" in name else "positions"
    return kinds


def refuse_unfit(module: nn.Module) -> None:
    """Raises PropagationError for a model in a state in which its derivative is not its own: training mode, compiled, quantised."""
    asked = f"propagate relevance through {type(module).__name__}"
    if module.training:
        raise PropagationError(asked, "the model is in training mode (dropout is active)", "call .eval() on it")
    if type(module).__name__ == "OptimizedModule":
        raise PropagationError(
            asked, "a torch.compile'd module, whose operations cannot be met", "pass the original module (model._orig_mod)"
        )
    for name, part in module.named_modules():
        weight = getattr(part, "weight", None)
        if isinstance(weight, Tensor) and not weight.is_floating_point():
            raise PropagationError(asked, f"{name} has weights of type {weight.dtype} (quantised)", "load the model in float32 or bfloat16")


def refuse_custom_kernels(target: Tensor) -> None:
    """Raises PropagationError when the graph holds a Python autograd function that is not a rule: its inside was not seen."""
    own = {f"{function.__name__}Backward" for function in OWN_FUNCTIONS}
    custom: type[Any] = torch.autograd.function.BackwardCFunction
    seen, waiting = set(), [target.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, custom) and node.name() not in own:
            raise PropagationError(
                "propagate relevance",
                f"a custom autograd function ({node.name()})",
                "replace it by torch functions, or register a rule for its module",
            )
        waiting.extend(parent for parent, _ in node.next_functions)


@contextmanager
def propagation(module: nn.Module, composite: Composite, rows: int) -> Iterator[Recorder]:
    """Runs what is inside the context under the composite's rules; `rows` is the number of texts in the batch.

    Source: rules by function interception; see the room's modules for the papers. Raises PropagationError for what has no rule.
    """
    refuse_unfit(module)
    mode = Propagation(module, composite, rows)
    with module_rule(mode), mode:
        yield mode.recorder
