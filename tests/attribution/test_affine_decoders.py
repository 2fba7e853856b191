"""The oracle without autograd for decoders: GPT-2, Llama and Mamba written out on streams, one for each token, one for all constants.

Attention weights, norm scales, activation ratios and discretised parameters are taken from the sum of all streams; a product of two
streams (a gate) gives each factor half, `(a_i b + a b_i) / 2`. The relevance of token i is what its stream brings to the target.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.attribution.families import FAMILIES, Double, build, inputs, texts
from workbench.attribution import targets
from workbench.attribution.trace import record

BY_NAME = {family.name: family for family in FAMILIES}
Weights = dict[str, Tensor]


def biased(streams: Tensor, bias: Tensor | None) -> Tensor:
    """The last stream carries constants."""
    if bias is not None:
        streams[-1] += bias
    return streams


def begun(tokens: Tensor, constants: Tensor | float) -> Tensor:
    """Streams (token + 1, position, hidden) of embeddings `(position hidden)`."""
    length = len(tokens)
    streams = torch.zeros(length + 1, *tokens.shape, dtype=torch.float64)
    streams[torch.arange(length), torch.arange(length)] = tokens
    streams[-1] += constants
    return streams


def rms(streams: Tensor, gain: Tensor, eps: float) -> Tensor:
    """RMS norm with the scale of the whole."""
    whole = streams.sum(0)
    return streams / torch.sqrt((whole**2).mean(-1, keepdim=True) + eps) * gain


def layer_norm(streams: Tensor, w: Weights, name: str, eps: float) -> Tensor:
    """Layer norm with the scale of the whole."""
    std = torch.sqrt(streams.sum(0).var(-1, unbiased=False, keepdim=True) + eps)
    return biased((streams - streams.mean(-1, keepdim=True)) / std * w[f"{name}.weight"], w[f"{name}.bias"])


def attended(q: Tensor, k: Tensor, v: Tensor, heads: int, groups: int) -> Tensor:
    """Causal attention: weights of the whole `q, k (position head*width)`, applied to streams of values."""
    length = q.shape[0]
    q, k = (x.reshape(length, count, -1).transpose(0, 1) for x, count in ((q, heads), (k, groups)))
    k = k.repeat_interleave(heads // groups, 0)
    scores = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -math.inf)
    values = v.reshape(-1, length, groups, q.shape[-1]).repeat_interleave(heads // groups, 2)
    return torch.einsum("hqk,skhd->sqhd", torch.softmax(scores, -1), values).reshape(v.shape[0], length, -1)


def halves(left: Tensor, right: Tensor) -> Tensor:
    """A product of streams whose factors get half each."""
    return 0.5 * (left * right.sum(0) + left.sum(0) * right)


def sigmoid(x: Tensor) -> Tensor:
    """SiLU(x)/x."""
    return 1 / (1 + torch.exp(-x))


def gpt2(w: Weights, ids: Tensor) -> Tensor:
    """Logits by stream (stream position token)."""
    x = begun(w["transformer.wte.weight"][ids], w["transformer.wpe.weight"][: len(ids)])
    for layer in (f"transformer.h.{index}" for index in range(3)):
        normed = layer_norm(x, w, f"{layer}.ln_1", 1e-5)
        q, k, v = biased(normed @ w[f"{layer}.attn.c_attn.weight"], w[f"{layer}.attn.c_attn.bias"]).split(64, -1)
        context = attended(q.sum(0), k.sum(0), v, 4, 4)
        x = x + biased(context @ w[f"{layer}.attn.c_proj.weight"], w[f"{layer}.attn.c_proj.bias"])
        normed = layer_norm(x, w, f"{layer}.ln_2", 1e-5)
        inner = biased(normed @ w[f"{layer}.mlp.c_fc.weight"], w[f"{layer}.mlp.c_fc.bias"])
        whole = inner.sum(0)
        inner = inner * 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (whole + 0.044715 * whole**3)))
        x = x + biased(inner @ w[f"{layer}.mlp.c_proj.weight"], w[f"{layer}.mlp.c_proj.bias"])
    return layer_norm(x, w, "transformer.ln_f", 1e-5) @ w["lm_head.weight"].T


def turned(x: Tensor, heads: int) -> Tensor:
    """Rotary positions of the whole `(position head*width)`, computed number by number."""
    length, width = x.shape[0], x.shape[1] // heads
    out = torch.zeros_like(x)
    for place in range(length):
        for head in range(heads):
            for d in range(width // 2):
                angle = place * 10000 ** (-2 * d / width)
                first, second = head * width + d, head * width + d + width // 2
                out[place, first] = x[place, first] * math.cos(angle) - x[place, second] * math.sin(angle)
                out[place, second] = x[place, second] * math.cos(angle) + x[place, first] * math.sin(angle)
    return out


def llama(w: Weights, ids: Tensor) -> Tensor:
    """Logits by stream."""
    x = begun(w["model.embed_tokens.weight"][ids], 0.0)
    for layer in (f"model.layers.{index}" for index in range(3)):
        normed = rms(x, w[f"{layer}.input_layernorm.weight"], 1e-6)
        q, k, v = (normed @ w[f"{layer}.self_attn.{name}_proj.weight"].T for name in "qkv")
        context = attended(turned(q.sum(0), 4), turned(k.sum(0), 2), v, 4, 2)
        x = x + context @ w[f"{layer}.self_attn.o_proj.weight"].T
        normed = rms(x, w[f"{layer}.post_attention_layernorm.weight"], 1e-6)
        gate, up = (normed @ w[f"{layer}.mlp.{name}_proj.weight"].T for name in ("gate", "up"))
        x = x + halves(gate * sigmoid(gate.sum(0)), up) @ w[f"{layer}.mlp.down_proj.weight"].T
    return rms(x, w["model.norm.weight"], 1e-6) @ w["lm_head.weight"].T


def mixed(w: Weights, mixer: str, x: Tensor) -> Tensor:
    """A Mamba mixer on streams: the scan's parameters come from the whole, the recurrence runs step by step."""
    length = x.shape[1]
    u, z = (x @ w[f"{mixer}.in_proj.weight"].T).chunk(2, -1)
    padded = torch.cat([u.new_zeros(u.shape[0], 3, u.shape[2]), u], 1)
    kernel = w[f"{mixer}.conv1d.weight"][:, 0]
    convolved = biased(sum(padded[:, k : k + length] * kernel[:, k] for k in range(4)), w[f"{mixer}.conv1d.bias"])  # type: ignore[arg-type]
    u = convolved * sigmoid(convolved.sum(0))
    step, b, c = (u.sum(0) @ w[f"{mixer}.x_proj.weight"].T).split([4, 8, 8], -1)
    step = torch.log1p(torch.exp(step @ w[f"{mixer}.dt_proj.weight"].T + w[f"{mixer}.dt_proj.bias"]))
    decay = -torch.exp(w[f"{mixer}.A_log"])
    state, outputs = torch.zeros(u.shape[0], 128, 8, dtype=torch.float64), []
    for t in range(length):
        state = torch.exp(step[t][:, None] * decay) * state + (step[t][:, None] * b[t]) * u[:, t, :, None]
        outputs.append(state @ c[t] + w[f"{mixer}.D"] * u[:, t])
    return halves(torch.stack(outputs, 1), z * sigmoid(z.sum(0))) @ w[f"{mixer}.out_proj.weight"].T


def mamba(w: Weights, ids: Tensor) -> Tensor:
    """Logits by stream."""
    x = begun(w["backbone.embeddings.weight"][ids], 0.0)
    for layer in (f"backbone.layers.{index}" for index in range(3)):
        x = x + mixed(w, f"{layer}.mixer", rms(x, w[f"{layer}.norm.weight"], 1e-5))
    return rms(x, w["backbone.norm_f.weight"], 1e-5) @ w["lm_head.weight"].T


WRITTEN = {"GPT-2": gpt2, "Llama": llama, "Mamba": mamba}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "composite"),
    [("GPT-2", "cplrp"), ("GPT-2", "bilrp"), ("Llama", "cplrp"), ("Llama", "bilrp"), ("Mamba", "mambalrp"), ("Mamba", "cplrp")],
)
def test_a_frozen_decoder_equals_its_streams(name: str, composite: str) -> None:
    family = BY_NAME[name]
    model = build(family, seed=5)
    w = {key: value.clone() for key, value in model.state_dict().items()}
    for text in texts(2, 8, seed=7):
        with torch.no_grad():
            logits = WRITTEN[name](w, torch.tensor(text.ids))[:, -1]
        token = int(logits.sum(0).argmax())
        with Double():
            traced = record(model, {**inputs(family, [text]), "use_cache": False}, composite)
        (explanation,) = traced.explain(targets.next_token(torch.tensor([token])))
        assert explanation.ledger.target == pytest.approx(float(logits.sum(0)[token]), rel=1e-9)
        np.testing.assert_allclose(explanation.tokens, logits[:-1, token].numpy(), rtol=1e-5, atol=1e-7)
        assert explanation.ledger.accounts["tokens"] == pytest.approx(float(logits[:-1, token].sum()), rel=1e-8)
        rest = sum(explanation.ledger.accounts[account] for account in ("biases", "positions"))
        assert rest == pytest.approx(float(logits[-1, token]), rel=1e-8, abs=1e-10)
