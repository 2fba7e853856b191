"""An oracle without autograd for the frozen composite.

With attention, norm scale and activation ratio constant the network is affine, so the relevance of token i is the frozen network
applied to that token alone (Ali et al. 2022). BERT is written out here from its weights.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from tests.attribution.families import FAMILIES, build, texts
from workbench.attribution.trace import explain

Weights = dict[str, Tensor]


def linear(w: Weights, name: str, streams: Tensor) -> Tensor:
    """A linear layer on streams; the last stream carries all constants and so takes the bias."""
    out = streams @ w[f"{name}.weight"].T
    out[-1] += w[f"{name}.bias"]
    return out


def norm(w: Weights, name: str, streams: Tensor, eps: float) -> Tensor:
    """Layer norm with the scale of the whole input."""
    whole = streams.sum(0)
    scale = 1 / torch.sqrt(whole.var(-1, unbiased=False, keepdim=True) + eps)
    out = (streams - streams.mean(-1, keepdim=True)) * scale * w[f"{name}.weight"]
    out[-1] += w[f"{name}.bias"]
    return out


def layer(w: Weights, prefix: str, streams: Tensor, heads: int, eps: float) -> Tensor:
    """One BERT layer on streams (token + 1, position, hidden), attention weights and activation ratios taken from their sum."""
    q, k, v = (linear(w, f"{prefix}.attention.self.{name}", streams) for name in ("query", "key", "value"))
    length, hidden = q.shape[1:]
    width = hidden // heads
    split = [x.sum(0).reshape(length, heads, width).transpose(0, 1) for x in (q, k)]
    attention = torch.softmax(split[0] @ split[1].transpose(1, 2) / math.sqrt(width), -1)
    values = v.reshape(-1, length, heads, width)
    context = torch.einsum("hqk,skhd->sqhd", attention, values).reshape(-1, length, hidden)
    middle = norm(w, f"{prefix}.attention.output.LayerNorm", linear(w, f"{prefix}.attention.output.dense", context) + streams, eps)
    inner = linear(w, f"{prefix}.intermediate.dense", middle)
    inner = inner * (0.5 * (1 + torch.erf(inner.sum(0) / math.sqrt(2))))
    return norm(w, f"{prefix}.output.LayerNorm", linear(w, f"{prefix}.output.dense", inner) + middle, eps)


def test_cplrp_equals_the_frozen_network_on_each_token_alone() -> None:
    model = build(FAMILIES[0], seed=5)
    w = {name: value.clone() for name, value in model.state_dict().items()}
    for text in texts(3, 9, seed=7):
        ids = torch.tensor(text.ids)
        length = len(ids)
        streams = torch.zeros(length + 1, length, 64, dtype=torch.float64)
        streams[torch.arange(length), torch.arange(length)] = w["bert.embeddings.word_embeddings.weight"][ids]
        streams[-1] += w["bert.embeddings.position_embeddings.weight"][:length] + w["bert.embeddings.token_type_embeddings.weight"][0]
        eps = model.config.layer_norm_eps  # type: ignore[union-attr]
        streams = norm(w, "bert.embeddings.LayerNorm", streams, eps)  # type: ignore[arg-type]
        for index in range(3):
            streams = layer(w, f"bert.encoder.layer.{index}", streams, 4, eps)  # type: ignore[arg-type]
        pooled = linear(w, "bert.pooler.dense", streams[:, :1])
        whole = pooled.sum(0)
        logits = linear(w, "classifier", pooled * (torch.tanh(whole) / whole))[:, 0]
        label = int(logits.sum(0).argmax())
        explanation = explain(model, [text], "cplrp")[0]
        assert abs(explanation.ledger.target - float(logits.sum(0)[label])) < 1e-10
        np.testing.assert_allclose(explanation.tokens, logits[:-1, label].numpy(), rtol=1e-5, atol=1e-7)
        assert abs(explanation.ledger.accounts["tokens"] - float(logits[:-1, label].sum())) < 1e-10
