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

#: Sees what the bias takes, `b . dS` over all heads `(text query key)` or over keys too `(text query)`, and its positive part alone (or
#: the same again).
Seen = Callable[[Tensor, Tensor], None]

#: Scores of a block: with weights and derivative beside them they stay in a processor's cache, and are worth their calls.
CELLS = 1 << 17


def holds_bias(mask: Tensor | None) -> TypeGuard[Tensor]:
    """Whether a mask holds more than zeros and masks."""
    if mask is None or not mask.is_floating_point():
        return False
    if bool(mask.amax() != 0):
        return True  # one reduction tells it of most biases
    least = unmasked(mask) if is_masked(mask) else mask
    return bool(least.amin() != 0)


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
    """`attend(query, key, value, attn_mask=mask)` in value and derivative; what the bias takes is shown to `seen`.

    `by_key`: by query and key, else by query alone. `positive`: its positive part is asked for as well.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, attend: Callable[..., Tensor], scale: float,
        by_key: bool, positive: bool, seen: Seen,
    ) -> Tensor:  # fmt: skip
        output = attend(query, key, value, attn_mask=mask, scale=scale)
        ctx.save_for_backward(query, key, value, mask, output)
        ctx.scale, ctx.by_key, ctx.positive, ctx.seen = scale, by_key, positive, seen
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output = ctx.saved_tensors
        (texts, heads, queries, _), keys = query.shape, key.shape[2]
        bias, masked = mask.expand(texts, heads, queries, keys), is_masked(mask)
        answers = tuple(torch.empty_like(x) for x in (query, key, value))
        total = wide(gradient.new_zeros(texts, queries, keys) if ctx.by_key else gradient.new_zeros(texts, queries))
        shown = torch.zeros_like(total) if ctx.positive else total
        over = (1,) if ctx.by_key else (1, 3)
        room: Tensor | None = None  # for scores, their derivative and weights, one block after another
        for block in blocks(texts, heads, queries * keys):
            constant = wide(bias[block])
            q, k, v, g, o = (wide(x[block]).flatten(0, 1) for x in (query, key, value, gradient, output))
            if ctx.scale != 1.0:
                q = q * ctx.scale
            if room is None:
                room = q.new_empty(3, len(q), queries, keys)
            scores, weights, derivative = room[:, : len(q)]
            torch.bmm(q, k.mT, out=scores).view_as(constant).add_(constant)
            torch.softmax(scores, -1, out=weights)
            torch.bmm(g, v.mT, out=derivative).sub_((g * o).sum(-1, keepdim=True)).mul_(weights)
            products = derivative @ (k * ctx.scale if ctx.scale != 1.0 else k), derivative.mT @ q, weights.mT @ g
            for answer, product in zip(answers, products, strict=True):
                answer[block] = product.view_as(answer[block])
            taken = derivative.view_as(constant).mul_(unmasked(constant) if masked else constant)
            total[block[0]] += taken.sum(over)
            if ctx.positive:
                shown[block[0]] += taken.clamp_(min=0).sum(over)
        ctx.seen(total, shown)
        return *answers, *(None,) * 6
