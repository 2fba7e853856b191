"""Products: halves, gates that are constants, rotary positions (PA-LRP), in relevance form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.rules import papers
from tests.rules.engine import drawn, propagate
from workbench.errors import PropagationError
from workbench.rules.marks import POSITION, hand_on, is_marked, mark, marks
from workbench.rules.product import token_axis

LEFT, RIGHT = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
HALF = ("attnlrp", "epsilon", "gamma", "cplrp", "bilrp", "mambalrp", "relp", "alpha_beta", "palrp")


@pytest.mark.parametrize("name", HALF)
@pytest.mark.parametrize("function", [torch.mul, lambda a, b: a * b, Tensor.multiply], ids=["mul", "operator", "multiply"])
def test_each_factor_gets_half(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> None:
    found = propagate(name, function, [LEFT, RIGHT], rows=2)
    for part in found.relevance:
        torch.testing.assert_close(part, found.output * found.start / 2)
    assert found.recorder.accounts.keys() <= {"nonlinear", "epsilon"}
    assert found.gap < 1e-12


@pytest.mark.parametrize(
    "function",
    [torch.matmul, torch.bmm, lambda a, b: a @ b, lambda a, b: torch.einsum("bij,bjk->bik", a, b)],
    ids=["matmul", "bmm", "operator", "einsum"],
)
def test_a_matrix_product_equals_the_paper(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    right = RIGHT.mT.contiguous()
    found = propagate("attnlrp", function, [LEFT, right], rows=2)
    for text in range(2):
        of_left, of_right = papers.matrix_product(LEFT[text], right[text], (found.output * found.start)[text])
        torch.testing.assert_close(found.relevance[0][text], of_left)
        torch.testing.assert_close(found.relevance[1][text], of_right)


def test_operands_by_name_or_in_a_list_are_operands_too() -> None:
    right = RIGHT.mT.contiguous()
    ways: dict[Callable[[Tensor, Tensor], Tensor], tuple[Callable[[Tensor, Tensor], Tensor], Tensor]] = {
        lambda a, b: torch.mul(a, other=b): (torch.mul, RIGHT),
        lambda a, b: torch.mul(input=a, other=b): (torch.mul, RIGHT),
        lambda a, b: torch.matmul(other=b, input=a): (torch.matmul, right),
        lambda a, b: torch.bmm(a, mat2=b): (torch.bmm, right),
        lambda a, b: torch.einsum("bij,bjk->bik", [a, b]): (torch.matmul, right),
    }
    for way, (plain, other) in ways.items():
        found, known = (propagate("attnlrp", function, [LEFT, other], rows=2) for function in (way, plain))
        torch.testing.assert_close(found.output, known.output)
        for part, expected in zip(found.relevance, known.relevance, strict=True):
            torch.testing.assert_close(part, expected)
    divided = propagate("attnlrp", lambda a: torch.div(a, other=2.0) + a.div(other=RIGHT) - torch.true_divide(a, RIGHT), [LEFT], rows=2)
    torch.testing.assert_close(divided.relevance[0], divided.output * divided.start)


def test_a_division_that_rounds_is_refused() -> None:
    with pytest.raises(PropagationError, match="div"):
        propagate("attnlrp", lambda a: torch.div(a, 2.0, rounding_mode="floor"), [LEFT], rows=2)


def test_three_factors_get_a_third_each_and_constants_nothing() -> None:
    third = drawn(2, 3, 4, seed=2)
    found = propagate("attnlrp", lambda a, b, c: torch.einsum("bij,bij,bij->bij", a, b, c), [LEFT, RIGHT, third], rows=2)
    for part in found.relevance:
        torch.testing.assert_close(part, found.output * found.start / 3)
    single = propagate("attnlrp", lambda a: a * third * 2.0, [LEFT], rows=2)
    torch.testing.assert_close(single.relevance[0], single.output * single.start)
    assert single.gap < 1e-12


def test_a_number_squared_by_itself_keeps_all_of_it() -> None:
    found = propagate("attnlrp", lambda a: a * a, [LEFT], rows=2)
    torch.testing.assert_close(found.relevance[0], found.output * found.start)


def test_a_gate_takes_nothing_where_the_signal_takes_all() -> None:
    """LRP-0 of Arras et al. 2017: act(a) b gives everything to b, whichever side the gate stands on, also as a slice or a product of it."""
    gates: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "left": lambda a, b: F.silu(a) * b,
        "right": lambda a, b: b * F.silu(a),
        "reshaped": lambda a, b: F.silu(a).reshape(2, 12) * b.reshape(2, 12),
        "scaled": lambda a, b: (torch.tanh(a) * 3.0) * b,
    }
    for gate in gates.values():
        found = propagate("lrp0", gate, [LEFT, RIGHT], rows=2)
        assert found.relevance[0].abs().max() == 0
        torch.testing.assert_close(found.relevance[1].reshape(2, 12), (found.output * found.start).reshape(2, 12))
        halved = propagate("attnlrp", gate, [LEFT, RIGHT], rows=2)
        for part in halved.relevance:
            torch.testing.assert_close(part.reshape(2, 12), (halved.output * halved.start).reshape(2, 12) / 2)


def test_two_gates_and_no_gate_share_evenly() -> None:
    for function in (lambda a, b: F.silu(a) * torch.tanh(b), lambda a, b: a * b):
        found = propagate("lrp0", function, [LEFT, RIGHT], rows=2)
        for part in found.relevance:
            torch.testing.assert_close(part, found.output * found.start / 2)


def test_the_plain_gradient_counts_a_product_twice() -> None:
    found = propagate("gradient_x_input", torch.mul, [LEFT, RIGHT], rows=2)
    whole = (found.output * found.start).sum((1, 2))
    for part in found.relevance:
        torch.testing.assert_close(part, found.output * found.start)
    torch.testing.assert_close(found.account("nonlinear"), -whole)
    three = propagate("gradient_x_input", lambda a, b, c: torch.einsum("bij,bij,bij->bij", a, b, c), [LEFT, RIGHT, LEFT], rows=2)
    torch.testing.assert_close(three.account("nonlinear"), -2 * (three.output * three.start).sum((1, 2)))


def test_matrix_products_under_relp_are_attention_and_keep_their_derivative() -> None:
    right = RIGHT.mT.contiguous()
    found = propagate("relp", torch.matmul, [LEFT, right], rows=2)
    torch.testing.assert_close(found.relevance[0], LEFT * (found.start @ right.mT))
    torch.testing.assert_close(found.relevance[1], right * (LEFT.mT @ found.start))
    torch.testing.assert_close(found.account("nonlinear"), -(found.output * found.start).sum((1, 2)))


# ---------------------------------------------------------------------------------------------------------------- rotary positions


class RotaryEmbedding(nn.Module):
    """Cosines and sines by token, as decoders have them (text token width)."""

    def forward(self, length: int, width: int) -> tuple[Tensor, Tensor]:
        angles = torch.arange(length)[:, None] / 10.0 ** torch.arange(width // 2, dtype=torch.float64)
        angles = torch.cat([angles, angles], -1)[None]
        return angles.cos(), angles.sin()


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The rotation as Llama writes it: `x (text head token width)`."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos.unsqueeze(1) + turned * sin.unsqueeze(1)


def slow_rotation(x: Tensor, cos: Tensor, sin: Tensor, relevance: Tensor, kept: float) -> Tensor:
    """The relevance of `x (width)` of one token: epsilon rule (to zero) on the two terms, of which the query keeps `kept`."""
    width, expected = len(x), torch.zeros_like(x)
    for d in range(width):
        other, sign = (d + width // 2, -1.0) if d < width // 2 else (d - width // 2, 1.0)
        first, second = papers.zero([float(x[d] * cos[d]), float(sign * x[other] * sin[d])])
        expected[d] += kept * first * relevance[d]
        expected[other] += kept * second * relevance[d]
    return expected


@pytest.mark.parametrize(("name", "kept"), [("palrp", 0.5), ("attnlrp", 1.0), ("gradient_x_input", 1.0)])
def test_a_rotation_gives_half_to_its_positions_under_palrp(name: str, kept: float) -> None:
    x, module = drawn(2, 3, 5, 4), RotaryEmbedding()
    found = propagate(name, lambda x: rotated(x, *module(5, 4)), [x], rows=2, module=module, position_layers=True)
    cos, sin = module(5, 4)
    relevance, of_positions = found.output * found.start, torch.zeros(2, 5, dtype=torch.float64)
    for text, head, token in ((text, head, token) for text in range(2) for head in range(3) for token in range(5)):
        expected = slow_rotation(x[text, head, token], cos[0, token], sin[0, token], relevance[text, head, token], kept)
        torch.testing.assert_close(found.relevance[0][text, head, token], expected, rtol=1e-9, atol=1e-11)
        of_positions[text, token] += (1 - kept) * relevance[text, head, token].sum()
    torch.testing.assert_close(found.account("positions"), of_positions.sum(1))
    assert found.gap < 1e-12
    if kept < 1:
        torch.testing.assert_close(found.recorder.readings.by_token["positions"], of_positions)
        ((place, by_layer),) = found.recorder.readings.by_layer.items()
        assert place == ("rotary", -1, False)
        torch.testing.assert_close(by_layer, of_positions)
    else:
        assert "positions" not in found.recorder.readings.by_token


def test_one_token_and_tokens_behind_another_axis_are_read_by_token() -> None:
    module = RotaryEmbedding()
    alone = propagate("palrp", lambda x: rotated(x, *module(1, 4)), [drawn(2, 3, 1, 4)], rows=2, module=module)
    assert alone.recorder.readings.by_token["positions"].shape == (2, 1)
    torch.testing.assert_close(alone.recorder.readings.by_token["positions"][:, 0], alone.account("positions"))

    def behind(x: Tensor) -> Tensor:  # (text token head width)
        cos, _ = module(5, 4)
        return x * cos[:, :, None]

    found = propagate("palrp", behind, [drawn(2, 5, 3, 4)], rows=2, module=module)
    torch.testing.assert_close(found.recorder.readings.by_token["positions"], (found.output * found.start / 2).sum((2, 3)))


def test_a_product_with_a_table_of_distances_gives_half_to_the_query() -> None:
    """DeBERTa's scores of content and position: `content (text token width) @ positions (text width distance)`."""
    positions = drawn(2, 4, 6, seed=5)

    def scores(x: Tensor) -> Tensor:
        return torch.bmm(x, mark(positions.clone(), POSITION))

    found = propagate("palrp", scores, [drawn(2, 3, 4)], rows=2, position_layers=True)
    half = (found.output * found.start / 2).sum(2)
    torch.testing.assert_close(found.recorder.readings.by_token["positions"], half)
    torch.testing.assert_close(found.account("positions"), half.sum(1))
    assert found.recorder.readings.by_layer == {}  # relative positions are read by distance, which a bucket does not tell
    assert found.gap < 1e-12


@pytest.mark.parametrize(
    ("value", "factor", "axis"),
    [
        ((2, 3, 5, 4), (1, 1, 5, 4), 2),
        ((2, 5, 3, 4), (1, 5, 1, 4), 1),
        ((2, 5, 4), (1, 5, 4), 1),
        ((2, 2, 4), (1, 2, 4), 1),
        ((2, 3, 1, 4), (1, 1, 1, 4), 2),
        ((2, 1, 3, 4), (1, 1, 1, 4), 1),
        ((2, 3, 3, 4), (1, 3, 3, 4), None),
        ((2, 3, 4), (1, 1, 4), None),
        ((2, 5, 3, 4), (5, 1, 4), None),
        ((5, 4), (5, 4), None),
        ((3, 3, 5, 4), (3, 1, 5, 4), 2),
    ],
)
def test_the_axis_of_tokens_is_where_the_factor_is_as_long(value: tuple[int, ...], factor: tuple[int, ...], axis: int | None) -> None:
    assert token_axis(torch.zeros(value), torch.zeros(factor)) == axis


@pytest.mark.parametrize("aggregation", ["signed", "positive", "absolute"])
def test_rotary_positions_are_aggregated_as_asked(aggregation: str) -> None:
    """Positive: the sum of positive parts of units (PA-LRP, eq. 11); absolute: the size of the sum. The account conserves."""
    module = RotaryEmbedding()

    def once(x: Tensor) -> Tensor:
        return x * module(5, 4)[0][:, None]

    found = propagate("palrp", once, [drawn(2, 3, 5, 4)], rows=2, module=module, aggregation=aggregation)
    parts = found.output * found.start / 2
    expected = {"signed": parts.sum((1, 3)), "positive": parts.clamp(min=0).sum((1, 3)), "absolute": parts.sum((1, 3)).abs()}
    torch.testing.assert_close(found.recorder.readings.by_token["positions"], expected[aggregation])
    torch.testing.assert_close(found.account("positions"), parts.sum((1, 2, 3)))


def test_marks_are_handed_on_by_name() -> None:
    left, right, plain = mark(torch.ones(2), "a", "b"), mark(torch.ones(2), "b", "c"), torch.ones(2)
    assert marks([left, right, plain]) == {"a", "b", "c"}
    assert marks("no tensor") == frozenset()
    assert marks(hand_on([left, right], torch.ones(2), frozenset({"a", "c"}))) == {"a", "c"}
    assert hand_on([plain], plain, frozenset({"a"})) is plain
    assert not is_marked(plain, "a")
    assert all(is_marked(part, "d") for part in mark((torch.ones(1), [torch.ones(1)][0]), "d"))
    assert mark("text", "d") == "text"
