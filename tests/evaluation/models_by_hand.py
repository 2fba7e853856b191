"""Small classifiers whose answers can be worked out on paper, and texts in which word i is token i + 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification
from transformers.modeling_outputs import SequenceClassifierOutput

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.evaluation.removal import Ids, Text, text

CLS, SEP, UNK = 1, 2, 3


def encoding(ids: Sequence[int]) -> Encoding:
    """[CLS] and [SEP] around tokens of one letter each, a blank between two."""
    spans = ((0, 0), *((2 * index, 2 * index + 1) for index in range(len(ids))), (0, 0))
    special = (True, *(False for _ in ids), True)
    return Encoding((CLS, *ids, SEP), ("[CLS]", *("x" for _ in ids), "[SEP]"), spans, special)


def words(count: int) -> list[Word]:
    return [Word(index, 2 * index, 2 * index + 1, "x") for index in range(count)]


def plain_text(ids: Sequence[int], members: int = 1) -> Text:
    return text([encoding(ids)] * members, words(len(ids)))


class BagOfWords(nn.Module):
    """Logits (0, sum of the weights of the tokens): f(label 1) = sigmoid of the sum. Special tokens weigh nothing."""

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(weights), 1)
        self.embedding.weight.data[:, 0] = torch.tensor(weights)
        self.eval()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SequenceClassifierOutput:
        total = self.embedding(input_ids).sum((1, 2))
        return SequenceClassifierOutput(logits=torch.stack([torch.zeros_like(total), total], 1))


def counting(calls: list[int], weights: NDArray[np.floating]) -> object:
    """A predictor with f(label 1) = sigmoid of the sum of weights by id; notes the size of each batch."""

    def predict(sequences: Sequence[Ids]) -> NDArray[np.floating]:
        calls.append(len(sequences))
        assert len({len(ids) for ids in sequences}) == 1
        second = 1 / (1 + np.exp([-weights[list(ids)].sum() for ids in sequences]))
        return np.stack([1 - second, second], 1)

    return predict


def small_bert(seed: int = 0) -> BertForSequenceClassification:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=40,
                initializer_range=0.4, num_labels=3,
            )
        )  # fmt: skip
    return model.eval().requires_grad_(False)
