"""AttnLRP's attention rules against a slow implementation in relevance form, written with loops from the paper (Achtibat et al. 2024)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.rules import attention
from workbench.rules.recorder import Recorder


def product_relevance(left: Tensor, right: Tensor, relevance: Tensor) -> tuple[Tensor, Tensor]:
    """Proposition 3.3 without stabiliser: R(A_ji) = sum_p A_ji B_ip R_jp / (2 O_jp), and the same for B."""
    out = left @ right
    of_left, of_right = torch.zeros_like(left), torch.zeros_like(right)
    for j in range(left.shape[0]):
        for i in range(left.shape[1]):
            for p in range(right.shape[1]):
                share = left[j, i] * right[i, p] * relevance[j, p] / (2 * out[j, p])
                of_left[j, i] += share
                of_right[i, p] += share
    return of_left, of_right


def softmax_relevance(scores: Tensor, relevance: Tensor) -> Tensor:
    """Proposition 3.1: R_i = x_i (R_i - s_i sum_j R_j), row by row."""
    out = torch.zeros_like(scores)
    for row in range(scores.shape[0]):
        weights = torch.softmax(scores[row], 0)
        for i in range(scores.shape[1]):
            out[row, i] = scores[row, i] * (relevance[row, i] - weights[i] * relevance[row].sum())
    return out


def test_fused_attention_equals_the_paper_step_by_step() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(5, 4, dtype=torch.float64) for _ in range(3))
    start = torch.randn(5, 4, dtype=torch.float64)  # the derivative of the target with respect to the output
    scale = 1 / math.sqrt(4)
    scores = query @ key.T * scale
    weights = torch.softmax(scores, -1)
    output = weights @ value
    of_weights, of_value = product_relevance(weights, value, output * start)
    of_scores = softmax_relevance(scores, of_weights)
    of_query, of_key = product_relevance(query * scale, key.T, of_scores)

    recorder = Recorder(rows=1)
    leaves = [x.reshape(1, 1, 5, 4).clone().requires_grad_(True) for x in (query, key, value)]
    answer = attention.fused(recorder, "half", F.scaled_dot_product_attention, tuple(leaves), {})
    torch.testing.assert_close(answer[0, 0], output)
    gradients = torch.autograd.grad(answer, leaves, start.reshape(1, 1, 5, 4))
    for leaf, gradient, expected in zip(leaves, gradients, (of_query, of_key.T, of_value), strict=True):
        torch.testing.assert_close((leaf * gradient)[0, 0].detach(), expected, rtol=1e-10, atol=1e-12)
    absorbed = (of_weights.sum() - of_scores.sum()).item()
    assert abs(recorder.accounts["softmax"].item() - absorbed) < 1e-10


def test_written_out_attention_with_a_learned_bias_conserves() -> None:
    torch.manual_seed(1)
    leaves = [torch.randn(2, 3, 6, 4, dtype=torch.float64).requires_grad_(True) for _ in range(3)]
    bias = torch.randn(2, 3, 6, 6, dtype=torch.float64).requires_grad_(True)
    recorder = Recorder(rows=2)
    answer = attention.fused(recorder, "half", F.scaled_dot_product_attention, (*leaves, bias), {})
    torch.testing.assert_close(answer, F.scaled_dot_product_attention(*leaves, bias))
    start = torch.randn_like(answer)
    gradients = torch.autograd.grad(answer, [*leaves, bias], start)
    arrived = sum((leaf * gradient).sum((1, 2, 3)) for leaf, gradient in zip([*leaves, bias], gradients, strict=True))
    left = (answer * start).sum((1, 2, 3)) - arrived - recorder.accounts["softmax"]  # type: ignore[operator]
    assert left.abs().max() < 1e-10


def test_constant_attention_gives_everything_to_the_values() -> None:
    torch.manual_seed(2)
    leaves = [torch.randn(1, 1, 6, 4, dtype=torch.float64).requires_grad_(True) for _ in range(3)]
    answer = attention.fused(Recorder(rows=1), "constant", F.scaled_dot_product_attention, tuple(leaves), {})
    gradients = torch.autograd.grad(answer.sum(), leaves, allow_unused=True)
    assert gradients[0] is None
    assert gradients[1] is None
    torch.testing.assert_close((leaves[2] * gradients[2]).sum(), answer.sum())
