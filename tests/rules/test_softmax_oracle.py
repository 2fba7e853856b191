"""Softmax in relevance form: what its bias absorbs, leaves out or spreads (AttnLRP, proposition 3.1 and appendix)."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.rules import papers
from tests.rules.engine import drawn, propagate
from workbench.rules.marks import WEIGHTS, is_marked

MODES = {"attnlrp": "absorb", "attnlrp_omit": "omit", "attnlrp_distribute": "distribute"}


def masked(x: Tensor) -> Tensor:
    """Causal scores: minus infinity after each query."""
    return x.masked_fill(torch.ones(x.shape[-2:], dtype=torch.bool).triu(1), -math.inf)


@pytest.mark.parametrize("causal", [False, True], ids=["all keys", "causal"])
@pytest.mark.parametrize("name", MODES)
def test_each_mode_equals_the_paper(name: str, causal: bool) -> None:
    scores = 2 * drawn(2, 3, 4, 4, seed=1)
    found = propagate(name, lambda x: torch.softmax(masked(x) if causal else x, dim=-1), [scores], rows=2)
    whole = masked(scores) if causal else scores
    torch.testing.assert_close(found.output, torch.softmax(whole, -1))
    relevance, expected = found.output * found.start, torch.zeros_like(scores)
    for text in range(2):
        for head in range(3):
            for query in range(4):
                row, arrived = whole[text, head, query].tolist(), relevance[text, head, query].tolist()
                answer = papers.softmax_relevance(row, arrived, MODES[name], 1e-6)
                expected[text, head, query] = torch.tensor(answer, dtype=torch.float64)
    torch.testing.assert_close(found.relevance[0], expected, rtol=1e-8, atol=1e-10)
    lost = (relevance - expected).sum((1, 2, 3))
    torch.testing.assert_close(found.account("softmax" if name == "attnlrp" else "epsilon"), lost, rtol=1e-8, atol=1e-9)
    if name == "attnlrp":
        assert found.account("epsilon").abs().max() == 0
        assert lost.abs().min() > 1e-3
    else:
        assert found.account("softmax").abs().max() == 0
        # a query with one key has the weight 1 whatever its score: omitting the bias leaves nothing to share by
        assert causal or lost.abs().max() < 1e-3 * relevance.abs().sum()
    assert found.gap < 1e-10


def test_two_scores_by_hand() -> None:
    """Scores ln 3 and 0: s = (3/4, 1/4); R = (1, 0) gives (ln 3 / 4, 0), the bias keeps 1 - ln 3 / 4; omitted, the first takes all."""
    scores, start = torch.tensor([[[math.log(3), 0.0]]]).double(), torch.tensor([[[4 / 3, 0.0]]]).double()
    absorbed = propagate("attnlrp", lambda x: torch.softmax(x, -1), [scores], start=start)
    torch.testing.assert_close(absorbed.relevance[0][0, 0], torch.tensor([math.log(3) / 4, 0.0]).double())
    assert absorbed.account("softmax").item() == pytest.approx(1 - math.log(3) / 4)
    omitted = propagate("attnlrp_omit", lambda x: torch.softmax(x, -1), [scores], start=start)
    torch.testing.assert_close(omitted.relevance[0][0, 0], torch.tensor([1.0, 0.0]).double(), rtol=1e-5, atol=1e-5)
    # the bias b = s (1 - x + sum s x) holds 1 - ln 3 / 4, of which half goes to each score; a score of 0 cannot carry its half
    spread = propagate("attnlrp_distribute", lambda x: torch.softmax(x, -1), [scores], start=start)
    half = (1 - math.log(3) / 4) / 2
    torch.testing.assert_close(spread.relevance[0][0, 0], torch.tensor([math.log(3) / 4 + half, 0.0]).double(), rtol=1e-5, atol=1e-5)
    assert spread.account("epsilon").item() == pytest.approx(half, rel=1e-5)


@pytest.mark.parametrize("call", [lambda x: torch.softmax(x, 2), lambda x: torch.softmax(x, -1), lambda x: torch.softmax(input=x, dim=2)])
@pytest.mark.parametrize("name", ["attnlrp_omit", "attnlrp_distribute"])
def test_the_last_axis_by_any_name(name: str, call: Callable[[Tensor], Tensor]) -> None:
    x = drawn(2, 3, 4)
    known = propagate(name, lambda x: x.softmax(dim=-1), [x], rows=2)
    found = propagate(name, call, [x], rows=2)
    torch.testing.assert_close(found.relevance[0], known.relevance[0])
    assert set(found.recorder.accounts) == {"epsilon"}


@pytest.mark.parametrize("name", ["cplrp", "lrp0", "alpha_beta"])
def test_constant_weights_take_nothing(name: str) -> None:
    active: list[bool] = []

    def function(x: Tensor) -> Tensor:
        weights = torch.softmax(x, -1)
        active.append(weights.requires_grad)
        assert is_marked(weights, WEIGHTS)
        return x.sum(-1)

    propagate(name, function, [drawn(1, 3, 3)])
    assert active == [False]


@pytest.mark.parametrize("call", [lambda x: torch.softmax(x, 1), lambda x: x.softmax(dim=1), lambda x: torch.softmax(input=x, dim=1)])
@pytest.mark.parametrize("name", MODES)
def test_softmax_over_another_axis_keeps_its_derivative(name: str, call: object) -> None:
    x, start = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
    leaf = x.clone().requires_grad_(True)
    (derivative,) = torch.autograd.grad(torch.softmax(leaf, 1), leaf, start)
    found = propagate(name, call, [x], start=start, rows=2)  # type: ignore[arg-type]
    torch.testing.assert_close(found.relevance[0], x * derivative)
    assert found.gap < 1e-12


@pytest.mark.parametrize("name", ["gradient_x_input", "relp"])
def test_the_plain_gradient_books_what_is_not_conserved(name: str) -> None:
    x, start = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
    leaf = x.clone().requires_grad_(True)
    weights = torch.softmax(leaf, -1)
    (derivative,) = torch.autograd.grad(weights, leaf, start)
    found = propagate(name, lambda x: torch.softmax(x, -1), [x], start=start, rows=2)
    torch.testing.assert_close(found.relevance[0], x * derivative)
    torch.testing.assert_close(found.account("nonlinear"), (weights * start - leaf * derivative).sum((1, 2)).detach())


@pytest.mark.parametrize("name", ["attnlrp_omit", "attnlrp_distribute"])
def test_conserving_modes_stay_finite_where_their_denominators_vanish(name: str) -> None:
    """Equal scores: x - sum s x = 0 for every output; zeros: nothing can carry a share. What is not handed on is booked."""
    for scores in (torch.zeros(1, 3, 3), torch.full((1, 3, 3), 2.0), torch.tensor([[[0.0, -math.inf, 1.0]]])):
        found = propagate(name, lambda x: torch.softmax(x * 1.0, -1), [scores.double()])
        assert torch.isfinite(found.relevance[0][torch.isfinite(scores)]).all()
        assert torch.isfinite(found.account("epsilon")).all()


class Layers(nn.Module):
    """Two layers, each with a softmax."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Softmax(fused), Softmax(fused)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x) * 3.0
        return x


class Softmax(nn.Module):
    """A layer that is a softmax, or attention of a text to itself."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x) if self.fused else torch.softmax(x, -1)


@pytest.mark.parametrize("fused", [False, True], ids=["softmax", "attention"])
@pytest.mark.parametrize("name", ["attnlrp", "palrp"])
def test_what_is_absorbed_is_kept_by_the_layer_that_ran(name: str, fused: bool) -> None:
    module, x = Layers(fused), drawn(2, 1, 3, 3)
    found = propagate(name, module, [x], rows=2, module=module)
    kept = found.recorder.softmax_layers
    assert set(kept) == {0, 1}
    torch.testing.assert_close(kept[0] + kept[1], found.account("softmax"))
    with torch.no_grad():
        middle = module.layers[0](x) * 3.0
    last = propagate(name, module.layers[1], [middle], start=3.0 * found.start, rows=2, module=module.layers[1])
    torch.testing.assert_close(last.account("softmax"), kept[1])


def test_equal_scores_by_hand() -> None:
    """Scores 2 and 2, R = (1, 0), bias omitted: x - sum s x = 0 counts as +1e-6, so R_1 = 2 (1/2) (2e6 - 1e6); the sink takes all."""
    scores, start = torch.tensor([[[2.0, 2.0]]]).double(), torch.tensor([[[2.0, 0.0]]]).double()
    found = propagate("attnlrp_omit", lambda x: torch.softmax(x, -1), [scores], start=start)
    torch.testing.assert_close(found.relevance[0][0, 0], torch.tensor([1e6, -1e6]).double())
    assert found.account("epsilon").item() == 1.0
