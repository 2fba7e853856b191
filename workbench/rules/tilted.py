"""What a bias on attention scores takes, in closed form, from one more fused pass: neither weights nor their derivative are written out.

With P the weights, o = P V and g the derivative at o, a bias b takes sum_j b_j dS_j with dS_j = P_j (g . v_j - g . o), query by query.
dS sums to zero over keys, so b may be shifted to b' >= 1. Weights tilted by it, P'_j = P_j b'_j / c with c = sum_j P_j b'_j, are those
of scores to which log b' was added; they give o', and

    sum_j b_j dS_j = g . (sum_j P_j b'_j v_j - c o) = c g . (o' - o),      log c = logsumexp' - logsumexp.

Fused kernels tell their logsumexp. Exponential tilting is Esscher's (1932); that it gives this sum is two lines of algebra, above, and
checked against attention written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from workbench.rules.recorder import WIDE, mask_limit

#: Sees what the bias takes by text and query, over all heads.
Seen = Callable[[Float[Tensor, "text query"]], None]


def missing(*_: Any, **__: Any) -> Any:
    """Stands for a kernel that this build of torch does not have; `fits` says no before it would be called."""
    raise NotImplementedError


FORWARD = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", missing)
BACKWARD = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu_backward", missing)


def fits(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> bool:
    """Whether torch's fused kernel for processors takes these, in a precision in which a difference of two outputs says enough."""
    alike = {(x.dtype, x.device.type, x.ndim) for x in (query, key, value, mask)} == {(query.dtype, "cpu", 4)}
    sized = query.shape[-1] == key.shape[-1] == value.shape[-1] and mask.shape[2:] == (query.shape[2], key.shape[2])
    return missing not in (FORWARD, BACKWARD) and query.dtype in WIDE and alike and sized


def tilted(mask: Float[Tensor, "text head query key"]) -> Float[Tensor, "text head query key"]:
    """The bias with the logarithm of itself added, shifted to 1 at least; what is minus infinity in effect stays so."""
    least = F.threshold(mask, -mask_limit(mask), torch.inf).amin()
    return (mask - least + 1.0).clamp_(min=1.0).log_().add_(mask)


class Tilted(torch.autograd.Function):
    """Fused attention with `mask` in value and derivative; what the bias in it takes is shown to `seen`. `tilt` is `tilted(mask)`."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, tilt: Tensor, scale: float, seen: Seen
    ) -> Tensor:  # fmt: skip
        output, sums = FORWARD(query, key, value, attn_mask=mask, scale=scale)
        ctx.save_for_backward(query, key, value, mask, tilt, output, sums)
        ctx.scale, ctx.seen = scale, seen
        return output  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, tilt, output, sums = ctx.saved_tensors
        other, others = FORWARD(query, key, value, attn_mask=tilt, scale=ctx.scale)
        by_head = other.sub_(output).mul_(gradient).sum(-1)
        ctx.seen(by_head.mul_(others.sub_(sums).exp_()).sum(1))
        found = BACKWARD(gradient, query, key, value, output, sums, 0.0, False, attn_mask=mask, scale=ctx.scale)
        return *found, None, None, None, None
