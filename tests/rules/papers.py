"""The papers' formulas, written slowly: relevance is handed from outputs to contributions in Python loops, without any derivative.

Every linear rule is one question: which fraction of an output's relevance does each of its contributions take? `zero`, `epsilon` (Bach et
al. 2015), `gamma` (Montavon et al. 2019, for negative outputs mirrored) and `alpha_beta` (Bach et al. 2015) answer it for a list
of numbers; layers, sums, weighted values and norms only differ in what their contributions are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Fractions = Callable[[Sequence[float]], list[float]]


def zero(contributions: Sequence[float]) -> list[float]:
    """LRP-0: z_i / sum z."""
    total = math.fsum(contributions)
    return [part / total for part in contributions]


def epsilon(size: float) -> Fractions:
    """LRP-epsilon: z_i / (sum z + epsilon sign)."""

    def fractions(contributions: Sequence[float]) -> list[float]:
        total = math.fsum(contributions)
        return [part / (total + (size if total >= 0 else -size)) for part in contributions]

    return fractions


def gamma(more: float) -> Fractions:
    """LRP-gamma: contributions with the sign of the output count 1 + gamma times."""

    def fractions(contributions: Sequence[float]) -> list[float]:
        sign = 1 if math.fsum(contributions) > 0 else -1
        grown = [part * (1 + more) if part * sign > 0 else part for part in contributions]
        total = math.fsum(grown)
        return [part / total if total else 0.0 for part in grown]

    return fractions


def alpha_beta(alpha: float, beta: float) -> Fractions:
    """Both signs take their part; where there is but one sign it takes all, where there is none nobody does."""

    def fractions(contributions: Sequence[float]) -> list[float]:
        plus = math.fsum(part for part in contributions if part > 0)
        minus = math.fsum(part for part in contributions if part < 0)
        up, down = (alpha if minus else alpha + beta), (beta if plus else alpha + beta)
        return [up * part / plus if part > 0 else down * part / minus if part < 0 else 0.0 for part in contributions]

    return fractions


def dense(x: Tensor, weight: Tensor, bias: Tensor | None, relevance: Tensor, rule: Fractions) -> tuple[Tensor, float]:
    """Relevance of `x (in)` and of the bias, from that of `x @ weight.T + bias (out)`."""
    of_x, of_bias = torch.zeros_like(x), 0.0
    for j in range(weight.shape[0]):
        contributions = [float(x[i] * weight[j, i]) for i in range(len(x))] + ([float(bias[j])] if bias is not None else [])
        for i, fraction in enumerate(rule(contributions)):
            if i < len(x):
                of_x[i] += fraction * relevance[j]
            else:
                of_bias += fraction * float(relevance[j])
    return of_x, of_bias


def norm_matrix(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    """Layer norm of `x (in)` as a linear layer: the scale of x is a constant, `matrix[j, i] = gain_j (1[i = j] - 1/n) / std`."""
    count = len(x)
    mean = sum(float(value) for value in x) / count
    std = math.sqrt(sum((float(value) - mean) ** 2 for value in x) / count + eps)
    return torch.tensor([[float(gain[j]) * ((i == j) - 1 / count) / std for i in range(count)] for j in range(count)], dtype=x.dtype)


def summed(left: Tensor, right: Tensor, relevance: Tensor, rule: Fractions) -> tuple[Tensor, Tensor]:
    """Relevance of both terms of a sum, number by number."""
    of_left, of_right = torch.zeros_like(left), torch.zeros_like(right)
    for place in range(left.numel()):
        first, second = rule([float(left.view(-1)[place]), float(right.view(-1)[place])])
        of_left.view(-1)[place] = first * relevance.view(-1)[place]
        of_right.view(-1)[place] = second * relevance.view(-1)[place]
    return of_left, of_right


def weighted(weights: Tensor, value: Tensor, relevance: Tensor, rule: Fractions) -> Tensor:
    """Relevance of `value (key hidden)` in `weights (query key) @ value`, whose weights are constants."""
    of_value = torch.zeros_like(value)
    for query in range(weights.shape[0]):
        for unit in range(value.shape[1]):
            fractions = rule([float(weights[query, key] * value[key, unit]) for key in range(value.shape[0])])
            for key, fraction in enumerate(fractions):
                of_value[key, unit] += fraction * relevance[query, unit]
    return of_value


def matrix_product(left: Tensor, right: Tensor, relevance: Tensor) -> tuple[Tensor, Tensor]:
    """AttnLRP, proposition 3.3 without stabiliser: R(A_ji) = sum_p A_ji B_ip R_jp / (2 O_jp), and the same for B."""
    out = left @ right
    of_left, of_right = torch.zeros_like(left), torch.zeros_like(right)
    for j in range(left.shape[0]):
        for i in range(left.shape[1]):
            for p in range(right.shape[1]):
                share = left[j, i] * right[i, p] * relevance[j, p] / (2 * out[j, p])
                of_left[j, i] += share
                of_right[i, p] += share
    return of_left, of_right


def softmax(scores: Sequence[float]) -> list[float]:
    """The weights of one row of scores; minus infinity has none."""
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return [power / math.fsum(powers) for power in powers]


def softmax_relevance(scores: Sequence[float], relevance: Sequence[float], mode: str = "absorb", stabiliser: float = 0.0) -> list[float]:
    """AttnLRP, proposition 3.1 and its appendix, one row: R_i from the Taylor expansion s_j = sum_i J_ji x_i + bias_j.

    J_ji = s_j (1[i = j] - s_i), bias_j = s_j - sum_i J_ji x_i. `absorb`: R_i = sum_j J_ji x_i R_j / s_j; `omit`: over
    sum_k J_jk x_k instead of s_j; `distribute`: as absorb, plus the bias's share of every output in equal parts.
    """
    s = softmax(scores)
    x = [0.0 if score == -math.inf else score for score in scores]
    alive = [i for i, score in enumerate(scores) if score != -math.inf]
    answer = [0.0] * len(x)
    for j in alive:
        linear = [s[j] * ((i == j) - s[i]) * x[i] for i in range(len(x))]
        total = math.fsum(linear)
        if mode == "omit":
            kept = total / s[j]
            divisor = s[j] * (kept + math.copysign(stabiliser, kept))
        else:
            divisor = s[j]
        for i in alive:
            answer[i] += linear[i] * relevance[j] / divisor
            if mode == "distribute":
                even = (s[j] - total) / s[j] * relevance[j] / len(alive)
                answer[i] += even * x[i] / (x[i] + math.copysign(stabiliser, x[i]))
    return answer


def attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, relevance: Callable[[Tensor], Tensor], scale: float, mode: str = "absorb"
) -> dict[str, Tensor]:
    """AttnLRP's attention of one head, step by step; `bias (query key)` is added to the scaled scores, minus infinity where masked.

    `relevance` gives the output's relevance. The bias takes its share of the sum by LRP-0.
    """
    length = len(query)
    products = query @ key.T * scale
    scores = products + bias
    weights = torch.tensor([softmax([float(score) for score in row]) for row in scores], dtype=query.dtype)
    output = weights @ value
    of_weights, of_value = matrix_product(weights, value, relevance(output))
    rows = [softmax_relevance([float(s) for s in scores[j]], [float(r) for r in of_weights[j]], mode, 1e-6) for j in range(length)]
    of_scores = torch.tensor(rows, dtype=query.dtype)
    of_products, of_bias = torch.zeros_like(scores), torch.zeros_like(scores)
    for j in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            if bias[j, i] != -math.inf:
                of_products[j, i] = products[j, i] / scores[j, i] * of_scores[j, i]
                of_bias[j, i] = bias[j, i] / scores[j, i] * of_scores[j, i]
    of_query, of_key = matrix_product(query * scale, key.T, of_products)
    absorbed = of_weights.sum() - of_scores.sum()
    return {"output": output, "query": of_query, "key": of_key.T, "value": of_value, "bias": of_bias, "absorbed": absorbed}
