"""An encoder whose reasons are known: the product of its embeddings is the number of nouns that two texts share.

After the "purposeful" encoder of Vasileiou and Eberle 2024 (BERT-base, fine-tuned with a learned pooling on STS-B): a small BERT with
random weights over words, whose states are projected and summed over tokens, is trained until the dot product of two texts is the number
of noun types (UPOS NOUN and PROPN, lower case) that stand in both. Sentences in which a noun stands twice are left out, so that the true
interaction matrix (1 where the same noun stands on both sides, else 0; 0 for special tokens) sums to what the encoder learns.

Agreement of a method: the mean over held-out pairs with a shared noun of the cosine between its cells and the true ones, both as vectors
(published: BiLRP 0.81, embeddings 0.67, Hessian x Product 0.62, for an encoder with Spearman 0.89 on its test part). It can be trusted as
far as the encoder does what it was trained for: its Spearman correlation with the true number on held-out pairs stands beside it. Products
of last states (`token_products`) are the embedding's own parts here and come close by construction: they say nothing of other encoders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from workbench.encoding import Encoding
from workbench.evaluation.similarity_encoder import Array

PAD, UNKNOWN, CLS, SEP = range(4)
NOUNS = ("NOUN", "PROPN")

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class NounSettings:
    """Size of the encoder and of its training: AdamW, `batch` texts a step, all products of which are learnt."""

    layers: int = 2
    width: int = 128
    heads: int = 4
    dimension: int = 128
    steps: int = 2000
    batch: int = 96
    learning_rate: float = 2e-3
    longest: int = 40
    rarest: int = 2
    pairs: int = 200
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text as words in lower case, and which of them are nouns."""

    words: tuple[str, ...]
    nouns: tuple[bool, ...]

    @property
    def types(self) -> frozenset[str]:
        """Its nouns."""
        return frozenset(word for word, noun in zip(self.words, self.nouns, strict=True) if noun)

    @property
    def plain(self) -> bool:
        """Whether every noun stands once, as a noun: then shared nouns can be counted by cells."""
        return all(count == 1 for word, count in Counter(self.words).items() if word in self.types)


TaggedPair: TypeAlias = tuple[Tagged, Tagged]


class NounEncoder(nn.Module):
    """A small BERT whose states are projected, without a bias, and summed over tokens."""

    def __init__(self, vocabulary: int, settings: NounSettings) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=vocabulary, hidden_size=settings.width, num_hidden_layers=settings.layers, num_attention_heads=settings.heads,
            intermediate_size=2 * settings.width, max_position_embeddings=settings.longest + 2, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0, pad_token_id=PAD,
        )  # fmt: skip
        self.transformer = BertModel(config, add_pooling_layer=False)
        self.projection = nn.Linear(settings.width, settings.dimension, bias=False)
        with torch.no_grad():  # words outweigh positions, and a token's share of the embedding is about one long, as a noun's should be
            self.transformer.embeddings.word_embeddings.weight.normal_(std=0.3)
            self.projection.weight.normal_(std=(settings.width * settings.dimension) ** -0.5)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features with `token_embeddings` and `sentence_embedding` for `input_ids` and `attention_mask`."""
        states = self.transformer(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
        states = self.projection(states)
        summed = (states * inputs["attention_mask"][..., None].to(states.dtype)).sum(1)
        return {**inputs, "token_embeddings": states, "sentence_embedding": summed}


def vocabulary(pairs: Sequence[TaggedPair], rarest: int) -> dict[str, int]:
    """Numbers of the words that stand in training texts often enough, after the four special ones; most frequent first."""
    counts = Counter(word for text in dict.fromkeys(text for pair in pairs for text in pair) for word in text.words)
    known = sorted((word for word, count in counts.items() if count >= rarest), key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(known, start=SEP + 1)}


def encoding_of(text: Tagged, words: Mapping[str, int]) -> Encoding:
    """A text as the encoder reads it: a token for each word between two special ones."""
    ids = (CLS, *(words.get(word, UNKNOWN) for word in text.words), SEP)
    hidden = (True, *(False,) * len(text.words), True)
    return Encoding(ids, ("[CLS]", *text.words, "[SEP]"), ((0, 0),) * len(ids), hidden)


def truth(left: Tagged, right: Tagged) -> Array:
    """The true interactions `(left right)`, special tokens first and last: 1 where the same noun stands on both sides."""
    cells = np.zeros((len(left.words) + 2, len(right.words) + 2))
    for row, word in enumerate(left.words, start=1):
        for column, other in enumerate(right.words, start=1):
            cells[row, column] = word == other and left.nouns[row - 1] and right.nouns[column - 1]
    return cells


def usable(pairs: Sequence[TaggedPair], settings: NounSettings) -> list[TaggedPair]:
    """Pairs whose texts are short enough and have every noun once."""
    return [pair for pair in pairs if all(0 < len(text.words) <= settings.longest and text.plain for text in pair)]


def train(
    pairs: Sequence[TaggedPair], words: Mapping[str, int], settings: NounSettings, progress: Progress = lambda *_: None
) -> NounEncoder:
    """An encoder trained on the products of all texts of a batch, half of which come as pairs; the caller's random state is kept."""
    random = np.random.default_rng([settings.seed, 1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = NounEncoder(len(words) + SEP + 1, settings).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=settings.steps)
    for step in range(settings.steps):
        progress(step, settings.steps)
        chosen = [pairs[place] for place in random.integers(0, len(pairs), settings.batch // 2)]
        texts = [text for pair in chosen for text in pair]
        wanted = torch.from_numpy(shared(texts)).float()
        embedding = model(padded([encoding_of(text, words) for text in texts]))["sentence_embedding"]
        missed = (embedding @ embedding.T - wanted).pow(2)
        # most texts share nothing: what they share and what they do not weigh the same
        loss = missed[wanted > 0].mean() + missed[wanted == 0].mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def shared(texts: Sequence[Tagged]) -> NDArray[np.float64]:
    """How many nouns each text shares with each `(text text)`; with itself all of its own."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(word, len(numbers)) for word in sorted(text.types)] for text in texts]
    marks = np.zeros((len(texts), max(1, len(numbers))))
    for row, columns in enumerate(rows):
        marks[row, columns] = 1
    counted: NDArray[np.float64] = marks @ marks.T
    return counted


def padded(encodings: Sequence[Encoding]) -> dict[str, Tensor]:
    """Texts of any lengths as one batch."""
    rows = [torch.tensor(encoding.ids) for encoding in encodings]
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    return {"input_ids": ids, "attention_mask": mask}


@torch.inference_mode()
def products(model: nn.Module, pairs: Sequence[tuple[Encoding, Encoding]]) -> Array:
    """The encoder's similarity of each pair."""
    sides = [model(padded(side))["sentence_embedding"] for side in zip(*pairs, strict=True)]
    found: Array = (sides[0] * sides[1]).sum(1).double().numpy()
    return found
