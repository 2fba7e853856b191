"""Tiny sentence encoders with random weights, in the layout of sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from torch import Tensor, nn
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, Qwen2Config, Qwen2Model

from workbench.encoding import Encoding

WIDTH = 16
CONFIGS = {
    "BERT": lambda: BertModel(
        BertConfig(vocab_size=60, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    ),
    "DistilBERT": lambda: DistilBertModel(DistilBertConfig(vocab_size=60, dim=WIDTH, n_layers=2, n_heads=2, hidden_dim=32)),
    "Qwen2": lambda: Qwen2Model(
        Qwen2Config(
            vocab_size=60,
            hidden_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            intermediate_size=32,
            pad_token_id=0,
            use_cache=False,
        )
    ),
}


class TinyEncoder(nn.Module):
    """A transformer, mean pooling and, where wanted, `Normalize`."""

    def __init__(self, name: str = "BERT", *, normalize: bool = True, dtype: torch.dtype = torch.float64, gain: float = 3.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.transformer = CONFIGS[name]().eval().to(dtype)
        with torch.no_grad():
            for parameter in self.transformer.parameters():
                parameter.mul_(gain) if parameter.ndim > 1 else parameter.add_(torch.randn_like(parameter) * 0.1)
        self.after = nn.ModuleList([Pooling(WIDTH, pooling_mode="mean"), *([Normalize()] if normalize else [])])
        self.eval().requires_grad_(False)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        features = dict(inputs)
        features["token_embeddings"] = self.transformer(**inputs).last_hidden_state
        for module in self.after:
            features = module(features)
        return features


def text(*ids: int, special: bool = True) -> Encoding:
    """An encoding of these tokens, each a letter with a blank behind it, between two special tokens (1 and 2) where wanted."""
    spans = tuple((2 * place, 2 * place + 1) for place in range(len(ids)))
    around = ((1,), (2,)) if special else ((), ())
    hidden = [(True,) * len(part) for part in around]
    every = (*around[0], *ids, *around[1])
    empty = [((0, 0),) * len(part) for part in around]
    return Encoding(every, tuple(map(str, every)), (*empty[0], *spans, *empty[1]), (*hidden[0], *(False,) * len(ids), *hidden[1]))


def embedding(module: nn.Module, ids: tuple[int, ...]) -> np.ndarray:
    """The model's own embedding of a sequence, made one long."""
    rows = torch.tensor([ids])
    found = module({"input_ids": rows, "attention_mask": torch.ones_like(rows)})["sentence_embedding"][0].double().numpy()
    return found / np.linalg.norm(found)
