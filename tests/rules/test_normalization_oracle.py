"""Norms: their scale is a constant, everything else in them is linear."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.rules import papers
from tests.rules.engine import drawn, propagate
from workbench.errors import PropagationError

GAIN = drawn(5, seed=3)


def written_rms(x: Tensor) -> Tensor:
    """RMS norm as Llama writes it."""
    variance = x.pow(2).mean(-1, keepdim=True)
    return GAIN * (x * torch.rsqrt(variance + 1e-2))


def rooted_rms(x: Tensor) -> Tensor:
    """RMS norm with a square root and a division."""
    return x / (torch.square(x).mean(-1, keepdim=True) + 1e-2).sqrt() * GAIN


def summed_rms(x: Tensor) -> Tensor:
    """RMS norm by a sum and `**`, with the model's own casts on the way."""
    return x * torch.rsqrt((x**2).to(torch.float64).sum(-1, keepdim=True) / 1.0 * 0.2 + 1e-2) * GAIN


@pytest.mark.parametrize("function", [written_rms, rooted_rms, lambda x: F.rms_norm(x, (5,), GAIN, 1e-2)], ids=["rsqrt", "sqrt", "fused"])
def test_rms_norm_is_a_diagonal_layer(function: Callable[[Tensor], Tensor]) -> None:
    x = drawn(2, 3, 5)
    found = propagate("attnlrp", function, [x], rows=2)
    for text in range(2):
        for token in range(3):
            row = x[text, token]
            scale = 1 / math.sqrt(sum(float(value) ** 2 for value in row) / 5 + 1e-2)
            expected = [float(row[i] * GAIN[i]) * scale for i in range(5)]
            assert found.output[text, token].tolist() == pytest.approx(expected)
            relevance = [value * float(start) for value, start in zip(expected, found.start[text, token], strict=True)]
            assert found.relevance[0][text, token].tolist() == pytest.approx(relevance)
    assert found.gap < 1e-12


def test_fused_norms_without_gain_or_epsilon_have_the_values_of_torch() -> None:
    x = drawn(2, 3, 5)
    for function in (lambda x: F.rms_norm(x, (5,)), lambda x: F.rms_norm(x, (3, 5), eps=0.5), lambda x: F.layer_norm(x, (3, 5)),
                     lambda x: F.layer_norm(x, (5,), eps=0.5), lambda x: F.layer_norm(x, (5,), weight=GAIN), F.normalize,
                     lambda x: F.normalize(x, p=1.0, dim=2), lambda x: F.normalize(x, dim=-1, eps=10.0)):  # fmt: skip
        for name in ("attnlrp", "alpha_beta", "gradient_x_input") if function is not F.normalize else ("attnlrp",):
            try:
                found = propagate(name, function, [x], rows=2)
            except PropagationError:
                assert name == "gradient_x_input"
                continue
            torch.testing.assert_close(found.output, function(x))
            assert found.gap < 1e-10


def test_layer_norm_over_two_axes_keeps_the_scale_of_both() -> None:
    x, gain, bias = drawn(2, 3, 4), drawn(3, 4, seed=1), drawn(3, 4, seed=2)
    found = propagate("attnlrp", lambda x: F.layer_norm(x, (3, 4), gain, bias, 1e-2), [x], rows=2)
    for text in range(2):
        flat = x[text].reshape(-1)
        matrix = papers.norm_matrix(flat, gain.reshape(-1), 1e-2)
        relevance = (found.output * found.start)[text].reshape(-1)
        of_x, of_bias = papers.dense(flat, matrix, bias.reshape(-1), relevance, papers.zero)
        torch.testing.assert_close(found.relevance[0][text].reshape(-1), of_x, rtol=1e-8, atol=1e-10)
        assert found.account("biases")[text].item() == pytest.approx(of_bias)


def test_a_unit_vector_keeps_its_norm_constant() -> None:
    x = torch.tensor([[[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]]).double()
    found = propagate("attnlrp", lambda x: F.normalize(x, dim=-1), [x], start=torch.ones_like(x))
    torch.testing.assert_close(found.relevance[0], torch.tensor([[[0.6, 0.8, 0.0], [0.0, 0.0, 0.0]]]).double())


@pytest.mark.parametrize(
    "function",
    [lambda x: F.layer_norm(x, (5,), GAIN, GAIN, 1e-2), written_rms, rooted_rms, lambda x: F.rms_norm(x, (5,), GAIN, 1e-2)],
    ids=["layer norm", "rsqrt", "sqrt", "rms"],
)
def test_the_plain_gradient_books_what_is_not_conserved(function: Callable[[Tensor], Tensor]) -> None:
    x = drawn(2, 3, 5)
    found = propagate("gradient_x_input", function, [x], rows=2)
    leaf = x.clone().requires_grad_(True)
    (derivative,) = torch.autograd.grad(function(leaf), leaf, found.start)
    torch.testing.assert_close(found.relevance[0], x * derivative)
    assert found.gap < 1e-12
    # layer norm's bias keeps its own share, and so does the epsilon under a root that is met as an addition
    explained = (found.output * found.start - x * derivative).sum((1, 2))
    torch.testing.assert_close(found.account("nonlinear") + found.account("biases"), explained)


def test_the_bias_of_layer_norm_keeps_its_share_under_the_plain_gradient() -> None:
    found = propagate("gradient_x_input", lambda x: F.layer_norm(x, (5,), GAIN, GAIN, 1e-2), [drawn(2, 3, 5)], rows=2)
    torch.testing.assert_close(found.output, F.layer_norm(drawn(2, 3, 5), (5,), GAIN, GAIN, 1e-2))
    torch.testing.assert_close(found.account("biases"), (found.start * GAIN).sum((1, 2)))


def test_a_variance_may_only_end_in_a_root() -> None:
    uses: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda x: x * x.var(-1, keepdim=True),
        lambda x: x * torch.relu(x.pow(2).mean(-1, keepdim=True)),
        lambda x: x + x.pow(2).mean(-1, keepdim=True).add(x),
        lambda x: x.square(),
        lambda x: x.square() * 2.0,
        lambda x: summed_rms(x),  # a statistic that is multiplied on its way is not known to be a mean
    )
    for use in uses[:3] + uses[4:]:
        with pytest.raises(PropagationError, match="has no rule"):
            propagate("attnlrp", use, [drawn(1, 3, 5)])
    alone = drawn(1, 3, 5).requires_grad_(True)
    with pytest.raises(RuntimeError, match="does not require grad"):  # a statistic alone is a constant: nothing to explain
        propagate("attnlrp", uses[3], [alone])
