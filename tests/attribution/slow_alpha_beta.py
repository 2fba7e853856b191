"""The source/target contribution procedure written out for a Marian model of one layer each: every Jacobian in full, one step at a time.

It shares no line with the rules under test: relevance itself is passed down, Jacobians come from automatic differentiation.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Slow:
    """One pass of a model of one layer each; `spread` gives a linear layer's bias evenly to its inputs, as published."""

    def __init__(self, model: Any, source: Tensor, decoder: Tensor, spread: bool = False) -> None:
        self.model, self.spread = model, spread
        scale = model.config.d_model**0.5
        self.encoder, self.decoder = model.model.encoder.layers[0], model.model.decoder.layers[0]
        table = model.model.encoder.embed_positions.weight
        words = model.get_input_embeddings().weight
        self.x = words[source] * scale + table[: len(source)]
        self.y = words[decoder] * scale + table[: len(decoder)]
        self.encoded, self.encoder_kept = self.layer(self.encoder, self.x, None, causal=False)
        self.hidden, self.decoder_kept = self.layer(self.decoder, self.y, self.encoded, causal=True)

    def layer(self, layer: Any, x: Tensor, encoded: Tensor | None, causal: bool) -> tuple[Tensor, dict[str, Tensor]]:
        kept = {"x": x, "own": self.attend(layer.self_attn, x, x, causal)[0]}
        kept["state"] = layer.self_attn_layer_norm(x + kept["own"])
        if encoded is not None:
            kept["cross"] = self.attend(layer.encoder_attn, kept["state"], encoded, False)[0]
            kept["middle"] = layer.encoder_attn_layer_norm(kept["state"] + kept["cross"])
        else:
            kept["middle"] = kept["state"]
        kept["inner"] = layer.activation_fn(layer.fc1(kept["middle"]))
        kept["outer"] = layer.fc2(kept["inner"])
        return layer.final_layer_norm(kept["middle"] + kept["outer"]), kept

    def attend(self, attention: Any, x: Tensor, memory: Tensor, causal: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
        parts = attention.q_proj(x), attention.k_proj(memory), attention.v_proj(memory)
        heads = torch.cat([head(*(part[:, cut] for part in parts), attention.scaling, causal) for cut in cuts(attention)], -1)
        return attention.out_proj(heads), (*parts, heads)

    def explain(self, step: int, label: int) -> tuple[Tensor, Tensor]:
        """Relevance of the source tokens and of the decoder inputs."""
        relevance = torch.zeros_like(self.hidden)
        weight = self.model.lm_head.weight[label][None]
        relevance[step] = shared(self.linear(weight, None, self.hidden[step]), torch.ones(1))
        decoder, encoded = self.back(self.decoder, self.decoder_kept, relevance, self.encoded, causal=True)
        source, _ = self.back(self.encoder, self.encoder_kept, encoded, None, causal=False)
        return source.sum(1), decoder.sum(1)

    def back(self, layer: Any, kept: dict[str, Tensor], relevance: Tensor, encoded: Tensor | None, causal: bool) -> tuple[Tensor, Tensor]:
        relevance = norm(layer.final_layer_norm, kept["middle"] + kept["outer"], relevance)
        left, right = added(kept["middle"], kept["outer"], relevance)
        right = self.dense(layer.fc2, kept["inner"], right)
        relevance = left + self.dense(layer.fc1, kept["middle"], right)
        below = torch.zeros(0)
        if encoded is not None:
            relevance = norm(layer.encoder_attn_layer_norm, kept["state"] + kept["cross"], relevance)
            left, right = added(kept["state"], kept["cross"], relevance)
            query, below = self.attention(layer.encoder_attn, kept["state"], encoded, right, False)
            relevance = left + query
        relevance = norm(layer.self_attn_layer_norm, kept["x"] + kept["own"], relevance)
        left, right = added(kept["x"], kept["own"], relevance)
        query, memory = self.attention(layer.self_attn, kept["x"], kept["x"], right, causal)
        return left + query + memory, below

    def attention(self, attention: Any, x: Tensor, memory: Tensor, relevance: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
        """Relevance of the queries' and of the keys' and values' inputs."""
        _, (query, key, value, heads) = self.attend(attention, x, memory, causal)
        relevance = self.dense(attention.out_proj, heads, relevance)
        taken = [torch.zeros_like(part) for part in (query, key, value)]
        for cut in cuts(attention):
            inputs = query[:, cut], key[:, cut], value[:, cut]
            jacobians = torch.autograd.functional.jacobian(lambda *parts: head(*parts, attention.scaling, causal), inputs)
            z = torch.cat([(j * part).reshape(-1, part.numel()) for j, part in zip(jacobians, inputs, strict=True)], 1)
            found = shared(z, relevance[:, cut].reshape(-1)).split([part.numel() for part in inputs])
            for place, values in enumerate(found):
                taken[place][:, cut] = values.reshape(inputs[place].shape)
        below = self.dense(attention.k_proj, memory, taken[1]) + self.dense(attention.v_proj, memory, taken[2])
        return self.dense(attention.q_proj, x, taken[0]), below

    def dense(self, module: nn.Linear, x: Tensor, relevance: Tensor) -> Tensor:
        return torch.stack([shared(self.linear(module.weight, module.bias, row), taken) for row, taken in zip(x, relevance, strict=True)])

    def linear(self, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
        z = weight * x
        return z + bias[:, None] / len(x) if self.spread and bias is not None else z


def cuts(attention: Any) -> list[slice]:
    return [slice(place * attention.head_dim, (place + 1) * attention.head_dim) for place in range(attention.num_heads)]


def head(query: Tensor, key: Tensor, value: Tensor, scale: float, causal: bool) -> Tensor:
    scores = query @ key.T * scale
    if causal:
        scores = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), float("-inf"))
    return scores.softmax(-1) @ value


def shared(z: Tensor, relevance: Tensor) -> Tensor:
    """Relevance of inputs from contributions `(output input)`: half by positive and half by negative ones, all where others are none."""
    taken = torch.zeros(z.shape[1], dtype=z.dtype)
    for row, amount in zip(z, relevance, strict=True):
        plus, minus = row.clamp(min=0), row.clamp(max=0)
        if plus.sum() > 0 and minus.sum() < 0:
            taken += amount * (0.5 * plus / plus.sum() + 0.5 * minus / minus.sum())
        elif plus.sum() > 0 or minus.sum() < 0:
            taken += amount * row / row.sum()
    return taken


def added(left: Tensor, right: Tensor, relevance: Tensor) -> tuple[Tensor, Tensor]:
    z = torch.stack([left.reshape(-1), right.reshape(-1)], 1)
    found = torch.stack([shared(pair[None], amount[None]) for pair, amount in zip(z, relevance.reshape(-1), strict=True)])
    return found[:, 0].reshape(left.shape), found[:, 1].reshape(left.shape)


def norm(module: nn.LayerNorm, x: Tensor, relevance: Tensor) -> Tensor:
    found = []
    for row, taken in zip(x, relevance, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: F.layer_norm(v, v.shape, module.weight, module.bias, module.eps), row)
        found.append(shared(jacobian * row + module.bias[:, None] / len(row), taken))
    return torch.stack(found)
