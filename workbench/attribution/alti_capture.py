"""What ALTI+ reads of a pass: values, attention weights, residuals and norms of every attention block of an encoder-decoder model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.attribution.stepwise import Cut, StepInputs, cut_at_head
from workbench.errors import PropagationError
from workbench.rules.stepwise import attention_weights, parts

#: By class of a layer: is the norm behind the sum of residual and attention (post) or in front of the attention (pre)?
STYLES = {
    "MarianEncoderLayer": "post", "MarianDecoderLayer": "post", "BartEncoderLayer": "post", "BartDecoderLayer": "post",
    "MBartEncoderLayer": "pre", "MBartDecoderLayer": "pre", "M2M100EncoderLayer": "pre", "M2M100DecoderLayer": "pre",
    "T5Block": "pre", "MT5Block": "pre",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One attention block of one pass: weights, values by head, output projection, residual, output, and the norm behind, if any."""

    weights: Float[Tensor, "batch head query key"]
    value: Float[Tensor, "batch head key unit"]
    projection: Float[Tensor, "hidden units"]
    residual: Float[Tensor, "batch query hidden"]
    summed: Float[Tensor, "batch query hidden"]
    norm: nn.LayerNorm | None

    @property
    def output(self) -> Float[Tensor, "batch query hidden"]:
        """The block's output."""
        return self.summed if self.norm is None else self.norm(self.summed)

    def transformed(self) -> Float[Tensor, "batch query key hidden"]:
        """What each key brings to each query: its values by its weights through the output projection."""
        heads, unit = self.value.shape[1], self.value.shape[3]
        by_head = torch.einsum("bhku,ohu->bhko", self.value, self.projection.view(-1, heads, unit))
        return torch.einsum("bhqk,bhko->bqko", self.weights, by_head)

    def normalised(self, vectors: Float[Tensor, "batch query key hidden"]) -> Float[Tensor, "batch query key hidden"]:
        """Vectors behind the linear part of the norm, whose scale is that of the query's own sum; as they are without a norm."""
        if self.norm is None:
            return vectors
        scale = (self.summed.var(-1, unbiased=False, keepdim=True) + self.norm.eps).rsqrt()[:, :, None]
        centred = (vectors - vectors.mean(-1, keepdim=True)) * scale
        return centred * self.norm.weight

    def split(self, held: int) -> Iterator[Block]:
        """The block by groups of texts of which that many numbers of transformed vectors are held."""
        texts, _, queries, keys = self.weights.shape
        step = max(1, held // (queries * keys * self.residual.shape[-1]))
        for start in range(0, texts, step):
            cut = slice(start, start + step)
            yield replace(self, weights=self.weights[cut], value=self.value[cut], residual=self.residual[cut], summed=self.summed[cut])


@dataclass
class Pass:
    """All blocks of a pass: the encoder's, and pairs of the decoder's own and cross-attention."""

    encoder: list[Block] = field(default_factory=list)
    decoder: list[tuple[Block, Block]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Seen:
    """One call of attention: weights and values by head, and the module's output."""

    weights: Tensor
    value: Tensor
    output: Tensor


class Watching(TorchFunctionMode):
    """Keeps weights and values of the last call of fused attention."""

    last: tuple[Tensor, Tensor] | None = None

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is F.scaled_dot_product_attention:
            query, key, value, mask, options = parts(args, kwargs)
            self.last = attention_weights(query, key, mask, options), value
        return function(*args, **kwargs)


def capture(module: nn.Module, batch: StepInputs) -> tuple[Pass, Float[Tensor, "row vocabulary"]]:
    """One pass of the unmodified model: its attention blocks, and its logits by text and step.

    Raises PropagationError for layers of an unknown class or attention that is written out.
    """
    halves = [known_layers(module, half) for half in (module.get_encoder(), module.get_decoder())]  # type: ignore[operator]
    inputs: dict[nn.Module, Tensor] = {}
    calls: dict[nn.Module, Seen] = {}
    watching = Watching()
    handles: list[Any] = []

    def remember(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs[layer] = args[0] if args else kwargs["hidden_states"]

    def attended(attention: nn.Module, _: tuple[Any, ...], output: Any) -> None:
        if watching.last is None:
            raise PropagationError("explain by alti_plus", "attention that is written out", "load the model with attention 'sdpa'")
        calls[attention], watching.last = Seen(*watching.last, output[0]), None

    try:
        for layer in (*halves[0], *halves[1]):
            handles.append(layer.register_forward_pre_hook(remember, with_kwargs=True))
            handles += [part.register_forward_hook(attended) for part in attentions(layer)]
        with torch.no_grad(), cut_at_head(module, Cut(batch.places)), watching:
            logits: Tensor = module(**batch.inputs).logits[:, 0]
    finally:
        for handle in handles:
            handle.remove()
    seen = Pass()
    with torch.no_grad():
        for layer in halves[0]:
            seen.encoder.append(block(layer, 0, inputs[layer], calls))
        for layer in halves[1]:
            own = block(layer, 0, inputs[layer], calls)
            seen.decoder.append((own, block(layer, 1, own.output, calls)))
    return seen, logits


def known_layers(module: nn.Module, half: nn.Module) -> list[nn.Module]:
    """The layers of an encoder or decoder. Raises PropagationError for a class whose structure is not known."""
    stack = getattr(half, "layers", None) or getattr(half, "block", None)
    found = list(stack) if isinstance(stack, nn.ModuleList) else [half]
    names = {type(layer).__name__ for layer in found}
    if unknown := names - set(STYLES):
        raise PropagationError(
            f"explain {type(module).__name__} by alti_plus", f"layers of class {', '.join(sorted(unknown))}",
            f"use attnlrp, or a model with layers of {', '.join(sorted(STYLES))}",
        )  # fmt: skip
    return found


def attentions(layer: nn.Module) -> list[nn.Module]:
    """A layer's own attention and, in a decoder, its cross-attention."""
    names = ("self_attn", "encoder_attn", "layer.0.SelfAttention", "layer.1.EncDecAttention")
    known = dict(layer.named_modules())
    return [known[name] for name in names if name in known]


def block(layer: nn.Module, place: int, residual: Tensor, calls: dict[nn.Module, Seen]) -> Block:
    """The block of a layer's own (0) or cross-attention (1) over its residual."""
    attention = attentions(layer)[place]
    call = calls[attention]
    projection = getattr(attention, "out_proj", None) or getattr(attention, "o", None)
    norm = getattr(layer, ("self_attn_layer_norm", "encoder_attn_layer_norm")[place]) if STYLES[type(layer).__name__] == "post" else None
    return Block(call.weights, call.value, projection.weight, residual, residual + call.output, norm)  # type: ignore[union-attr]
