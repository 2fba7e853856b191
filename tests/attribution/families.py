"""Small models with random weights and random biases, one row for each family: a new family is one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch import nn

from workbench.encoding import Encoding

SHAPE: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 200, "num_labels": 4,
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """A name, how to make its configuration, and the classification model that uses it."""

    name: str
    config: Callable[[], Any]
    model: type[Any]


FAMILIES = (
    Family("bert", lambda: transformers.BertConfig(**SHAPE), transformers.BertForSequenceClassification),
    Family("xlm-roberta", lambda: transformers.XLMRobertaConfig(**SHAPE), transformers.XLMRobertaForSequenceClassification),
    Family(
        "distilbert",
        lambda: transformers.DistilBertConfig(dim=64, n_layers=3, n_heads=4, hidden_dim=128, vocab_size=200, num_labels=4),
        transformers.DistilBertForSequenceClassification,
    ),
    Family("electra", lambda: transformers.ElectraConfig(embedding_size=32, **SHAPE), transformers.ElectraForSequenceClassification),
    Family(
        "modernbert",
        lambda: transformers.ModernBertConfig(pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, **SHAPE),
        transformers.ModernBertForSequenceClassification,
    ),
)

DECODER: dict[str, Any] = {**SHAPE, "num_key_value_heads": 2, "pad_token_id": 0}

#: Further families that need no code of their own; of these the default composites are tested.
FURTHER = (
    Family("roberta", lambda: transformers.RobertaConfig(**SHAPE), transformers.RobertaForSequenceClassification),
    Family("albert", lambda: transformers.AlbertConfig(embedding_size=32, **SHAPE), transformers.AlbertForSequenceClassification),
    Family(
        "gpt2",
        lambda: transformers.GPT2Config(
            n_embd=64, n_layer=3, n_head=4, vocab_size=200, num_labels=4, pad_token_id=0, bos_token_id=1, eos_token_id=1
        ),
        transformers.GPT2ForSequenceClassification,
    ),
    Family("gpt-neox", lambda: transformers.GPTNeoXConfig(pad_token_id=0, **SHAPE), transformers.GPTNeoXForSequenceClassification),
    Family("llama", lambda: transformers.LlamaConfig(**DECODER), transformers.LlamaForSequenceClassification),
    Family("mistral", lambda: transformers.MistralConfig(**DECODER), transformers.MistralForSequenceClassification),
    Family("qwen2", lambda: transformers.Qwen2Config(**DECODER), transformers.Qwen2ForSequenceClassification),
    Family("qwen3", lambda: transformers.Qwen3Config(head_dim=16, **DECODER), transformers.Qwen3ForSequenceClassification),
    Family("gemma2", lambda: transformers.Gemma2Config(head_dim=16, **DECODER), transformers.Gemma2ForSequenceClassification),
)


def build(family: Family, *, attention: str = "sdpa", dtype: torch.dtype = torch.float64, seed: int = 0, gain: float = 3.0) -> nn.Module:
    """A model of the family; weights are `gain` times their initial size, so that attention and activations are far from linear."""
    torch.manual_seed(seed)
    config = family.config()
    config._attn_implementation = attention
    model: nn.Module = family.model(config).eval().to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(False)
            if parameter.ndim > 1:
                parameter.mul_(gain)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return model


def texts(count: int, length: int, seed: int = 0) -> list[Encoding]:
    """Random texts of one length."""
    generator = torch.Generator().manual_seed(seed)
    return [encoding(torch.randint(5, 200, (length,), generator=generator).tolist()) for _ in range(count)]


def encoding(ids: list[int]) -> Encoding:
    """An encoding of these tokens, one character each."""
    return Encoding(tuple(ids), tuple(map(str, ids)), tuple((i, i + 1) for i in range(len(ids))), (False,) * len(ids))
