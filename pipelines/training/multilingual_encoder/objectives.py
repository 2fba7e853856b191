"""What the student is asked: to stand where the teacher stands, to tell texts apart as it does, to order pairs as people did."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SHARPNESS = 20.0
"""Cosines are multiplied by this before a softmax or an exponential: the inverse of a temperature of 0.05."""


def distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean of one minus the cosine of embeddings (text dim), both of length one, to the teacher's of their English texts."""
    return 1 - (found * wanted).sum(1).mean()


def telling_apart(found: Tensor, wanted: Tensor, choices: Tensor) -> Tensor:
    """How far the student's softmax over the batch's English texts (choice dim) is from the teacher's own (Kullback-Leibler)."""
    truth = functional.softmax(SHARPNESS * wanted @ choices.T, dim=1)
    guess = functional.log_softmax(SHARPNESS * found @ choices.T, dim=1)
    return functional.kl_div(guess, truth, reduction="batchmean")


def relations(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of all cosines among the student's texts to those among the teacher's."""
    return (found @ found.T - wanted @ wanted.T).square().mean()


def ordering(cosines: Tensor, scores: Tensor) -> Tensor:
    """CoSENT (Su 2022): of any two pairs (pair) the one that people scored higher shall have the higher cosine."""
    scaled = SHARPNESS * cosines
    differences = scaled[:, None] - scaled[None, :]
    wrong = differences[scores[:, None] < scores[None, :]]
    return torch.logsumexp(torch.cat([wrong, wrong.new_zeros(1)]), dim=0)
