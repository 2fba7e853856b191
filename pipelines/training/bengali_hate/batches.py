"""Batches of texts of like length, in an order fixed by a seed, and the schedule of the learning rate."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def bucketed(lengths: list[int], generator: np.random.Generator, rows: int = 10**6, tokens: int = 10**9) -> list[list[int]]:
    """Indices in batches of at most `rows` texts and `tokens` padded tokens; neighbours in length share a batch, batches are shuffled."""
    size = np.array(lengths)
    # Lengths are blurred so that batches differ from epoch to epoch.
    order = np.argsort(size * generator.uniform(0.85, 1.15, len(size)))
    batches: list[list[int]] = [[]]
    longest = 0
    for index in order.tolist():
        longest = max(longest, lengths[index])
        if batches[-1] and (len(batches[-1]) >= rows or longest * (len(batches[-1]) + 1) > tokens):
            batches.append([])
            longest = lengths[index]
        batches[-1].append(index)
    return [batches[place] for place in generator.permutation(len(batches)).tolist()]


def padded(sequences: list[list[int]], padding: int) -> tuple[Tensor, Tensor | None]:
    """Ids (batch token) and the attention mask, None where no text is padded (attention without a mask is faster)."""
    longest = max(map(len, sequences))
    ids = torch.tensor([sequence + [padding] * (longest - len(sequence)) for sequence in sequences])
    if min(map(len, sequences)) == longest:
        return ids, None
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    return ids, (torch.arange(longest) < lengths[:, None]).long()


def slope(step: int, steps: int, warm: float = 0.06) -> float:
    """Factor of the learning rate: a linear rise over the first `warm` of the steps, then a linear fall to zero."""
    rise = max(1, int(steps * warm))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))
