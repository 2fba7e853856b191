"""Which families of operations a model's relevant values meet, counted in one pass: a look at a model before it is trusted.

A second mode stands in front of the rules, sees the model's own calls, counts them and hands them on: nothing is counted, and nothing
costs, outside of a census.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from workbench.rules import activation, operations, register
from workbench.rules.activations import ratio_of
from workbench.rules.answers import is_active
from workbench.rules.attention import is_bias_on_scores
from workbench.rules.composite import composite
from workbench.rules.marks import POSITION, is_marked
from workbench.rules.module_rules import is_mixer
from workbench.rules.propagation import Propagation, propagation

#: Family of operations → its torch functions, in the order of a model's pass.
FUNCTIONS: dict[str, frozenset[Callable[..., Any]]] = {
    "lookup": operations.EMBEDDINGS,
    "linear": operations.LINEAR_LAYERS | operations.ADDMMS,
    "convolution": operations.CONVOLUTIONS,
    "norm": operations.LAYER_NORMS | operations.RMS_NORMS | operations.NORMALIZE | operations.STATISTICS,
    "activation": frozenset(activation.RATIOS),
    "fused attention": operations.ATTENTIONS,
    "softmax": operations.SOFTMAXES,
    "product": operations.PRODUCTS | operations.PRODUCTS_IN_PLACE | operations.BADDBMMS | operations.DIVISIONS,
    "addition": operations.ADDITIONS
    | operations.ADDITIONS_IN_PLACE
    | operations.SUBTRACTIONS
    | operations.SUBTRACTIONS_IN_PLACE
    | operations.REVERSED_SUBTRACTIONS,
    "shape, sum or choice": operations.LINEAR | operations.DROPOUTS,
}


@dataclass(slots=True)
class Census:
    """Calls on relevant values by family of operations; `casts` counts those that take a float64 value to a narrower type."""

    calls: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    casts: int = 0


class Counting(TorchFunctionMode):
    """Counts each function that meets a rule, and hands it on."""

    def __init__(self, found: Census) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        relevant = any(map(is_active, (*args, *kwargs.values()))) or function in operations.EMBEDDINGS
        if relevant and not inside_module_rule():
            self.count(function, args, result)
        return result

    def count(self, function: Callable[..., Any], args: tuple[Any, ...], result: Any) -> None:
        """Books one call."""
        if function in operations.BADDBMMS or (function in FUNCTIONS["addition"] and is_linear_bias(args, result)):
            self.found.calls["linear biases"] += 1
        kind = next((name for name, functions in FUNCTIONS.items() if function in functions), None)
        if kind is not None:
            self.found.calls[kind] += 1
        elif function in register.FUNCTIONS:
            self.found.calls["registered"] += 1
        elif is_active(result):
            self.found.others[getattr(function, "__name__", repr(function))] += 1
        if isinstance(result, Tensor) and result.is_floating_point() and result.dtype != torch.float64:
            self.found.casts += any(isinstance(value, Tensor) and value.dtype == torch.float64 for value in args)


def is_linear_bias(args: tuple[Any, ...], result: Any) -> bool:
    """Whether a constant that is no part of a table is added to scores by query and key (ALiBi)."""
    constants = [value for value in args if isinstance(value, Tensor) and not value.requires_grad]
    return any(is_bias_on_scores(result, value) and not is_marked(value, POSITION) for value in constants)


def inside_module_rule() -> bool:
    """Whether a module's rule hides its parts in this thread."""
    modes = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return any(isinstance(mode, Propagation) and mode.inside_module_rule for mode in modes)


def kind_of_module(module: nn.Module) -> str | None:
    """The family that is met at a module as a whole, None for most modules."""
    name = type(module).__name__
    if ratio_of(module) is not None:
        return "activation"
    if name.endswith("RotaryEmbedding"):
        return "rotary positions"
    if name.endswith("SinusoidalPositionalEmbedding"):
        return "sinusoidal positions"
    if is_mixer(module):
        return "scan"
    return "router" if "Router" in name else "experts" if name.endswith("Experts") else None


@contextmanager
def counted_modules(module: nn.Module, found: Census) -> Iterator[None]:
    """Counts passes through modules that have a rule as a whole, while the context lasts."""

    def counting(kind: str) -> Callable[..., None]:
        return lambda *_: found.calls.update((kind,))

    handles = [part.register_forward_hook(counting(kind)) for part in module.modules() if (kind := kind_of_module(part))]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def census(module: nn.Module, inputs: Mapping[str, Any], found: Census | None = None, rules: str = "palrp.v1") -> Census:
    """Families of operations that one pass of a model meets; `inputs` are its keyword arguments, texts along the first axis.

    Counts are added to `found` where given. Raises PropagationError for an operation without a rule; what came before it is counted.
    """
    found = Census() if found is None else found
    under_rules = propagation(module, composite(rules), len(inputs["input_ids"]))
    with counted_modules(module, found), torch.enable_grad(), under_rules, Counting(found):
        module(**inputs)
    return found
