"""What the baselines of similarity need of an encoder: its embeddings before they are normalised, its states, and directional derivatives.

An encoder is any module that takes `{input_ids, attention_mask}` and gives `sentence_embedding` and `token_embeddings`, as every model of
sentence-transformers does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers.sentence_transformer.modules import Normalize
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from workbench.attribution.inputs import encoded
from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.evaluation.predictions import Memo, batches_of_one_length
from workbench.evaluation.removal import Ids

Array = NDArray[np.float64]
#: Forward mode, which torch leaves untyped.
dual_level: Any = forward_ad.dual_level
make_dual: Any = forward_ad.make_dual
unpack_dual: Any = forward_ad.unpack_dual
#: Tokens in one batch of rows that differ in a tangent only.
TANGENT_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class States:
    """One text: its embedding `(dim)` before it is normalised, what the embedding layer gives and the last layer's states `(token dim)`."""

    embedding: Array
    inputs: Array
    last: Array


def states(module: nn.Module, encodings: Sequence[Encoding]) -> list[States]:
    """States of texts of any lengths, one pass for each."""
    found: dict[int, States] = {}
    for places in batches_of_one_length([len(encoding) for encoding in encodings]):
        inputs = encoded(module, [encodings[place] for place in places])
        inputs_of_layers, features = watched(module, inputs)
        parts = [part.double().cpu().numpy() for part in (features["sentence_embedding"], inputs_of_layers, features["token_embeddings"])]
        found.update((place, States(*(part[row] for part in parts))) for row, place in enumerate(places))
    return [found[place] for place in range(len(encodings))]


@torch.no_grad()
def watched(module: nn.Module, inputs: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """What the embedding layer gives `(text token width)`, and the features of the encoder before they are normalised."""
    seen: list[Tensor] = []

    def keep(value: Tensor) -> Tensor:
        seen.append(value)
        return value

    with changed(embedding_layer(module), keep):
        features = unnormalised(module, inputs)
    return seen[0], features


def embedder(module: nn.Module) -> Memo:
    """Embeddings of id sequences before they are normalised, none computed twice; sequences of one length share a pass."""

    @torch.no_grad()
    def embed(sequences: Sequence[Ids]) -> NDArray[np.floating]:
        ids = torch.tensor(sequences, device=next(module.parameters()).device)
        found: Tensor = unnormalised(module, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})["sentence_embedding"]
        values: NDArray[np.floating] = found.double().cpu().numpy()
        return values

    return Memo(embed)


def unnormalised(module: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The features of an encoder, whose `Normalize` modules give back what they were given: published methods explain the dot product."""
    handles = [part.register_forward_pre_hook(_copied) for part in module.modules() if isinstance(part, Normalize)]
    handles += [part.register_forward_hook(_given) for part in module.modules() if isinstance(part, Normalize)]
    try:
        features: dict[str, Tensor] = module(dict(inputs))
    finally:
        for handle in handles:
            handle.remove()
    return features


def _copied(_: nn.Module, given: tuple[dict[str, Tensor], ...]) -> tuple[dict[str, Tensor]]:
    return ({**given[0], "before": given[0]["sentence_embedding"]},)


def _given(_: nn.Module, __: tuple[Any, ...], features: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**features, "sentence_embedding": features["before"]}


def embedding_layer(module: nn.Module) -> nn.Module:
    """The module whose output enters the first layer: words, positions and types, after their norm; a decoder's word embeddings.

    Raises ModelError for a module without a table of words.
    """
    outer: Any = next((part for part in module.modules() if hasattr(part, "get_input_embeddings")), None)
    if outer is None:
        found = f"no table of words in {type(module).__name__}"
        raise ModelError("compare token embeddings", found, "use a model of sentence-transformers that is a transformer")
    while not hasattr(outer, "embeddings") and getattr(outer, "auto_model", getattr(outer, "model", None)) is not None:
        outer = getattr(outer, "auto_model", None) or outer.model
    layer = getattr(outer, "embeddings", None)
    return layer if isinstance(layer, nn.Module) else outer.get_input_embeddings()


@contextmanager
def changed(layer: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside the context the output of a layer is what `change` makes of it."""
    handle = layer.register_forward_hook(lambda _, __, output: change(output))
    try:
        yield
    finally:
        handle.remove()


def directional(module: nn.Module, inputs: Mapping[str, Tensor], points: Tensor, steps: Tensor, *, unit: bool = False) -> Tensor:
    """Derivatives `(text token dim)` of embeddings where the embedding layer gives `points (text token width)`, along each token's step.

    One forward-mode pass for each token in place of a backward pass for each dimension; `unit` differentiates the embedding divided by its
    length. Attention is computed in the open, since its fused kernels have no forward derivative.
    """
    length = points.shape[1]
    layer = embedding_layer(module)
    every = torch.eye(length, dtype=points.dtype, device=points.device)[None, :, :, None]
    starts = points.repeat_interleave(length, 0)
    tangents = (every * steps[:, None]).flatten(0, 1)
    found = []
    size = max(1, TANGENT_TOKENS // length)
    for first in range(0, len(starts), size):
        rows = slice(first, first + size)
        repeated = {name: value.repeat_interleave(length, 0)[rows] for name, value in inputs.items()}
        found.append(_tangent(module, layer, repeated, starts[rows], tangents[rows], unit))
    return torch.cat(found).view(len(points), length, -1)


@torch.no_grad()
def _tangent(module: nn.Module, layer: nn.Module, inputs: Mapping[str, Tensor], points: Tensor, steps: Tensor, unit: bool) -> Tensor:
    """Derivatives `(row dim)` of embeddings in the direction of each row's steps."""
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH), dual_level():
        # torch loads its own rules of forward mode with what it has deprecated
        warnings.filterwarnings("ignore", message=r".*torch\.jit.*", category=DeprecationWarning)
        dual: Tensor = make_dual(points, steps)
        with changed(layer, lambda _: dual):
            embedding = unnormalised(module, inputs)["sentence_embedding"]
        if unit:
            embedding = embedding / embedding.pow(2).sum(-1, keepdim=True).sqrt()
        found: Tensor = unpack_dual(embedding).tangent
    return found
