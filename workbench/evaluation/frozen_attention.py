"""Does a model carry what changed by the values that attention moves, or by which token it attends to?

Relevance patching, like attribution patching, takes attention at its plain derivative at the corrupted run. Where the change is in the
values that is right; where a head attends to another token as soon as the word changes, its softmax is saturated and the derivative says
little (Kramár et al. 2024, "AtP*", of attribution patching). Here the question is asked of a model: the clean activation of the changed
word is put into the corrupted run once as it is, and once with the attention weights of the corrupted run put in again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.errors import PropagationError
from workbench.evaluation.interventions import activations, exchanged, logits_of
from workbench.evaluation.pairs import Pair, prompts


class FrozenAttention(TorchFunctionMode):
    """Keeps the weights of each call of fused attention; after `replay` those are used again, in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []
        self.next: int | None = None

    def replay(self) -> FrozenAttention:
        """From now on the kept weights are used, from the first call on."""
        self.next = 0
        return self

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is not F.scaled_dot_product_attention:
            return function(*args, **kwargs)
        query, key, value = args[:3]
        if self.next is None:  # with the identity for values the output is the weights, whatever the mask
            identity = torch.eye(key.shape[-2], dtype=query.dtype, device=query.device).expand(*key.shape[:-1], key.shape[-2])
            self.weights.append(function(query, key, identity, *args[3:], **kwargs))
            return self.weights[-1] @ value
        self.next += 1
        return self.weights[self.next - 1] @ value


def carried_by_values(module: nn.Module, pairs: Sequence[Pair]) -> float:
    """Share of the effect of the first changed word (its residual stream after layer 0) that is left when attention cannot change.

    1: the values carry it; 0: where attention goes carries it. Mean over pairs, divided by the mean effect with attention free. Raises
    PropagationError for a model without fused attention.
    """
    free, frozen = 0.0, 0.0
    for group in prompts(pairs, next(module.parameters()).device):
        clean, _ = activations(module, group.clean)
        attention = FrozenAttention()
        with attention:
            corrupted = group.difference(logits_of(module, group.corrupted))
        if not attention.weights:
            raise PropagationError("freeze attention", "no fused attention", 'load the model with attn_implementation="sdpa"')
        place, first = ("residual", 0), [pair.first_difference for pair in group.pairs]
        for position in sorted(set(first)):
            chosen = torch.tensor([known == position for known in first], device=corrupted.device)
            values = clean[place][:, position]
            free += effect(group.difference(exchanged(module, group.corrupted, place, position, values)), corrupted, chosen)
            with attention.replay():
                kept = group.difference(exchanged(module, group.corrupted, place, position, values))
            frozen += effect(kept, corrupted, chosen)
    return frozen / free


def effect(patched: Tensor, corrupted: Tensor, chosen: Tensor) -> float:
    """What a patch changed in the logit difference, summed over the chosen pairs."""
    return float((patched - corrupted)[chosen].sum())
