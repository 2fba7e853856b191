"""The identity rule: relevance passes unchanged, for every activation, at every number that a model can meet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import activations as published

from tests.rules.engine import drawn, propagate
from workbench.errors import PropagationError
from workbench.rules import activation, activations
from workbench.rules.marks import NEURONS, is_marked

CASES = 10_000


def tanh_gelu(x: Tensor) -> Tensor:
    """GELU by its tanh approximation."""
    return F.gelu(x, approximate="tanh")


#: Every torch function with the rule, and every activation that transformers composes of several functions.
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **{getattr(function, "__qualname__", repr(function)): function for function in activation.RATIOS},
    "gelu, tanh": tanh_gelu,
    **{
        name: getattr(published, name)()
        for name in ("GELUActivation", "NewGELUActivation", "GELUTanh", "FastGELUActivation", "QuickGELUActivation",
                     "AccurateGELUActivation", "MishActivation", "LinearActivation", "ReLUSquaredActivation")
    },
}  # fmt: skip
#: f(x)/x in closed form, by functions of scipy and numpy.
CLOSED: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[np.ndarray], np.ndarray]]] = {
    "gelu": (F.gelu, scipy.special.ndtr),
    "gelu, tanh": (tanh_gelu, lambda x: 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    "silu": (F.silu, scipy.special.expit),
    "relu": (F.relu, lambda x: np.where(x > 0, 1.0, 0.0)),
    "tanh": (torch.tanh, lambda x: np.where(x == 0, 1.0, np.tanh(x) / np.where(x == 0, 1.0, x))),
    "softsign": (F.softsign, lambda x: np.where(x == 0, 0.0, 1 / (1 + np.abs(x)))),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: np.where(x > 0, 1.0, np.where(x < 0, 0.2, 0.0))),
    "quick gelu": (published.QuickGELUActivation(), lambda x: scipy.special.expit(1.702 * x)),
    "new gelu": (published.NewGELUActivation(), lambda x: 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
}


def numbers(dtype: torch.dtype, seed: int = 0) -> Tensor:
    """10,000 numbers of every size that the type holds, both signs: the middle, zeros, denormals, the largest."""
    generator = np.random.default_rng(seed)
    limits = torch.finfo(dtype)
    ordinary = generator.normal(0, 3, CASES // 2)
    lowest, highest = np.log10(limits.smallest_normal) - 6, np.log10(limits.max)
    anywhere = 10 ** generator.uniform(lowest, highest, CASES - CASES // 2 - 10) * generator.choice([-1, 1], CASES - CASES // 2 - 10)
    tiny, huge = limits.smallest_normal * limits.eps, limits.max
    special = [0.0, -0.0, tiny, -tiny, limits.smallest_normal, -limits.smallest_normal, limits.eps, 1.0, huge, -huge]
    return torch.tensor(np.concatenate([ordinary, anywhere, special])).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_relevance_passes_unchanged_at_ten_thousand_numbers(name: str, dtype: torch.dtype) -> None:
    function, x = FUNCTIONS[name], numbers(dtype)
    assert len(x) == CASES
    plain = function(x)
    known = torch.isfinite(plain)  # some functions overflow by themselves at the largest numbers
    assert known.float().mean() > 0.75 if name == "ReLUSquaredActivation" else known.float().mean() > 0.95
    module = function if isinstance(function, nn.Module) else None
    found = propagate("attnlrp", function, [x[None]], start=torch.ones_like(x[None]), module=module)
    assert torch.equal(found.output[0][known], plain[known])
    relevance = found.relevance[0][0]
    assert torch.isfinite(relevance[known]).all()
    size = torch.finfo(dtype)
    digits = 1e-10 if name == "FastGELUActivation" else 0.0  # whose published constant has ten digits
    torch.testing.assert_close(
        relevance[known].double(), plain[known].double(), rtol=max(8 * size.eps, digits),
        # where f(x)/x is below what the type can tell from 1, the product with a large x is as coarse
        atol=max(size.eps * 30, size.smallest_normal, digits),
    )  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_the_derivative_is_the_closed_form(name: str) -> None:
    function, ratio = CLOSED[name]
    x = torch.cat([torch.linspace(-12, 12, 241), torch.tensor([0.0, 1e-300, -1e-300])]).double()
    module = function if isinstance(function, nn.Module) else None
    leaf = x.clone()
    one = torch.ones(1, len(x), dtype=torch.float64)
    found = propagate("attnlrp", lambda x: function(x), [leaf[None]], start=one, module=module)
    expected = ratio(x.numpy()) * x.numpy()
    np.testing.assert_allclose(found.relevance[0][0].numpy(), expected, rtol=1e-12, atol=2e-15)


@pytest.mark.parametrize(("function", "at_zero"), [(torch.tanh, 1.0), (F.gelu, 0.5), (F.silu, 0.5), (F.relu, 0.0), (F.mish, 0.0)])
def test_the_derivative_at_zero(function: Callable[[Tensor], Tensor], at_zero: float) -> None:
    """The limit of f(x)/x where it is known in closed form: f'(0), for ReLU 0."""
    x = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    ratio = activation.RATIOS[function](x.detach(), function(x.detach()))
    assert ratio.item() == at_zero


def test_an_activation_in_place_and_by_name_is_the_same() -> None:
    x = drawn(1, 20)
    known = propagate("attnlrp", F.relu, [x]).relevance[0]
    for function in (lambda x: F.relu(input=x), lambda x: F.relu(x * 1.0, inplace=True), torch.relu, Tensor.relu):
        assert torch.equal(propagate("attnlrp", function, [x]).relevance[0], known)
    leaky = propagate("attnlrp", lambda x: F.leaky_relu(x, 0.5), [x])
    assert torch.equal(leaky.relevance[0] == leaky.output * leaky.start, torch.ones(1, 20, dtype=torch.bool))
    tanh = propagate("attnlrp", lambda x: F.gelu(x, approximate="tanh"), [x])
    torch.testing.assert_close(tanh.output, tanh_gelu(x))
    torch.testing.assert_close(tanh.relevance[0], tanh.output * tanh.start)


@pytest.mark.parametrize(
    "function",
    [F.gelu, F.silu, torch.tanh, published.NewGELUActivation(), published.QuickGELUActivation()],
    ids=["gelu", "silu", "tanh", "new gelu", "quick gelu"],
)
def test_the_plain_gradient_books_what_is_not_conserved(function: Callable[[Tensor], Tensor]) -> None:
    x, start = drawn(2, 7), drawn(2, 7, seed=1)
    module = function if isinstance(function, nn.Module) else None
    leaf = x.clone().requires_grad_(True)
    (derivative,) = torch.autograd.grad(function(leaf), leaf, start)
    found = propagate("gradient_x_input", function, [x], start=start, rows=2, module=module)
    torch.testing.assert_close(found.relevance[0], x * derivative)
    torch.testing.assert_close(found.account("nonlinear"), (function(x) * start - x * derivative).sum(1))


def test_results_are_neurons_and_constants_are_left_alone() -> None:
    marked = []
    propagate("attnlrp", lambda x: marked.append(is_marked(F.relu(x), NEURONS)) or F.relu(x), [drawn(1, 3)])
    propagate("attnlrp", lambda x: marked.append(F.relu(torch.ones(2)).requires_grad) or F.relu(x), [drawn(1, 3)])
    module = published.NewGELUActivation()
    propagate("attnlrp", lambda x: marked.append(is_marked(module(x), NEURONS)) or x, [drawn(1, 3)], module=module)
    propagate("attnlrp", lambda x: marked.append(module(torch.ones(2)).requires_grad) or x, [drawn(1, 3)], module=module)
    assert marked == [True, False, True, False]


def test_classes_of_transformers_are_activations_but_for_those_with_a_value_at_zero() -> None:
    assert activations.ratio_of(published.LaplaceActivation()) is None
    assert activations.ratio_of(nn.Linear(1, 1)) is None
    assert activations.ratio_of(published.MishActivation()) is activation.quotient
    assert activations.ratio_of(published.FastGELUActivation()) is activations.tanh_gelu_ratio


def test_a_composed_activation_that_is_not_elementwise_is_refused() -> None:
    class GELUActivation(nn.Module):
        """A class with the name of an activation."""

        def forward(self, x: Tensor) -> Tensor:
            return x.sum(-1)

    module = GELUActivation()
    with pytest.raises(PropagationError, match="another shape"):
        propagate("attnlrp", module, [drawn(1, 3)], module=module)


def test_a_quotient_that_is_no_number_is_zero() -> None:
    x, y = torch.tensor([0.0, 1e-300, 1e-300, 2.0]).double(), torch.tensor([0.0, 1e300, -1e300, 3.0]).double()
    assert activation.quotient(x, y).tolist() == [0.0, 0.0, 0.0, 1.5]


def test_a_smooth_function_with_arguments_by_name_books_what_is_not_conserved() -> None:
    x = drawn(2, 5)
    for function in (
        lambda x: torch.clamp(input=x, min=-0.5, max=0.5),
        lambda x: torch.exp(input=x),
        lambda x: torch.div(x, other=1 + x * x),
    ):
        found = propagate("gradient_x_input", function, [x], rows=2)
        leaf = x.clone().requires_grad_(True)
        (derivative,) = torch.autograd.grad(function(leaf), leaf, found.start)
        torch.testing.assert_close(found.relevance[0], x * derivative)
        assert found.gap < 1e-12


def test_arguments_by_place_and_by_name_reach_the_function() -> None:
    x = drawn(2, 9)
    ways: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda x: torch.celu(x, 0.3), lambda x: torch.celu(input=x, alpha=0.3), lambda x: torch.tanh(input=x),
        lambda x: torch.relu(input=x), lambda x: torch._C._nn.gelu(x, approximate="tanh"),
    )  # fmt: skip
    for way in ways:
        for name in ("attnlrp", "gradient_x_input"):
            found = propagate(name, way, [x], rows=2)
            torch.testing.assert_close(found.output, way(x))
            assert found.gap < 1e-12
            if name == "attnlrp":
                torch.testing.assert_close(found.relevance[0], found.output * found.start)


def test_the_ratio_of_relu_is_a_step() -> None:
    x = torch.tensor([-1.0, 0.0, 1e-3, 0.5, 2.0], dtype=torch.float64)
    ratio = activation.relu_ratio(x, F.relu(x))
    assert ratio.dtype == torch.float64
    assert ratio.tolist() == [0, 0, 1, 1, 1]
