"""LRP-0, epsilon, gamma and alpha-beta against the slow implementation: layers, sums, weighted values, norms as linear layers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.rules import papers
from tests.rules.engine import drawn, propagate, rules
from workbench.rules.composite import Composite
from workbench.rules.marks import WEIGHTS, mark

CASES: dict[str, tuple[Composite, papers.Fractions]] = {
    "zero": (rules("attnlrp"), papers.zero),
    "epsilon 1e-6": (rules("epsilon"), papers.epsilon(1e-6)),
    "epsilon 0.3": (rules("epsilon", epsilon=0.3), papers.epsilon(0.3)),
    "gamma 0.25": (rules("gamma"), papers.gamma(0.25)),
    "gamma 3": (rules("gamma", gamma=3.0), papers.gamma(3.0)),
    "alpha-beta 1/2 1/2": (rules("alpha_beta"), papers.alpha_beta(0.5, 0.5)),
    "alpha-beta 2 -1": (rules("alpha_beta", alpha=2.0, beta=-1.0), papers.alpha_beta(2.0, -1.0)),
}
every_rule = pytest.mark.parametrize(("chosen", "slow"), CASES.values(), ids=CASES)


def close(found: Tensor, expected: Tensor | list[float]) -> None:
    """Equal within rounding."""
    torch.testing.assert_close(found, torch.as_tensor(expected, dtype=found.dtype), rtol=1e-9, atol=1e-11)


@every_rule
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
def test_a_layer(chosen: Composite, slow: papers.Fractions, with_bias: bool) -> None:
    """Two texts of three tokens; outputs of both signs; the bias is one more contribution."""
    x, weight, bias = drawn(2, 3, 5), drawn(4, 5, seed=1), drawn(4, seed=2) if with_bias else None
    found = propagate(chosen, lambda x: F.linear(x, weight, bias), [x], rows=2)
    torch.testing.assert_close(found.output, F.linear(x, weight, bias))
    relevance = found.output * found.start
    assert (relevance > 0).any()
    assert (found.output < 0).any()
    for text in range(2):
        kept = [papers.dense(x[text, token], weight, bias, relevance[text, token], slow) for token in range(3)]
        close(found.relevance[0][text], torch.stack([of_x for of_x, _ in kept]))
        close(found.account("biases")[text], sum(of_bias for _, of_bias in kept))
        lost = relevance[text].sum() - sum(of_x.sum() + of_bias for of_x, of_bias in kept)
        close(found.account("epsilon")[text], lost)
    assert found.gap < 1e-12


@pytest.mark.parametrize("name", ["gamma", "alpha_beta"])
def test_a_layer_whose_contributions_have_one_sign_or_none(name: str) -> None:
    """Outputs by hand: 1 + 2 of one sign, -1 - 2 of the other, 0 from x = 0, and 1 - 1 = 0 whose parts cancel."""
    x = torch.tensor([[[1.0, 2.0, 0.0, 1.0]]], dtype=torch.float64)
    weight = torch.tensor([[1.0, 1, 5, 0], [-1, -1, 5, 0], [0, 0, 3, 0], [1, 0, 0, -1]], dtype=torch.float64)
    found = propagate(name, lambda x: F.linear(x, weight), [x], start=torch.ones(1, 1, 4, dtype=torch.float64))
    assert found.output[0, 0].tolist() == [3, -3, 0, 0]
    assert found.relevance[0][0, 0].tolist() == [0, 0, 0, 0]  # 1 - 1, 2 - 2, 0, and nothing of the outputs that are 0
    assert torch.isfinite(found.relevance[0]).all()
    alone = propagate(name, lambda x: F.linear(x, weight), [x], start=torch.tensor([[[1.0, 0, 0, 0]]], dtype=torch.float64))
    close(alone.relevance[0][0, 0], [1.0, 2.0, 0.0, 0.0])


def test_gamma_and_alpha_beta_by_hand() -> None:
    """Contributions 6, -2 and bias -1: z = 3. gamma 1: 12, -2, -1 over 9. alpha-beta 1/2: 6/6 and -2/-3, -1/-3, each half of 3."""
    x, weight, bias = (torch.tensor(value, dtype=torch.float64) for value in ([[[3.0, 1.0]]], [[2.0, -2.0]], [-1.0]))
    start = torch.ones(1, 1, 1, dtype=torch.float64)
    found = propagate(rules("gamma", gamma=1.0), lambda x: F.linear(x, weight, bias), [x], start=start)
    close(found.relevance[0][0, 0], [12 / 9 * 3, -2 / 9 * 3])
    close(found.account("biases"), [-1 / 9 * 3])
    found = propagate("alpha_beta", lambda x: F.linear(x, weight, bias), [x], start=start)
    close(found.relevance[0][0, 0], [1.5, 1.0])
    close(found.account("biases"), [0.5])
    negative = propagate(rules("gamma", gamma=1.0), lambda x: F.linear(x, -weight, -bias), [x], start=start)  # z = -3: -12, 2, 1 over -9
    close(negative.relevance[0][0, 0], [-12 / 9 * 3, 2 / 9 * 3])
    close(negative.account("biases"), [1 / 9 * 3])


@every_rule
def test_the_other_ways_to_write_a_layer(chosen: Composite, slow: papers.Fractions) -> None:
    """`addmm` (GPT-2) and arguments by name are the same layer."""
    x, weight, bias = drawn(3, 5), drawn(4, 5, seed=1), drawn(4, seed=2)
    plain = propagate(chosen, lambda x: F.linear(x, weight, bias), [x])
    for function in (lambda x: torch.addmm(bias, x, weight.T), lambda x: F.linear(input=x, bias=bias, weight=weight)):
        other = propagate(chosen, function, [x])
        close(other.relevance[0], plain.relevance[0])
        close(other.account("biases"), plain.account("biases"))


@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
def test_a_convolution_over_time(with_bias: bool) -> None:
    """Mamba's depthwise convolution, padded on the left: output t sums weight k times input t + k - 2."""
    conv = nn.Conv1d(3, 3, 3, groups=3, padding=2, bias=with_bias).double().requires_grad_(False)
    x = drawn(2, 3, 4, seed=5)
    found = propagate("attnlrp", lambda x: conv(x)[..., :4], [x], rows=2)
    relevance, expected, of_bias = found.output * found.start, torch.zeros_like(x), torch.zeros(2, dtype=torch.float64)
    for text, channel, time in ((text, channel, time) for text in range(2) for channel in range(3) for time in range(4)):
        inside = [k for k in range(3) if time + k - 2 >= 0]
        contributions = [float(conv.weight[channel, 0, k] * x[text, channel, time + k - 2]) for k in inside]
        fractions = papers.zero([*contributions, float(conv.bias[channel])] if conv.bias is not None else contributions)
        for k, fraction in zip(inside, fractions, strict=False):
            expected[text, channel, time + k - 2] += fraction * relevance[text, channel, time]
        of_bias[text] += fractions[-1] * relevance[text, channel, time] if with_bias else 0.0
    close(found.relevance[0], expected)
    close(found.account("biases"), of_bias)


@every_rule
def test_a_sum_of_two(chosen: Composite, slow: papers.Fractions) -> None:
    """Only the alpha-beta rule looks at the terms of a sum; epsilon and gamma are rules of linear layers."""
    left, right = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
    found = propagate(chosen, torch.add, [left, right], rows=2)
    rule = slow if chosen.linear == "alpha_beta" else papers.zero
    for part, expected in zip(found.relevance, papers.summed(left, right, found.output * found.start, rule), strict=True):
        close(part, expected)
    assert found.gap < 1e-12


def test_a_sum_of_nothing_and_of_a_broadcast_term() -> None:
    left, right = torch.tensor([[0.0, 2.0, -2.0]]).double(), torch.tensor([[0.0, -2.0, -3.0]]).double()
    found = propagate("alpha_beta", torch.add, [left, right], start=torch.ones(1, 3, dtype=torch.float64))
    close(found.relevance[0], [[0.0, 0.0, -2.0]])
    close(found.relevance[1], [[0.0, 0.0, -3.0]])
    wide, narrow = drawn(1, 3, 4), drawn(1, 1, 4, seed=3)
    found = propagate("alpha_beta", torch.add, [wide, narrow])
    whole = papers.summed(wide, narrow.expand_as(wide).clone(), found.output * found.start, papers.alpha_beta(0.5, 0.5))
    close(found.relevance[0], whole[0])
    close(found.relevance[1], whole[1].sum(1, keepdim=True))
    assert found.gap < 1e-12


@every_rule
def test_values_summed_by_constant_weights(chosen: Composite, slow: papers.Fractions) -> None:
    value = drawn(2, 4, 3, seed=6)
    weights = torch.softmax(drawn(2, 5, 4, seed=7), -1)
    weights[0, 0, 1] = 0.0
    found = propagate(chosen, lambda value: mark(weights.clone(), WEIGHTS) @ value, [value], rows=2)
    torch.testing.assert_close(found.output, weights @ value)
    rule = slow if chosen.linear == "alpha_beta" else papers.zero
    for text in range(2):
        close(found.relevance[0][text], papers.weighted(weights[text], value[text], (found.output * found.start)[text], rule))
    assert found.gap < 1e-12


@every_rule
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
def test_layer_norm_is_a_linear_layer(chosen: Composite, slow: papers.Fractions, with_bias: bool) -> None:
    """The scale is a constant, centring and gain are `matrix`; the epsilon and gamma rules leave norms to LRP-0."""
    x, gain, bias = drawn(2, 2, 5, seed=8), drawn(5, seed=9), drawn(5, seed=10) if with_bias else None
    found = propagate(chosen, lambda x: F.layer_norm(x, (5,), gain, bias, 1e-2), [x], rows=2)
    torch.testing.assert_close(found.output, F.layer_norm(x, (5,), gain, bias, 1e-2))
    rule = slow if chosen.linear == "alpha_beta" else papers.zero
    for text in range(2):
        of_bias = 0.0
        for token in range(2):
            matrix = papers.norm_matrix(x[text, token], gain, 1e-2)
            of_x, taken = papers.dense(x[text, token], matrix, bias, (found.output * found.start)[text, token], rule)
            close(found.relevance[0][text, token], of_x)
            of_bias += taken
        close(found.account("biases")[text], of_bias)
    assert found.gap < 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["epsilon", "gamma", "alpha_beta"])
def test_low_precision_stays_near(dtype: torch.dtype, name: str) -> None:
    """The accounts are summed in float32 at least, and the numbers stay near those of float64."""
    x, weight, bias = drawn(1, 6, 64), drawn(32, 64, seed=1), drawn(32, seed=2)
    exact = propagate(name, lambda x: F.linear(x, weight, bias), [x])
    low = propagate(name, lambda x: F.linear(x, weight.to(dtype), bias.to(dtype)), [x.to(dtype)])
    bound = 1e-4 if dtype == torch.float32 else 0.1
    assert low.relevance[0].dtype == dtype
    assert (low.relevance[0].double() - exact.relevance[0]).abs().mean() < bound * exact.relevance[0].abs().mean()
    assert abs(low.account("biases") - exact.account("biases")).item() < bound * exact.relevance[0].abs().sum().item() / 10
