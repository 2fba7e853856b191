"""Attention rollout: how much of each token's embedding reaches the answer if attention were all that moves it.

Abnar and Zuidema 2020, "Quantifying attention flow in transformers", eq. 1: the weights of each layer are averaged over heads, mixed half
and half with the identity (the residual connection), and multiplied over the layers. The rows of the product are read at the tokens on
which the answer depends: [CLS] for a BERT, every token for a pooled classifier (found by the derivative of the logits, which is zero
elsewhere).

It knows neither the values that are moved, nor the rest of the network, nor the label: a baseline that is never negative and that cannot
notice another head.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.evaluation.predictions import batches_of_one_length
from workbench.rules.layers import layers


def rollout(module: nn.Module, encodings: Sequence[Encoding]) -> list[NDArray[np.floating]]:
    """Rollout from every token of each text to the model's answer; sums to 1.

    Raises ModelError for a model that does not give its attention weights.
    """
    eager = with_weights(module)
    found: dict[int, NDArray[np.floating]] = {}
    for positions in batches_of_one_length([len(encoding) for encoding in encodings]):
        ids = torch.tensor([encodings[i].ids for i in positions], device=next(eager.parameters()).device)
        weights, read = _weights_and_reading(eager, ids)
        # Row by row the answer's share of every token, layer after layer downwards.
        share = read
        for layer in reversed(weights):
            share = (share @ layer.mean(1).double() + share) / 2
        found.update(zip(positions, share[:, 0].cpu().numpy(), strict=True))
    return [found[index] for index in range(len(encodings))]


def with_weights(module: nn.Module) -> PreTrainedModel:
    """A copy of the model that computes attention by its weights. Raises ModelError where it cannot."""
    if not isinstance(module, PreTrainedModel):
        raise ModelError("read attention weights", f"{type(module).__name__}, no Hugging Face model", "choose another method")
    twin = copy.deepcopy(module)
    twin.set_attn_implementation("eager")
    return twin


def _weights_and_reading(model: PreTrainedModel, ids: Tensor) -> tuple[list[Tensor], Tensor]:
    """Attention weights of each layer `(batch head query key)`, and the tokens read by the answer, `(batch 1 token)`, summing to 1."""
    states: list[Tensor] = []

    def cut(_: nn.Module, __: Any, output: Any) -> Any:
        """The graph begins behind the last layer, whose states are all that the answer is read from."""
        first, rest = (output[0], output[1:]) if isinstance(output, tuple) else (output, None)
        states.append(first.detach().requires_grad_(True))
        return states[-1] if rest is None else (states[-1], *rest)

    weights: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        weights.extend(output.attentions or ())

    handles = layers(model)[-1].register_forward_hook(cut), model.base_model.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True).logits
            (gradient,) = torch.autograd.grad(logits.square().sum(), states[-1])
    finally:
        for handle in handles:
            handle.remove()
    if not weights:
        raise ModelError("read attention weights", f"{type(model).__name__} gives none", "choose another method")
    read = (gradient.abs().sum(-1, keepdim=True) > 0).double().transpose(1, 2)
    return [layer.detach() for layer in weights], read / read.sum(-1, keepdim=True)
