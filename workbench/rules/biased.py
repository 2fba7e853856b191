"""Fused attention with a bias on its scores (relative positions of T5): forward fused, backward head by head.

Fused kernels give no derivative of a bias on a CPU; torch would then write attention out and keep its matrices. Here the weights of one
head at a time are computed again in the backward pass from the scores and forgotten (as Dao et al. 2022, 'FlashAttention', section 3.1, do
by blocks): with P the weights, D = rowsum(g_o . o) and dS = P . (g_o V^T - D), the derivatives are dV = P^T g_o, dQ = s dS K,
dK = s dS^T Q, and what the bias b takes is b . dS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules.recorder import MASK_VALUE, wide

#: Sees `b` and `dS (batch query key)` of one head, whose product is what the bias takes; head 0 comes first.
Seen = Callable[[int, Tensor, Tensor], None]


def holds_bias(mask: Tensor | None) -> TypeGuard[Tensor]:
    """Whether a mask holds more than zeros and masks."""
    if mask is None or not mask.is_floating_point():
        return False
    low, high = unmasked(mask).aminmax()
    return bool(low != 0) or bool(high != 0)


def unmasked(mask: Tensor) -> Tensor:
    """A mask without what is minus infinity in effect, in one pass: every call of T5's attention brings a mask of its own."""
    return F.threshold(mask, -min(MASK_VALUE, torch.finfo(mask.dtype).max / 2), 0.0)


class Biased(torch.autograd.Function):
    """`attend(query, key, value, attn_mask=mask)` in value and derivative; what the bias takes is shown to `seen` by head."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, attend: Callable[..., Tensor], scale: float, seen: Seen
    ) -> Tensor:
        output = attend(query, key, value, attn_mask=mask, scale=scale)
        ctx.save_for_backward(query, key, value, mask, output)
        ctx.scale, ctx.seen = scale, seen
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output = ctx.saved_tensors
        mask = mask.expand(*mask.shape[:1], query.shape[1], *query.shape[2:3], *key.shape[2:3])
        bias = unmasked(mask)
        answers = torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)
        for head in range(query.shape[1]):
            q, k, v, g, o = (wide(x[:, head]) for x in (query, key, value, gradient, output))
            weights = torch.baddbmm(wide(mask[:, head]), q, k.mT, alpha=ctx.scale).softmax(-1)
            scores = torch.baddbmm((g * o).sum(-1, keepdim=True), g, v.mT, beta=-1).mul_(weights)
            ctx.seen(head, wide(bias[:, head]), scores)
            answers[0][:, head] = torch.bmm(scores, k).mul_(ctx.scale)
            answers[1][:, head] = torch.bmm(scores.mT, q).mul_(ctx.scale)
            answers[2][:, head] = torch.bmm(weights.mT, g)
        return *answers, None, None, None, None
