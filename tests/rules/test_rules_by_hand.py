"""Rules worked out on paper, and against an independent package where it has the same rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from captum.attr import LRP
from captum.attr._utils.lrp_rules import EpsilonRule
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules import activation, linear, product
from workbench.rules.composite import COMPOSITES, Composite, composite
from workbench.rules.propagation import propagation
from workbench.rules.recorder import Recorder


def test_two_layers_by_hand() -> None:
    """x = (1, 2); hidden = (x1 + x2 - 1, x1 - x2 + 3) = (2, 2); ReLU keeps both; y = 3 h1 - h2 + 0.5 = 4.5.

    Derivative of y by x = 3 (1, 1) - (1, -1) = (2, 4): relevance (2, 8); biases 3 (-1) - 3 + 0.5 = -5.5; together 4.5.
    """
    net = nn.Sequential(nn.Embedding(1, 2), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).requires_grad_(False).eval()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 2.0]]))
        net[1].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        net[1].bias.copy_(torch.tensor([-1.0, 3.0]))
        net[3].weight.copy_(torch.tensor([[3.0, -1.0]]))
        net[3].bias.copy_(torch.tensor([0.5]))
    with propagation(net, composite("attnlrp"), rows=1) as recorder:
        y = net(torch.zeros(1, 1, dtype=torch.long))
    (gradient,) = torch.autograd.grad(y.sum(), recorder.leaves)
    assert y.item() == 4.5
    assert (recorder.leaves[0] * gradient)[0, 0].tolist() == [2.0, 8.0]
    assert recorder.accounts["biases"].item() == -5.5


@pytest.mark.parametrize(
    "function",
    [F.relu, F.silu, F.gelu, lambda x: F.gelu(x, approximate="tanh"), torch.tanh],
    ids=["relu", "silu", "gelu", "gelu_tanh", "tanh"],
)
def test_identity_rule_passes_relevance_on_unchanged(function: Callable[[Tensor], Tensor]) -> None:
    x = torch.cat([torch.linspace(-30, 30, 61), torch.tensor([0.0, 1e-30, -1e-30, 1e-4])]).double()
    net = nn.Embedding(1, len(x)).double().requires_grad_(False)
    net.weight.data.copy_(x)
    with propagation(net.eval(), composite("attnlrp"), rows=1) as recorder:
        y = function(net(torch.zeros(1, 1, dtype=torch.long)))
    torch.testing.assert_close(y.detach(), function(x.reshape(1, 1, -1)), rtol=1e-12, atol=0)
    (gradient,) = torch.autograd.grad(y.sum(), recorder.leaves)
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(recorder.leaves[0] * gradient, y, rtol=1e-12, atol=1e-12)


def test_product_of_two_gives_half_to_each() -> None:
    left, right = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (3.0, -5.0))
    y = product.product(Recorder(rows=1), composite("attnlrp"), torch.mul, (left, right), {})
    gradients = torch.autograd.grad(y.sum(), (left, right))
    assert y.item() == -15
    assert [(leaf * gradient).item() for leaf, gradient in zip((left, right), gradients, strict=True)] == [-7.5, -7.5]


def test_epsilon_rule_by_hand() -> None:
    """z = 2 * 3 + 1 = 7 and eps = 1: R_x = 6 * 7 / 8 = 5.25, the bias takes 0.875, epsilon absorbs 0.875."""
    x = torch.tensor([[3.0]], dtype=torch.float64, requires_grad=True)
    recorder = Recorder(rows=1)
    rules = Composite("epsilon_1", "", "half", "constant", "identity", "half", "epsilon", 1.0)
    bias = torch.tensor([1.0], dtype=torch.float64)
    y = linear.output(recorder, rules, x @ torch.tensor([[2.0]], dtype=torch.float64) + bias, bias)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert (x * gradient).item() == pytest.approx(5.25)
    assert recorder.accounts["biases"].item() == pytest.approx(0.875)
    assert recorder.accounts["epsilon"].item() == pytest.approx(0.875)


@pytest.mark.parametrize("epsilon", [1e-9, 0.1])
def test_epsilon_rule_equals_captum(epsilon: float) -> None:
    torch.manual_seed(3)
    layers = nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 3)).double().eval()
    for layer in layers:
        if isinstance(layer, nn.Linear):
            layer.rule = EpsilonRule(epsilon)  # type: ignore[assignment]
    x = torch.randn(4, 7, dtype=torch.float64)
    net = nn.Sequential(nn.Embedding.from_pretrained(x), layers).requires_grad_(False).eval()
    rules = Composite("epsilon_here", "", "half", "constant", "identity", "half", "epsilon", epsilon)
    with propagation(net, rules, rows=4) as recorder:
        y = net(torch.arange(4)[:, None])[:, 0, 1]
    (gradient,) = torch.autograd.grad(y.sum(), recorder.leaves)
    ours = (recorder.leaves[0] * gradient)[:, 0].detach()
    theirs = LRP(layers.requires_grad_(True)).attribute(x.clone().requires_grad_(True), target=1).detach()
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=30), st.sampled_from([torch.float32, torch.bfloat16, torch.float16]))
def test_ratios_are_finite_for_every_value(values: list[float], dtype: torch.dtype) -> None:
    x = torch.tensor(values).to(dtype)
    for function, ratio in activation.RATIOS.items():
        if function in (torch.relu, torch.tanh, F.gelu, F.silu):
            assert torch.isfinite(ratio(x, function(x))).all()


def test_unknown_composite_is_refused_with_the_names() -> None:
    with pytest.raises(PropagationError, match="attnlrp"):
        composite("atnlrp")
    assert composite("attnlrp") is COMPOSITES["attnlrp.v1"]
    assert all(rules.source for rules in COMPOSITES.values())


def test_a_composite_is_its_rules_and_not_its_citation() -> None:
    known = composite("attnlrp.v1")
    assert replace(known, source="another edition").fingerprint == known.fingerprint
    assert replace(known, attention="constant").fingerprint != known.fingerprint
    assert len({rules.fingerprint for rules in COMPOSITES.values()}) == len(COMPOSITES)
