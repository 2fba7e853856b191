"""Fine-tuning on the labelled posts: masked tokens as augmentation, soft targets, averaged weights, the best epoch by validation."""

from __future__ import annotations

import copy
import time

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn import functional

from pipelines.training.bengali_hate.baseline import Probabilities
from pipelines.training.bengali_hate.batches import bucketed, padded, slope
from pipelines.training.bengali_hate.masking import Report
from workbench.models.pooled import PooledClassifier

DECAY, TEACHER, HIDDEN, AVERAGE = 0.01, 0.3, 0.1, 0.99


def targets(labels: list[int], teacher: Probabilities) -> Tensor:
    """What the model should answer (post label): 0.7 annotators' label, 0.3 out-of-fold baseline (5 % of the labels are noise)."""
    truth = functional.one_hot(torch.tensor(labels), teacher.shape[1]).double()
    return ((1 - TEACHER) * truth + TEACHER * torch.from_numpy(teacher)).float()


@torch.no_grad()
def probabilities(model: PooledClassifier, sequences: list[list[int]], padding: int) -> Probabilities:
    """Class probabilities (text label) in float32, in batches of like length."""
    model.train(False)
    result = np.zeros((len(sequences), int(model.config.num_labels or 0)))
    lengths = [len(sequence) for sequence in sequences]
    for batch in bucketed(lengths, np.random.default_rng(0), tokens=8192):
        ids, attention = padded([sequences[index] for index in batch], padding)
        result[batch] = model(input_ids=ids, attention_mask=attention).logits.softmax(dim=-1).double().numpy()
    return result


def finetune(
    model: PooledClassifier,
    train: tuple[list[list[int]], Tensor],
    validation: tuple[list[list[int]], list[int]],
    *,
    mask: int,
    padding: int,
    epochs: int,
    rate: float,
    seed: int,
    report: Report,
) -> tuple[PooledClassifier, float]:
    """The averaged model of the best epoch and its validation macro-F1. `train` holds ids and soft targets, `validation` ids and labels."""
    sequences, wanted = train
    order = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    lengths = [len(sequence) for sequence in sequences]
    plan = [bucketed(lengths, order, rows=32) for _ in range(epochs)]
    steps = sum(map(len, plan))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=DECAY, fused=True)
    averaged = copy.deepcopy(model)
    best, best_score, step, began = averaged, -1.0, 0, time.process_time()
    for epoch, batches in enumerate(plan):
        lost = 0.0
        for batch in batches:
            model.train()
            ids, attention = padded([sequences[index] for index in batch], padding)
            hide = (torch.rand(ids.shape, generator=generator) < HIDDEN) & (ids >= 5)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(input_ids=ids.masked_fill(hide, mask), attention_mask=attention).logits
            loss = functional.cross_entropy(logits.float(), wanted[batch])
            for group in optimizer.param_groups:
                group["lr"] = rate * slope(step, steps)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            lost += loss.item()
            follow(averaged, model, min(AVERAGE, step / (step + 10)))
        predicted = probabilities(averaged, validation[0], padding).argmax(axis=1)
        score = float(f1_score(validation[1], predicted, average="macro"))
        spent = time.process_time() - began
        report(f"epoch {epoch + 1}/{epochs} loss {lost / len(batches):.3f} validation macro-F1 {score:.4f} {spent:.0f} CPU-s")
        if score > best_score:
            best, best_score = copy.deepcopy(averaged), score
    return best, best_score


@torch.no_grad()
def follow(averaged: PooledClassifier, model: PooledClassifier, keep: float) -> None:
    """Move the averaged weights towards the model's: keep * averaged + (1 - keep) * model."""
    torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1 - keep)
