"""A small encoder that learns a planted signal, and the proof that it relies on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedModel

from workbench.evaluation.planted_encoders import PositionEncoding, tiny_encoder
from workbench.evaluation.planted_texts import PlantedTexts, Task, planted_texts, vocabulary

Numbers: TypeAlias = NDArray[np.int64]

BATCH = 64
#: T5 starts with states about 50 times larger than BERT's, so that a step must be larger to mean as much.
LEARNING_RATES: dict[PositionEncoding, float] = {"absolute": 1e-3, "rotary": 1e-3, "relative": 3e-3}
WARM_UP = 50
#: Steps after which training stops whatever was learnt, by task.
MOST_STEPS: dict[Task, int] = {
    "single_token": 600, "token_in_context": 3000, "ordered_pair": 1500, "position_only": 1500, "natural_target": 1000, "source_tag": 300,
    "random_labels": 200,
}  # fmt: skip
#: Training ends when this many batches in a row were all right, and not before so many steps: real posts are few and soon known by heart.
PERFECT_BATCHES = 20
LEAST_STEPS: dict[Task, int] = {"natural_target": 300}
#: A tag is right in 95 % of the texts; real posts hold words that were not met in training.
LEAST_ACCURACY: dict[Task, float] = {"source_tag": 0.9, "natural_target": 0.97}
#: Random labels are learnt by heart from this many texts.
MEMORISED_TEXTS = 512


@dataclass(frozen=True, slots=True)
class Reliance:
    """Does the model use the planted signal? Accuracy on held-out texts, and on the same texts without the signal (should be chance).

    `least` is the accuracy asked for: .99, and a little less where the signal itself is not always right.
    """

    accuracy: float
    control_accuracy: float
    steps: int
    expected: bool
    least: float = 0.99

    @property
    def holds(self) -> bool:
        """Held-out accuracy at least `least` with the signal and within .1 of chance without; with random labels both are at chance."""
        at_chance = abs(self.control_accuracy - 0.5) <= 0.1
        return at_chance and (self.accuracy >= self.least if self.expected else abs(self.accuracy - 0.5) <= 0.1)


def train(task: Task, seed: int, most_steps: int | None = None, encoding: PositionEncoding = "absolute") -> tuple[PreTrainedModel, int]:
    """A model trained on a planted task, and the steps it took; the caller's random state is left as it was."""
    random = np.random.default_rng([seed, 0])
    memorised = planted_texts(task, MEMORISED_TEXTS, random) if task == "random_labels" else None
    model = drawn(encoding, vocabulary(task), seed)

    def batch() -> tuple[Numbers, Numbers]:
        if memorised is None:
            fresh = planted_texts(task, BATCH, random, held_out=False)
            return fresh.ids, fresh.labels
        chosen = random.integers(0, len(memorised.labels), BATCH)
        return memorised.ids[chosen], memorised.labels[chosen]

    most = most_steps or MOST_STEPS[task]
    return model, fit(model, batch, LEARNING_RATES[encoding], most, least=LEAST_STEPS.get(task, most if memorised else 0))


def drawn(encoding: PositionEncoding, words: int, seed: int, labels: int = 2) -> PreTrainedModel:
    """A small encoder with the fresh weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return tiny_encoder(encoding, words, labels)


def fit(model: PreTrainedModel, batch: Callable[[], tuple[Numbers, Numbers]], rate: float, most: int, least: int = 0) -> int:
    """Trains on batches of ids and labels until enough in a row were all right; returns the steps, `least` to `most`."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / WARM_UP))
    recent: deque[bool] = deque(maxlen=PERFECT_BATCHES)
    step = 0
    while step < most and not (step >= least and len(recent) == PERFECT_BATCHES and all(recent)):
        step += 1
        ids, labels = map(torch.from_numpy, batch())
        logits = model(ids, attention_mask=torch.ones_like(ids)).logits
        loss = functional.cross_entropy(logits, labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent.append(bool((logits.argmax(-1) == labels).all()))
    model.train(mode=False).requires_grad_(False)
    return step


def reliance(model: PreTrainedModel, task: Task, texts: PlantedTexts, steps: int) -> Reliance:
    """Accuracy with and without the signal on held-out texts."""
    return Reliance(
        accuracy=_accuracy(model, texts.ids, texts.labels),
        control_accuracy=_accuracy(model, texts.control, texts.labels),
        steps=steps,
        expected=task != "random_labels",
        least=LEAST_ACCURACY.get(task, 0.99),
    )


@torch.inference_mode()
def answers(model: PreTrainedModel, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The label that the model gives to each text."""
    logits = model(torch.from_numpy(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long)).logits
    chosen: NDArray[np.int64] = logits.argmax(-1).numpy()
    return chosen


def _accuracy(model: PreTrainedModel, ids: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    return float((answers(model, ids) == labels).mean())
