"""ALTI+ with loops over every query and key, from hidden states and attention weights that the model itself returns (post-norm models)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def slow_alti(model: Any, source: Tensor, decoder: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the source tokens and of the decoder inputs in every decoder position, of a Marian model with eager attention."""
    output = model(input_ids=source[None], decoder_input_ids=decoder[None], output_attentions=True, output_hidden_states=True)
    encoded = torch.eye(len(source), dtype=source_type(model))
    for place, layer in enumerate(model.model.encoder.layers):
        x, weights = output.encoder_hidden_states[place][0], output.encoder_attentions[place][0]
        encoded = block(layer.self_attn, layer.self_attn_layer_norm, x, x, weights, own=True)[0] @ encoded
    from_source, from_target = torch.zeros(len(decoder), len(source), dtype=encoded.dtype), torch.eye(len(decoder), dtype=encoded.dtype)
    for place, layer in enumerate(model.model.decoder.layers):
        x, weights = output.decoder_hidden_states[place][0], output.decoder_attentions[place][0]
        within, state = block(layer.self_attn, layer.self_attn_layer_norm, x, x, weights, own=True)
        weights = output.cross_attentions[place][0]
        found, _ = block(layer.encoder_attn, layer.encoder_attn_layer_norm, state, output.encoder_last_hidden_state[0], weights, own=False)
        cross, kept = found[:, :-1], found[:, -1:]
        from_source, from_target = cross @ encoded + kept * (within @ from_source), kept * (within @ from_target)
    return from_source, from_target


def block(attention: Any, norm: Any, x: Tensor, memory: Tensor, weights: Tensor, own: bool) -> tuple[Tensor, Tensor]:
    """Contributions of keys (and, in cross-attention, of the residual as last column), and the block's output."""
    size = attention.head_dim
    found, outputs = [], []
    for i, residual in enumerate(x):
        brought = []
        for j, other in enumerate(memory):
            value = attention.v_proj(other)
            by_head = torch.cat([weights[h, i, j] * value[h * size : (h + 1) * size] for h in range(attention.num_heads)])
            brought.append(attention.out_proj.weight @ by_head + (residual if own and i == j else 0.0))
        if not own:
            brought.append(residual)
        total = sum(brought) + attention.out_proj.bias
        outputs.append(norm(total))
        deviation = (total - total.mean()).square().mean().add(norm.eps).sqrt()
        vectors = [norm.weight * (vector - vector.mean()) / deviation for vector in brought]
        size_of_output = outputs[-1].abs().sum()
        near = torch.stack([(size_of_output - (outputs[-1] - vector).abs().sum()).clamp(min=0) for vector in vectors])
        found.append(near / near.sum())
    return torch.stack(found), torch.stack(outputs)


def source_type(model: Any) -> torch.dtype:
    """The type of the model's numbers."""
    found: torch.dtype = next(model.parameters()).dtype
    return found
