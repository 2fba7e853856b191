"""Masked-language pretraining of a small encoder (Devlin et al. 2019), in spans where tokens are syllables (Joshi et al. 2020)."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from pipelines.training.bengali_hate.batches import bucketed, padded, slope

Report = Callable[[str], None]


class MaskedHead(nn.Module):
    """Predicts the token from a state; the output matrix is the embedding matrix itself."""

    def __init__(self, width: int, size: int) -> None:
        """`width` of the states, `size` of the vocabulary."""
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, states: Tensor, embedding: Tensor) -> Tensor:
        """Logits (token vocab) for `states` (token hidden) and `embedding` (vocab hidden)."""
        return functional.linear(self.norm(functional.gelu(self.dense(states))), embedding, self.bias)


def chosen(ids: Tensor, lowest: int, rate: float, span: int, generator: torch.Generator) -> Tensor:
    """Which tokens to predict (batch token): spans of `span` tokens, about `rate` of the ordinary tokens (id >= `lowest`)."""
    start = torch.rand(ids.shape, generator=generator) < rate / span
    spread = functional.max_pool1d(functional.pad(start.float()[:, None], (span - 1, 0)), span, 1)[:, 0] > 0
    return spread & (ids >= lowest)


def corrupted(ids: Tensor, pick: Tensor, mask: int, lowest: int, size: int, generator: torch.Generator) -> Tensor:
    """Ids with 80 % of the picked tokens masked, 10 % replaced by a random token, 10 % left as they are."""
    dice = torch.rand(ids.shape, generator=generator)
    random = torch.randint(lowest, size, ids.shape, generator=generator)
    changed = torch.where(pick & (dice < 0.8), torch.full_like(ids, mask), ids)
    return torch.where(pick & (dice >= 0.8) & (dice < 0.9), random, changed)


def pretrain(
    backbone: BertModel,
    sequences: list[list[int]],
    mask: int,
    padding: int,
    *,
    lowest: int,
    span: int,
    epochs: int,
    seed: int,
    report: Report,
) -> None:
    """Train the encoder in place: `epochs` passes in batches of 4,096 tokens, AdamW 1e-3, bfloat16 where the processor multiplies it."""
    generator = torch.Generator().manual_seed(seed)
    order = np.random.default_rng(seed)
    lengths = [len(sequence) for sequence in sequences]
    plan = [batch for _ in range(epochs) for batch in bucketed(lengths, order, tokens=4096)]
    embedding = backbone.embeddings.word_embeddings.weight
    head = MaskedHead(embedding.shape[1], embedding.shape[0])
    weights = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    backbone.train()
    began, seen, smooth = time.process_time(), 0, 0.0
    for step, batch in enumerate(plan):
        ids, attention = padded([sequences[index] for index in batch], padding)
        pick = chosen(ids, lowest, 0.2, span, generator)
        wrong = corrupted(ids, pick, mask, lowest, embedding.shape[0], generator)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * slope(step, len(plan))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = backbone(input_ids=wrong, attention_mask=attention).last_hidden_state
            logits = head(states[pick], embedding)
        loss = functional.cross_entropy(logits.float(), ids[pick])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        seen += ids.numel()
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0 or step == len(plan) - 1:
            spent = time.process_time() - began
            report(f"masked step {step}/{len(plan)} loss {smooth:.3f} {seen / spent:.0f} tokens/CPU-s {spent:.0f} CPU-s")
