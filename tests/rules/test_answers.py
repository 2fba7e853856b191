"""What functions are answered with: torch's own value, its own derivative where it is linear, constants booked, anything else refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.rules.engine import drawn, propagate
from workbench.errors import PropagationError
from workbench.rules import register
from workbench.rules.answers import ANSWERS, is_active, scan_parameters

CONSTANT, SQUARE, FILTER = drawn(2, 3, 4, seed=1), drawn(2, 4, 3, seed=2), drawn(5, 3, 2, seed=3)
WEIGHT, BIAS = drawn(4, 6, seed=4), drawn(6, seed=5)

#: Functions linear in an active x (2 3 4) up to a constant, and the account of that constant.
LINEAR: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "add": (lambda x: torch.add(x, CONSTANT), "biases"),
    "add by name": (lambda x: torch.add(x, other=CONSTANT), "biases"),
    "add of one": (lambda x: torch.add(x, CONSTANT, alpha=1), "biases"),
    "added to a constant": (lambda x: CONSTANT + x, "biases"),
    "both active": (lambda x: x + x.flip(1), "biases"),
    "sub": (lambda x: x - CONSTANT, "biases"),
    "taken from a constant": (lambda x: CONSTANT - x, "biases"),
    "rsub": (lambda x: torch.rsub(x, 3.0), "biases"),
    "add in place": (lambda x: x.clone().add_(CONSTANT), "biases"),
    "sub in place": (lambda x: x.clone().sub_(CONSTANT), "biases"),
    "mul in place": (lambda x: x.clone().mul_(CONSTANT), "biases"),
    "div": (lambda x: x / CONSTANT, "biases"),
    "div in place": (lambda x: x.clone().div_(2.5), "biases"),
    "addmm": (lambda x: torch.addmm(BIAS, x.reshape(6, 4), WEIGHT), "biases"),
    "linear by name": (lambda x: F.linear(input=x, weight=WEIGHT.T, bias=BIAS), "biases"),
    "linear": (lambda x: F.linear(x, WEIGHT.T), "biases"),
    "convolution": (lambda x: F.conv1d(x, FILTER, drawn(5, seed=6)), "biases"),
    "convolution by name": (lambda x: F.conv1d(x, weight=FILTER, bias=drawn(5, seed=6)), "biases"),
    "convolution without a bias": (lambda x: F.conv1d(x, FILTER), "biases"),
    "linear bias on scores": (lambda x: torch.baddbmm(drawn(2, 3, 3, seed=7), x, SQUARE, beta=2.0, alpha=0.5), "positions"),
    "bias on scores": (lambda x: torch.baddbmm(drawn(2, 3, 3, seed=7), x, SQUARE), "positions"),
    "dropout": (lambda x: F.dropout(x, 0.5, False), "biases"),
    "dropout by name": (lambda x: F.dropout(input=x, p=0.5, training=False), "biases"),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_functions_keep_value_and_derivative_and_book_their_constants(name: str) -> None:
    function, account = LINEAR[name]
    x = drawn(2, 3, 4).requires_grad_()
    found = propagate("attnlrp", function, [x], rows=2 if name != "addmm" else 1)
    plain = function(x)
    torch.testing.assert_close(found.output, plain.detach(), rtol=1e-14, atol=1e-14)
    (gradient,) = torch.autograd.grad(plain, x, found.start)
    torch.testing.assert_close(found.relevance[0], x.detach() * gradient, rtol=1e-12, atol=1e-12)
    constant = function(torch.zeros_like(x)).detach()
    booked = (constant * found.start).reshape(found.recorder.rows, -1).sum(1)
    torch.testing.assert_close(found.account(account), booked, rtol=1e-12, atol=1e-12)
    assert found.gap < 1e-13


REFUSED: dict[str, Callable[[Tensor], Tensor]] = {
    "a weighted sum": lambda x: torch.add(x, CONSTANT, alpha=2),
    "active weights": lambda x: F.linear(CONSTANT, x[0]),
    "active filters": lambda x: F.conv1d(drawn(1, 3, 6), x),
    "active filters by name": lambda x: F.conv1d(drawn(1, 3, 6), weight=x),
    "a weighted linear layer": lambda x: torch.addmm(BIAS, x.reshape(6, 4), WEIGHT, alpha=2),
    "dropout": lambda x: F.dropout(x, 0.5, True),
    "dropout by default": lambda x: F.dropout(x),
    "division by what is active": lambda x: CONSTANT / x,
    "rounded division": lambda x: torch.div(x, CONSTANT, rounding_mode="floor"),
    "a constant changed in place": lambda x: CONSTANT.clone().add_(x),
    "sine": torch.sin,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_rule_is_refused(name: str) -> None:
    with pytest.raises(PropagationError, match="acts on relevant values and has no rule"):
        propagate("attnlrp", REFUSED[name], [drawn(2, 3, 4)])


@pytest.fixture
def sine() -> Iterator[Callable[..., None]]:
    yield lambda *rule: register.register_function(torch.sin, *rule)
    register.forget(torch.sin)


def test_registered_functions_take_the_rule_that_was_given(sine: Callable[..., None]) -> None:
    x, start = drawn(2, 3, 4), drawn(2, 3, 4, seed=9)
    sine("linear")
    torch.testing.assert_close(propagate("attnlrp", torch.sin, [x], start=start).relevance[0], x * x.cos() * start)
    sine("identity")
    torch.testing.assert_close(propagate("attnlrp", torch.sin, [x], start=start).relevance[0], x.sin() * start)
    sine("identity", lambda given, result: result / given * 2)
    torch.testing.assert_close(propagate("attnlrp", torch.sin, [x], start=start).relevance[0], 2 * x.sin() * start)
    sine("constant")
    found = propagate("attnlrp", lambda given: given + torch.sin(given), [x], start=start)
    torch.testing.assert_close(found.relevance[0], x * start)
    torch.testing.assert_close(found.output, x + x.sin())


def test_of_a_scan_only_what_is_scanned_is_active() -> None:
    gate, values, step = (drawn(2, width).requires_grad_() for width in (4, 6, 3))
    assert [part.requires_grad for part in scan_parameters((gate, values, step))] == [True, True, False]
    assert [part.requires_grad for part in scan_parameters((values, gate, gate))] == [True, False, False]
    two = (gate, values)
    assert scan_parameters(two) is two


def test_active_is_what_came_from_a_source_also_in_lists() -> None:
    own, other = torch.ones(1, requires_grad=True), torch.ones(1)
    assert [is_active(value) for value in (own, other, [other, own], (other, [own]), [other], 3, "x", None)] == [
        True, False, True, True, False, False, False, False,
    ]  # fmt: skip


def test_what_only_asks_has_no_answer() -> None:
    for asking in (Tensor.size, Tensor.dim, Tensor.shape.__get__, Tensor.dtype.__get__, Tensor.is_floating_point):  # type: ignore[attr-defined]
        assert ANSWERS[asking] is None
