"""ALTI+: source and prefix contributions from one forward pass (Ferrando et al. 2022, 'Towards opening the black box of NMT').

In every attention block the output y_i is compared with what each input j brings to it: T_i(x_j) = its value by its attention weight
through the output projection (and the residual where j = i), behind a layer norm whose scale is fixed. In the L1 norm, c_ij =
max(0, |y_i| - |y_i - T_i(x_j)|), rows normalised; blocks are multiplied (rollout), the decoder's state being one more column of
cross-attention.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.attribution import stepwise
from workbench.attribution.alti_capture import Block, Pass, capture
from workbench.attribution.stepwise import StepInputs, Steps

#: Numbers of transformed vectors (texts x queries x keys x width) that are held at a time.
HELD = 16_000_000


def steps(module: nn.Module, batch: StepInputs) -> Steps:
    """Shares of every step of a batch. Raises PropagationError for a model whose layers are not known."""
    plain = stepwise.plain_logits(module, batch)
    seen, logits = capture(module, batch)
    with torch.no_grad():
        source, target = rollout(seen)
    rows = torch.arange(len(batch.places), device=source.device)[:, None]
    shape = batch.places.shape
    return Steps(
        torch.ones(shape, dtype=torch.float64),
        stepwise.given_log_probability(logits, batch.given),
        logits.argmax(1).cpu().reshape(shape),
        stepwise.difference_to(plain, logits, batch.real),
        {"tokens": source[rows, batch.places].transpose(0, 1).double().cpu(),
         "decoder_inputs": target[rows, batch.places].transpose(0, 1).double().cpu()},
        {},
    )  # fmt: skip


def rollout(seen: Pass) -> tuple[Float[Tensor, "batch target source"], Float[Tensor, "batch target target"]]:
    """Shares of source tokens and of decoder inputs in every decoder position; rows of both sum to one."""
    encoded = None
    for block in seen.encoder:
        found = self_contributions(block)
        encoded = found if encoded is None else found @ encoded
    assert encoded is not None
    source = target = None
    for own, cross in seen.decoder:
        within, found = self_contributions(own), cross_contributions(cross)
        kept = found[..., -1:]
        target = kept * (within if target is None else within @ target)
        before = 0.0 if source is None else kept * (within @ source)
        source = found[..., :-1] @ encoded + before
    assert source is not None
    assert target is not None
    total = source.sum(-1, keepdim=True) + target.sum(-1, keepdim=True)  # one but for rounding
    return source / total, target / total


def self_contributions(block: Block) -> Float[Tensor, "batch query key"]:
    """Contributions of every token to every token of a self-attention block; rows sum to one."""
    found = []
    for part in block.split(HELD):
        transformed = part.transformed()
        diagonal = transformed.diagonal(dim1=1, dim2=2)  # (batch unit query), a view
        diagonal.add_(part.residual.mT)
        found.append(shares(part, transformed, fallback="own"))
    return torch.cat(found)


def cross_contributions(block: Block) -> Float[Tensor, "batch query key_and_residual"]:
    """Contributions of every source position and, last, of the decoder's own state; rows sum to one."""
    found = []
    for part in block.split(HELD):
        transformed = torch.cat([part.transformed(), part.residual[:, :, None]], 2)
        found.append(shares(part, transformed, fallback="last"))
    return torch.cat(found)


def shares(block: Block, transformed: Float[Tensor, "batch query key unit"], fallback: str) -> Float[Tensor, "batch query key"]:
    """c_ij of transformed vectors, which go through the layer norm behind the block where there is one.

    A row in which nothing is near the output goes to the residual (`own`: the diagonal, `last`: the last column).
    """
    output, vectors = block.output, block.normalised(transformed)
    distance = (output[:, :, None] - vectors).abs().sum(-1)
    near = (output.abs().sum(-1, keepdim=True) - distance).clamp(min=0)
    total = near.sum(-1, keepdim=True)
    residual = torch.zeros_like(near)
    if fallback == "own":
        residual.diagonal(dim1=1, dim2=2).fill_(1.0)
    else:
        residual[..., -1] = 1.0
    return torch.where(total > 0, near / total.clamp(min=torch.finfo(near.dtype).tiny), residual)
