"""The published procedure of BiLRP for text, written once more: for every dimension of the embedding a fresh forward and backward pass.

Rules by detached factors, as Vasileiou and Eberle (2024) publish them: attention weights, 1/std of norms and activation gates are
constants; rows are gradient times input at what enters the first layer (words, positions and types after their norm). Nothing of the
engine is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

NORMS = frozenset({F.layer_norm, torch.layer_norm})
ROOTS = frozenset({torch.rsqrt, Tensor.rsqrt})
WEIGHTS = frozenset({F.softmax, torch.softmax, Tensor.softmax})
GATED = frozenset({F.gelu, F.silu, F.relu, F.tanh, torch.relu, torch.tanh, Tensor.tanh, torch._C._nn.gelu})


class Detached(TorchFunctionMode):
    """Constants by detaching them: attention weights, scales of norms, and gates."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is F.scaled_dot_product_attention:
            return attention(*args, **kwargs)
        if function in NORMS:
            return norm(*args[:5], **{name: value for name, value in kwargs.items() if name != "cudnn_enable"})
        if function is F.normalize:
            return unit(*args, **{name: value for name, value in kwargs.items() if name != "out"})
        result = function(*args, **kwargs)
        if function in ROOTS | WEIGHTS:
            return result.detach()
        return gate(args[0], result) if function in GATED else result


def gate(x: Tensor, value: Tensor) -> Tensor:
    """`value = f(x)` as x times the constant f(x)/x."""
    return x * (value / x).nan_to_num(0.0).detach()


def unit(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """A vector over its constant length: products are cosines."""
    length: Tensor = torch.linalg.vector_norm(x, p, dim, keepdim=True).clamp_min(eps)
    return x / length.detach()


def norm(x: Tensor, _: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """Layer norm, its mean with a derivative and its deviation without."""
    centred = x - x.mean(-1, keepdim=True)
    value = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt().detach()
    value = value if weight is None else value * weight
    return value if bias is None else value + bias


def attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, _: float = 0.0, is_causal: bool = False, **options: Any
) -> Tensor:
    """Attention by constant weights."""
    if options.get("enable_gqa"):
        key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (key, value))
    scores = query @ key.mT * (options.get("scale") or query.shape[-1] ** -0.5)
    if is_causal:
        scores = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), float("-inf"))
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf")) if attn_mask.dtype == torch.bool else scores + attn_mask
    attended: Tensor = scores.softmax(-1).detach() @ value
    return attended


@contextmanager
def entering(module: nn.Module) -> Iterator[list[Tensor]]:
    """Makes what enters the first layer a leaf, and gives it once a pass has run."""
    leaves: list[Tensor] = []

    def start(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        name = next((name for name, value in kwargs.items() if isinstance(value, Tensor) and value.is_floating_point()), "")
        leaves.append((args[0] if args else kwargs[name]).detach().requires_grad_(True))
        return ((leaves[-1], *args[1:]), kwargs) if args else (args, kwargs | {name: leaves[-1]})

    layers = next(part for part in module.modules() if isinstance(part, nn.ModuleList) and len(part))
    handle = layers[0].register_forward_pre_hook(start, with_kwargs=True)
    try:
        yield leaves
    finally:
        handle.remove()


def published(
    module: nn.Module, inputs: Mapping[str, Tensor], embed: Callable[[nn.Module, Mapping[str, Tensor]], Tensor], dimensions: Iterable[int]
) -> Tensor:
    """Factors `(dimension text token)` for these dimensions, one forward and backward pass each."""
    rows = []
    for dimension in dimensions:
        with entering(module) as leaves, torch.enable_grad(), Detached():
            explained = embed(module, inputs)[:, dimension].sum()
        (gradient,) = torch.autograd.grad(explained, leaves)
        rows.append((gradient * leaves[0].detach()).sum(-1))
    return torch.stack(rows)
