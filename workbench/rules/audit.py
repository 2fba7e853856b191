"""What is refused before and after a pass: models whose derivative is not their own, and custom functions that no rule has seen."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules import activation, alpha_beta, attention, biased, normalization, softmax, tilted
from workbench.rules.recorder import Watch
from workbench.rules.sources import Parts

OWN_FUNCTIONS: tuple[type[torch.autograd.Function], ...] = (
    Watch, attention.Halves, biased.Biased, tilted.Tilted, activation.IdentityRule, normalization.ConstantScale, softmax.Conserving,
    alpha_beta.Contributions, alpha_beta.Sum, alpha_beta.Weighted,
)  # fmt: skip

#: Custom functions of released models that are elementwise and give their own exact derivative (BLOOM's GELU).
KNOWN = frozenset({"GeLUFunctionBackward"})


def refuse_unfit(module: nn.Module, parts: Parts | None = None) -> None:
    """Raises PropagationError for a model in a state in which its derivative is not its own: training mode, compiled, quantised.

    `parts` are its named modules, where they have been listed already.
    """
    asked = f"propagate relevance through {type(module).__name__}"
    for name, part in module.named_modules() if parts is None else parts:
        if part.training and (part is module or ("Dropout" in type(part).__name__ and getattr(part, "p", 1.0))):
            raise PropagationError(asked, f"{name or 'the model'} is in training mode (dropout is active)", "call .eval() on it")
        if type(part).__name__ == "OptimizedModule" or getattr(part, "_compiled_call_impl", None) is not None:
            raise PropagationError(
                asked, f"{name or 'it'} is a torch.compile'd module, whose operations cannot be met", "pass the original module"
            )
        weight = getattr(part, "weight", None)
        if isinstance(weight, Tensor) and not weight.is_floating_point():
            raise PropagationError(asked, f"{name} has weights of type {weight.dtype} (quantised)", "load the model in float32 or bfloat16")


def refuse_custom_kernels(target: Tensor, rules: tuple[type[torch.autograd.Function], ...] = ()) -> None:
    """Raises PropagationError when the graph holds a Python autograd function that is not a rule (of `rules`, or of all modes).

    Its inside was not seen.
    """
    own = {f"{function.__name__}Backward" for function in (*OWN_FUNCTIONS, *rules)} | KNOWN
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
