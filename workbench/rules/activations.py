"""Rules met at modules: activations that a class composes from several torch functions, which no single function shows.

Every class of `transformers.activations` is elementwise with f(0) = 0 unless listed in `UNFIT`; its parts are not seen, its value
is kept and its derivative is f(x)/x (identity rule, AttnLRP, Achtibat et al. 2024, eq. 9).
`register` takes classes of other packages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules import activation
from workbench.rules.activation import Ratio
from workbench.rules.marks import NEURONS, mark

if TYPE_CHECKING:
    from workbench.rules.propagation import Propagation

#: f(0) is not 0: relevance cannot pass unchanged where the input is 0.
UNFIT = frozenset({"LaplaceActivation"})


def tanh_gelu_ratio(x: Tensor, y: Tensor) -> Tensor:
    """tanh-GELU(x)/x."""
    return activation.gelu_ratio(x, y, "tanh")


RATIOS: dict[str, Ratio] = {
    "GELUActivation": activation.gelu_ratio,
    "NewGELUActivation": tanh_gelu_ratio,
    "GELUTanh": tanh_gelu_ratio,
    "PytorchGELUTanh": tanh_gelu_ratio,
    "FastGELUActivation": tanh_gelu_ratio,
    "AccurateGELUActivation": tanh_gelu_ratio,
    "QuickGELUActivation": activation.silu_ratio,
    "SiLUActivation": activation.silu_ratio,
    "BloomGelu": tanh_gelu_ratio,
}


BUILT_IN = frozenset(RATIOS)


def ratio_of(module: nn.Module) -> Ratio | None:
    """The f(x)/x of a composed activation module, None for any other module."""
    name = type(module).__name__
    if name in RATIOS:
        return RATIOS[name]
    if type(module).__module__ != "transformers.activations" or name in UNFIT:
        return None
    return activation.quotient


def hooks(mode: Propagation) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The pair of hooks of a composed activation: its parts are not seen, its result has the identity rule's derivative."""
    plain = mode.composite.activation == "gradient"

    def enter(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        mode.inside_module_rule += 1
        return ((mode.recorder.tap(inputs[0], "nonlinear", -1.0), *inputs[1:]), named) if plain and inputs else None

    def leave(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
        mode.inside_module_rule -= 1
        x, ratio = inputs[0], ratio_of(module)
        if not (isinstance(x, Tensor) and x.requires_grad and torch.is_grad_enabled()) or ratio is None:
            return None
        if output.shape != x.shape:
            raise PropagationError(
                f"apply the identity rule to {type(module).__name__}", "an output of another shape", "register only elementwise modules"
            )
        if plain:
            return mode.recorder.tap(output, "nonlinear")
        mode.inside_module_rule += 1
        try:
            value = output.detach()
            return mark(activation.identity(x, value, ratio(x.detach(), value)), NEURONS)  # type: ignore[no-any-return]
        finally:
            mode.inside_module_rule -= 1

    return enter, leave
