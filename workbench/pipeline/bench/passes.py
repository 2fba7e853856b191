"""The passes that are compared: forward alone, forward and backward to the word embeddings, and an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.attribution.trace import Trace, record
from workbench.relevance import Explanation


def likeliest(logits: Tensor) -> Tensor:
    """The largest logit of each text, of a model that continues texts at its last token."""
    return (logits if logits.ndim == 2 else logits[:, -1]).amax(-1)


def forward(module: nn.Module, given: Mapping[str, Any]) -> Tensor:
    """A plain forward pass: the floor under any explanation."""
    with torch.inference_mode():
        logits: Tensor = module(**given).logits
    return logits


def scored(module: nn.Module, given: Mapping[str, Any], *, everything: bool = False) -> tuple[Tensor, list[Tensor]]:
    """What a plain pass is differentiated from and by: the likeliest logit, and the looked-up word embeddings, or all embeddings."""
    leaves: list[Tensor] = []

    def detached(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        leaves.append(output.detach().requires_grad_(True))
        return leaves[-1]

    table: Any = module.get_input_embeddings()  # type: ignore[operator]
    handles = [
        part.register_forward_hook(detached)
        for part in module.modules()
        if isinstance(part, nn.Embedding) and (everything or part.weight is table.weight)
    ]
    try:
        explained = likeliest(module(**given).logits)
    finally:
        for handle in handles:
            handle.remove()
    return explained, leaves


def backward(module: nn.Module, given: Mapping[str, Any], *, everything: bool = False) -> tuple[Tensor, ...]:
    """A plain forward and backward pass: the gradient of the likeliest logit at the word embeddings, weights left alone.

    `everything`: at the embeddings of positions and token types and at biases on scores as well, which an explanation reads too.
    """
    explained, leaves = scored(module, given, everything=everything)
    return torch.autograd.grad(explained.sum(), leaves)


def traced(module: nn.Module, given: Mapping[str, Any], composite: str, **options: Any) -> Trace:
    """The forward half of an explanation."""
    return record(module, given, composite, **options)


def explained(module: nn.Module, given: Mapping[str, Any], composite: str, **options: Any) -> list[Explanation]:
    """An explanation of the likeliest logit: forward, backward, ledger, readings."""
    return traced(module, given, composite, **options).explain(lambda trace: likeliest(trace.logits))
