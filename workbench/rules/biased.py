"""Fused attention with a bias on its scores (relative positions of T5): forward fused, backward by blocks of texts and heads.

Fused kernels give no derivative of a bias on a CPU; torch would then write attention out and keep its matrices. Here the weights of one
block at a time are computed again in the backward pass from the scores and forgotten (as Dao et al. 2022, 'FlashAttention', section 3.1,
do by blocks): with P the weights, D = rowsum(g_o . o) and dS = P . (g_o V^T - D), the derivatives are dV = P^T g_o, dQ = s dS K,
dK = s dS^T Q, and what the bias b takes is b . dS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules.recorder import mask_limit, wide

#: Sees what the bias takes, `b . dS (text query key)` over all heads, and the positive part of it alone (or the same again).
Seen = Callable[[Tensor, Tensor], None]

#: Scores of a block: few enough for a processor's cache, many enough that its operations are worth their call.
CELLS = 1 << 19


def holds_bias(mask: Tensor | None) -> TypeGuard[Tensor]:
    """Whether a mask holds more than zeros and masks."""
    if mask is None or not mask.is_floating_point():
        return False
    if is_masked(mask):
        mask = unmasked(mask)
    return bool(mask.amin() != 0) or bool(mask.amax() != 0)  # two reductions: on a CPU they take half the time of both in one


def is_masked(mask: Tensor) -> bool:
    """Whether some constants are minus infinity in effect."""
    return bool(mask.amin() < -mask_limit(mask))


def unmasked(mask: Tensor) -> Tensor:
    """A mask without what is minus infinity in effect."""
    return F.threshold(mask, -mask_limit(mask), 0.0)


def blocks(texts: int, heads: int, cells: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of about `CELLS` scores, `cells` a head: several texts with all their heads, or some heads of one text."""
    step = max(1, CELLS // (heads * cells))
    width = heads if heads * cells <= CELLS else max(1, CELLS // cells)
    for text in range(0, texts, step):
        for head in range(0, heads, width):
            yield slice(text, min(text + step, texts)), slice(head, min(head + width, heads))


class Biased(torch.autograd.Function):
    """`attend(query, key, value, attn_mask=mask)` in value and derivative; what the bias takes is shown to `seen`."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, attend: Callable[..., Tensor], scale: float,
        positive: bool, seen: Seen,
    ) -> Tensor:  # fmt: skip
        output = attend(query, key, value, attn_mask=mask, scale=scale)
        ctx.save_for_backward(query, key, value, mask, output)
        ctx.scale, ctx.positive, ctx.seen = scale, positive, seen
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output = ctx.saved_tensors
        (texts, heads, queries, _), keys = query.shape, key.shape[2]
        bias = mask.expand(texts, heads, queries, keys)
        masked = is_masked(mask)
        given = wide(query) * ctx.scale, wide(key), wide(value), wide(gradient)
        spread = (given[3] * wide(output)).sum(-1, keepdim=True)
        answers = tuple(torch.empty_like(x, memory_format=torch.contiguous_format) for x in given[:3])
        total = spread.new_zeros(texts, queries, keys)
        shown = torch.zeros_like(total) if ctx.positive else total
        for block in blocks(texts, heads, queries * keys):
            q, k, v, g = (x[block].flatten(0, 1) for x in given)
            of_query, of_key, of_value = (x[block].flatten(0, 1) for x in answers)
            scores_bias = wide(bias[block])
            weights = torch.bmm(q, k.mT).view_as(scores_bias).add_(scores_bias).softmax(-1).flatten(0, 1)
            scores = torch.bmm(g, v.mT).sub_(spread[block].flatten(0, 1)).mul_(weights)
            constant = unmasked(scores_bias) if masked else scores_bias
            for bias_of_head, scores_of_head in zip(constant.unbind(1), scores.view_as(constant).unbind(1), strict=True):
                total[block[0]].addcmul_(bias_of_head, scores_of_head)
                if ctx.positive:
                    shown[block[0]] += (bias_of_head * scores_of_head).clamp_(min=0)
            torch.bmm(scores, k, out=of_query)
            torch.bmm(scores.mT, q, out=of_key)  # the query is scaled already
            torch.bmm(weights.mT, g, out=of_value)
        answers[0].mul_(ctx.scale)
        ctx.seen(total, shown)
        return *(x.to(query.dtype) for x in answers), *(None,) * 5
