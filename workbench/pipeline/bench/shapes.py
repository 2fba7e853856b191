"""Models that are measured: shapes of released families with random weights, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn

from workbench.encoding import Encoding

VOCABULARY = 1000


@dataclass(frozen=True, slots=True)
class Shape:
    """A family, its number of layers and its width; `build` makes it with random weights."""

    family: str
    layers: int
    hidden: int
    window: int = 512

    @property
    def name(self) -> str:
        """Family, layers and width: BERT 6 x 384."""
        return f"{self.family} {self.layers}×{self.hidden}"

    def build(self, device: str = "cpu", dtype: torch.dtype = torch.float32) -> nn.Module:
        """The model, in evaluation and without gradients of its weights."""
        torch.manual_seed(0)
        model: nn.Module = FAMILIES[self.family](self)
        return model.eval().requires_grad_(False).to(device, dtype)


def bert(shape: Shape) -> nn.Module:
    """A classifier of two labels."""
    return hf.BertForSequenceClassification(hf.BertConfig(**common(shape), vocab_size=VOCABULARY, max_position_embeddings=shape.window))


def xlm_r(shape: Shape) -> nn.Module:
    """A classifier with the vocabulary of the released one."""
    config = hf.XLMRobertaConfig(**common(shape), vocab_size=250_002, max_position_embeddings=shape.window + 2, pad_token_id=1)
    return hf.XLMRobertaForSequenceClassification(config)


def llama(shape: Shape) -> nn.Module:
    """A causal model with half as many heads of keys and values."""
    heads = heads_of(shape)
    config = hf.LlamaConfig(
        **common(shape), num_key_value_heads=max(1, heads // 2), vocab_size=VOCABULARY, pad_token_id=0,
        max_position_embeddings=max(shape.window, 2048),
    )  # fmt: skip
    return hf.LlamaForCausalLM(config)


def t5(shape: Shape) -> nn.Module:
    """An encoder and a decoder, each of the shape's layers."""
    config = hf.T5Config(
        d_model=shape.hidden, d_kv=shape.hidden // heads_of(shape), num_layers=shape.layers, num_heads=heads_of(shape),
        d_ff=4 * shape.hidden, vocab_size=VOCABULARY
    )  # fmt: skip
    config.decoder_start_token_id = 0
    return hf.T5ForConditionalGeneration(config)


FAMILIES: dict[str, Callable[[Shape], nn.Module]] = {"BERT": bert, "XLM-R": xlm_r, "Llama": llama, "T5": t5}


def heads_of(shape: Shape) -> int:
    """Heads of 32 units, of 64 in wide models."""
    return shape.hidden // (32 if shape.hidden < 512 else 64)


def common(shape: Shape) -> dict[str, Any]:
    """What the configurations of most families call alike."""
    return {
        "hidden_size": shape.hidden, "num_hidden_layers": shape.layers, "num_attention_heads": heads_of(shape),
        "intermediate_size": 4 * shape.hidden,
    }  # fmt: skip


def inputs(module: nn.Module, batch: int, length: int) -> dict[str, Any]:
    """Random texts of one length as the model's arguments; a decoder is given as many tokens."""
    device = next(module.parameters()).device
    ids = torch.randint(5, VOCABULARY, (batch, length), generator=torch.Generator().manual_seed(0)).to(device)
    given: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    config: Any = module.config
    if config.is_encoder_decoder:
        given["decoder_input_ids"] = ids
    if hasattr(config, "use_cache"):
        given["use_cache"] = False
    return given


def texts(count: int, shortest: int, longest: int) -> list[Encoding]:
    """Random texts whose lengths are spread evenly, in random order."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.linspace(shortest, longest, count).round().long()[torch.randperm(count, generator=generator)].tolist()
    return [text(torch.randint(5, VOCABULARY, (length,), generator=generator)) for length in lengths]


def text(ids: Tensor) -> Encoding:
    """An encoding of these tokens that stands for no characters."""
    length = len(ids)
    return Encoding(tuple(ids.tolist()), ("",) * length, ((0, 0),) * length, (False,) * length)
