"""A small BERT that learns a planted signal, and the proof that it relies on it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification

from workbench.evaluation.planted_texts import LENGTH, PAD, VOCABULARY, PlantedTexts, Task, planted_texts

BATCH = 64
LEARNING_RATE = 1e-3
WARM_UP = 50
#: Steps after which training stops whatever was learnt, by task.
MOST_STEPS: dict[Task, int] = {"single_token": 600, "ordered_pair": 1500, "position_only": 1500, "random_labels": 200}
#: Training ends when this many batches in a row were all right.
PERFECT_BATCHES = 20
#: Random labels are learnt by heart from this many texts.
MEMORISED_TEXTS = 512


@dataclass(frozen=True, slots=True)
class Reliance:
    """Does the model use the planted signal? Accuracy on held-out texts, and on the same texts without the signal (should be chance)."""

    accuracy: float
    control_accuracy: float
    steps: int
    expected: bool

    @property
    def holds(self) -> bool:
        """Held-out accuracy at least .99 with the signal and within .1 of chance without; with random labels both are at chance."""
        at_chance = abs(self.control_accuracy - 0.5) <= 0.1
        return at_chance and (self.accuracy >= 0.99 if self.expected else abs(self.accuracy - 0.5) <= 0.1)


def tiny_bert() -> BertForSequenceClassification:
    """A BERT of 2 layers, 4 heads, 64 wide, without dropout, for the planted vocabulary."""
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=PAD,
    )  # fmt: skip  # two labels are the library's default
    return BertForSequenceClassification(config)


def train(task: Task, seed: int, most_steps: int | None = None) -> tuple[BertForSequenceClassification, int]:
    """A model trained on a planted task, and the steps it took; the caller's random state is left as it was."""
    random = np.random.default_rng([seed, 0])
    memorised = planted_texts(task, MEMORISED_TEXTS, random) if task == "random_labels" else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = tiny_bert().train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / WARM_UP))
    recent: deque[bool] = deque(maxlen=PERFECT_BATCHES)
    steps = most_steps or MOST_STEPS[task]
    step = 0
    while step < steps:
        step += 1
        ids, labels = _batch(task, memorised, random)
        logits = model(ids, attention_mask=torch.ones_like(ids)).logits
        loss = functional.cross_entropy(logits, labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent.append(bool((logits.argmax(-1) == labels).all()))
        if memorised is None and len(recent) == PERFECT_BATCHES and all(recent):
            break
    return model.eval().requires_grad_(False), step


def _batch(task: Task, memorised: PlantedTexts | None, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    if memorised is None:
        fresh = planted_texts(task, BATCH, random)
        return torch.from_numpy(fresh.ids), torch.from_numpy(fresh.labels)
    chosen = random.integers(0, len(memorised.labels), BATCH)
    return torch.from_numpy(memorised.ids[chosen]), torch.from_numpy(memorised.labels[chosen])


def reliance(model: BertForSequenceClassification, task: Task, texts: PlantedTexts, steps: int) -> Reliance:
    """Accuracy with and without the signal on held-out texts."""
    return Reliance(
        accuracy=_accuracy(model, texts.ids, texts.labels),
        control_accuracy=_accuracy(model, texts.control, texts.labels),
        steps=steps,
        expected=task != "random_labels",
    )


@torch.inference_mode()
def _accuracy(model: BertForSequenceClassification, ids: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    logits = model(torch.from_numpy(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long)).logits
    return float((logits.argmax(-1).numpy() == labels).mean())
