"""What a bias on scores takes, from two fused passes: the same as from attention written out, and as by blocks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.rules import tilted as module
from workbench.rules.biased import Biased
from workbench.rules.tilted import Tilted, fits, missing, tilted

TEXTS, HEADS, QUERIES, KEYS, SIZE = 2, 3, 5, 7, 4
HIDDEN = torch.finfo(torch.float32).min


def drawn(seed: int, spread: float, dtype: torch.dtype, *, hidden: bool, broadcast: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Query, key, value, mask and a gradient; the mask has a bias of this spread, and where asked for hides some keys."""
    torch.manual_seed(seed)
    query, gradient = (torch.randn(TEXTS, HEADS, QUERIES, SIZE, dtype=dtype) for _ in range(2))
    key, value = (torch.randn(TEXTS, HEADS, KEYS, SIZE, dtype=dtype) for _ in range(2))
    mask = torch.randn(1 if broadcast else TEXTS, HEADS, QUERIES, KEYS, dtype=dtype) * spread
    if hidden:
        mask[..., -2:] = HIDDEN
        mask[..., 0, 3:] = HIDDEN
    return query.requires_grad_(), key.requires_grad_(), value.requires_grad_(), mask, gradient


def written_out(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float, gradient: Tensor) -> tuple[Tensor, ...]:
    """Value, what the bias takes by text and query, and the derivatives, by torch from the formula."""
    bias = mask.expand(TEXTS, HEADS, QUERIES, KEYS).clone().requires_grad_()
    output = torch.softmax(query @ key.mT * scale + bias, -1) @ value
    *found, of_bias = torch.autograd.grad(output, (query, key, value, bias), gradient)
    taken = torch.where(bias < HIDDEN / 2, 0.0, bias).detach() * of_bias
    return output.detach(), taken.sum((1, 3)), *found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 1.0, 10.0, 40.0]), st.booleans(), st.booleans(), st.sampled_from([0.5, 1.0]))
def test_value_share_and_derivatives_are_those_of_attention_written_out(
    seed: int, spread: float, hidden: bool, broadcast: bool, scale: float
) -> None:
    for dtype, close in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        *given_, gradient = drawn(seed, spread, dtype, hidden=hidden, broadcast=broadcast)
        seen: list[Tensor] = []
        output = Tilted.apply(*given_, tilted(given_[3]), scale, seen.append)  # type: ignore[no-untyped-call]
        found = (output.detach(), *torch.autograd.grad(output, given_[:3], gradient))
        expected = written_out(*given_, scale, gradient)
        size = float(given_[3][given_[3] > HIDDEN / 2].abs().max()) + 1
        # scores of that size are rounded twice, on their own and tilted, and the tilt is as large: float32 shows it from a size of 14 on
        rounded = 6 * torch.finfo(dtype).eps * size**2
        torch.testing.assert_close(seen[0], expected[1], rtol=close, atol=max(close * size, rounded))
        for own, other in zip(found, (expected[0], *expected[2:]), strict=True):
            torch.testing.assert_close(own, other, rtol=close, atol=close * 10)


def test_both_ways_say_the_same() -> None:
    *given_, gradient = drawn(0, 2.0, torch.float64, hidden=True, broadcast=True)
    shares: list[Tensor] = []
    first = Tilted.apply(*given_, tilted(given_[3]), 0.5, shares.append)  # type: ignore[no-untyped-call]
    torch.autograd.grad(first, given_[:3], gradient)
    attend = torch.nn.functional.scaled_dot_product_attention
    second = Biased.apply(*given_, attend, 0.5, False, False, lambda total, _: shares.append(total))  # type: ignore[no-untyped-call]
    torch.autograd.grad(second, given_[:3], gradient)
    torch.testing.assert_close(shares[0], shares[1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.parametrize(("change", "fit"), [(None, True), ("bfloat16", False), ("narrow values", False), ("a mask of two axes", False)])
def test_what_the_kernel_takes(change: str | None, fit: bool) -> None:
    query, key, value, mask, _ = drawn(0, 1.0, torch.float32, hidden=False, broadcast=True)
    if change == "bfloat16":
        query, key, value, mask = (x.bfloat16() for x in (query, key, value, mask))
    elif change == "narrow values":
        value = value[..., :2]
    elif change == "a mask of two axes":
        mask = mask[0, 0]
    assert fits(query, key, value, mask) is fit


@pytest.mark.parametrize("kernel", ["FORWARD", "BACKWARD"])
def test_without_the_kernel_nothing_fits(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, kernel, missing)
    assert not fits(*drawn(0, 1.0, torch.float32, hidden=False, broadcast=True)[:4])
