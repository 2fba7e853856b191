"""Batches of pairs of about equal length, as many as fit a number of tokens: nearly no padding, and the same order on every call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Ids = tuple[list[int], list[int]]
"""Token identifiers of a source and a target, each with the end token."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Identifiers with padding (batch token); `labels` has -100 where there is padding."""

    source: Tensor
    mask: Tensor
    labels: Tensor

    def to(self, device: str) -> Batch:
        """The same batch on a device."""
        return Batch(self.source.to(device), self.mask.to(device), self.labels.to(device))


def grouped(pairs: Sequence[Ids], tokens: int, chance: np.random.Generator) -> list[list[int]]:
    """Indices of all pairs once, in batches of at most `tokens` tokens of source and target with padding; the batches in random order."""
    # a little noise on the lengths, so that a pair meets others in every round
    lengths = np.array([(len(target), len(source)) for source, target in pairs]) + chance.uniform(0, 1.5, (len(pairs), 2))
    order = np.lexsort((lengths[:, 1], np.floor(lengths[:, 0])))
    batches: list[list[int]] = [[]]
    longest = 0
    for index in order:
        length = max(map(len, pairs[index]))
        longest = max(longest, length)
        if batches[-1] and 2 * longest * (len(batches[-1]) + 1) > tokens:
            batches.append([])
            longest = length
        batches[-1].append(int(index))
    return [batches[place] for place in chance.permutation(len(batches))]


def padded(rows: Sequence[list[int]], padding: int) -> Tensor:
    """Rows of one length (batch token)."""
    length = max(map(len, rows))
    return torch.tensor([row + [padding] * (length - len(row)) for row in rows])


def batch(pairs: Sequence[Ids], padding: int) -> Batch:
    """The tensors of some pairs."""
    source = padded([one for one, _ in pairs], padding)
    return Batch(source, (source != padding).long(), padded([other for _, other in pairs], -100))
