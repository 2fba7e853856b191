"""Reading and exchanging what the components of a model hand on: forward hooks on the plain model, removed when the call ends.

Components are `residual` (a layer's output), `attention` and `mlp` (a block's output before it joins the residual stream). No hook
outlives its context, and no other model is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules.layers import blocks, layers

Kind: TypeAlias = Literal["residual", "attention", "mlp"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: A component of a model: its kind and layer.
Place: TypeAlias = tuple[str, int]


def components(module: nn.Module) -> dict[Place, nn.Module]:
    """The module whose output is each component, by kind and layer, layer by layer.

    Raises PropagationError for a model without such layers, or with two blocks of a kind in one layer.
    """
    found: dict[Place, nn.Module] = {}
    for number, layer in enumerate(layers(module)):
        found["residual", number] = layer
        for kind, block in blocks(layer):
            if (kind, number) in found:
                raise PropagationError(
                    f"patch the {kind} block of layer {number} of {type(module).__name__}",
                    "two such blocks in one layer",
                    "use a decoder-only model",
                )
            found[kind, number] = block
    if missing := set(KINDS) - {kind for kind, _ in found}:
        raise PropagationError(
            f"patch the components of {type(module).__name__}",
            f"no {', '.join(sorted(missing))} components in its {len(layers(module))} layers",
            "use a transformer of the transformers library",
        )
    return found


@contextmanager
def hooked(parts: dict[Place, nn.Module], change: Callable[[Place, Tensor], Tensor | None]) -> Iterator[None]:
    """While the context lasts, `change` sees the output of each part and may answer with another one."""

    def hook(place: Place) -> Callable[[nn.Module, Any, Any], Any]:
        def changed(_: nn.Module, __: Any, output: Any) -> Any:
            value = change(place, output[0] if isinstance(output, tuple) else output)
            return None if value is None else (value, *output[1:]) if isinstance(output, tuple) else value

        return changed

    handles = [part.register_forward_hook(hook(place)) for place, part in parts.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def logits_of(module: nn.Module, ids: Int[Tensor, "pair token"]) -> Float[Tensor, "pair token vocabulary"]:
    """The plain model's logits."""
    logits: Tensor = module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return logits


def activations(module: nn.Module, ids: Int[Tensor, "pair token"]) -> tuple[dict[Place, Float[Tensor, "pair token hidden"]], Tensor]:
    """All components' activations and the logits, from one forward pass of the plain model."""
    kept: dict[Place, Tensor] = {}

    def keep(place: Place, value: Tensor) -> None:
        kept[place] = value.detach()

    with hooked(components(module), keep):
        logits = logits_of(module, ids)
    return kept, logits


def exchanged(
    module: nn.Module, ids: Int[Tensor, "pair token"], place: Place, position: int, values: Float[Tensor, "pair hidden"]
) -> Float[Tensor, "pair token vocabulary"]:
    """Logits where one component hands on other activations at one position."""

    def put(_: Place, value: Tensor) -> Tensor:
        value = value.clone()
        value[:, position] = values
        return value

    with hooked({place: components(module)[place]}, put):
        return logits_of(module, ids)
