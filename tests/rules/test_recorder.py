"""What is booked: by text, by layer, by position and by distance; at constants, sources and components."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.rules.engine import drawn
from workbench.errors import PropagationError
from workbench.relevance import OUTSIDE
from workbench.rules.attention import book_scores
from workbench.rules.readings import Aggregation, Readings, by_distance
from workbench.rules.recorder import MASK_VALUE, Recorder, total, watch, wide, without_masks


def test_accounts_add_up_and_softmax_is_kept_by_layer() -> None:
    recorder = Recorder(2)
    recorder.add("biases", torch.tensor([1.0, 2.0]), layer=3)
    recorder.add("biases", torch.tensor([10.0, 20.0]), -0.5)
    recorder.add("softmax", torch.tensor([1.0, 1.0]), layer=0)
    recorder.add("softmax", torch.tensor([3.0, 4.0]), 2.0, layer=1)
    recorder.add("softmax", torch.tensor([0.5, 0.5]), layer=0)
    assert recorder.accounts["biases"].tolist() == [-4.0, -8.0]
    assert recorder.accounts["biases"].dtype == torch.float64
    assert recorder.accounts["softmax"].tolist() == [7.5, 9.5]
    assert total(recorder.softmax_layers) == {0: [1.5, 1.5], 1: [6.0, 8.0]}
    recorder.clear()
    assert recorder.accounts == {}
    assert recorder.softmax_layers == {}


def test_rows_of_a_text_stand_together() -> None:
    values = torch.arange(12.0).reshape(6, 2)
    assert Recorder(3).by_row(values).tolist() == [6.0, 22.0, 38.0]
    assert Recorder(1).by_row(torch.tensor(3.0)).tolist() == [3.0]
    for shape in ((), (5, 2)):
        with pytest.raises(PropagationError, match="one at a time"):
            Recorder(3).by_row(torch.zeros(shape))
        with pytest.raises(PropagationError, match="3 texts"):
            Recorder(3).check_rows(torch.zeros(shape))
        Recorder(1).check_rows(torch.zeros(shape))
    mixed = Recorder(3)
    mixed.mixed = True
    with pytest.raises(PropagationError, match="mixture of experts"):
        mixed.check_rows(torch.zeros(6))
    one = Recorder(1)
    one.mixed = True
    assert one.by_row(values).tolist() == [66.0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_products_are_summed_in_float32_at_least(dtype: torch.dtype) -> None:
    assert wide(torch.ones(1, dtype=dtype)).dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    many = torch.full((1, 4000), 1.0, dtype=dtype)
    assert Recorder(1).row_products(many, many).item() == 4000  # float16 and bfloat16 cannot count so far


def test_a_tap_books_value_times_gradient_and_passes_a_share() -> None:
    leaf = torch.tensor([[2.0, 3.0], [5.0, 7.0]], requires_grad=True)
    recorder = Recorder(2)
    recorder.layer = 4
    tapped = recorder.tap(leaf, "softmax", -2.0, share=0.25)
    recorder.layer = OUTSIDE
    assert torch.equal(tapped, leaf)
    (gradient,) = torch.autograd.grad(tapped, leaf, torch.tensor([[1.0, 10.0], [1.0, 1.0]]))
    assert gradient.tolist() == [[0.25, 2.5], [0.25, 0.25]]
    assert recorder.accounts["softmax"].tolist() == [-64.0, -24.0]
    assert list(recorder.softmax_layers) == [4]
    silent = recorder.tap(leaf, "biases", 0.0, share=0.5)
    torch.autograd.grad(silent.sum(), leaf)
    assert "biases" not in recorder.accounts
    plain = torch.ones(2)
    assert recorder.tap(plain, "biases") is plain
    with pytest.raises(PropagationError, match="3 texts"):
        Recorder(3).tap(leaf, "biases")
    assert torch.equal(Recorder(3).tap(leaf, "biases", 0.0, share=0.5), leaf)


def test_what_is_watched_may_be_changed_in_place_afterwards() -> None:
    leaf = torch.ones(3, requires_grad=True)
    watched = watch(leaf * 2, lambda gradient: gradient * 3, keep=False)
    watched += 1
    (gradient,) = torch.autograd.grad(watched.sum(), leaf)
    assert gradient.tolist() == [6.0, 6.0, 6.0]
    assert watched.tolist() == [3.0, 3.0, 3.0]


CONSTANTS: dict[str, tuple[object, list[float]]] = {
    "a vector": (torch.tensor([1.0, -2.0]), [-3.0, -3.0]),
    "a vector of one": (torch.tensor([3.0]), [9.0, 9.0]),
    "by text": (torch.tensor([[[1.0]], [[2.0]]]), [3.0, 6.0]),
    "everywhere": (torch.ones(2, 3, 2), [3.0, 3.0]),
    "with masks": (torch.tensor([[[1.0, torch.finfo(torch.float32).min]], [[2.0, -torch.inf]]]), [-3.0, -6.0]),
    "a number": (0.5, [1.5, 1.5]),
    "an integer": (2, [6.0, 6.0]),
    "a whole number": (torch.tensor([2, 0]), [-6.0, -6.0]),
    "a scalar": (torch.tensor(2.0), [6.0, 6.0]),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_booked_as_they_are_broadcast(name: str) -> None:
    constant, expected = CONSTANTS[name]
    leaf = torch.zeros(2, 3, 2, dtype=torch.float64, requires_grad=True)
    start = torch.tensor([-1.0, 2.0]).double().expand(2, 3, 2)  # by unit: 1 in sum over both
    if name == "with masks":
        start = torch.tensor([-1.0, 0.0]).double().expand(2, 3, 2)  # nothing flows through a mask
    recorder = Recorder(2)
    value = leaf + constant
    assert recorder.constant(value, constant) is value  # type: ignore[arg-type]
    torch.autograd.grad(value, leaf, start)
    if name == "a vector":
        expected = [3 * (-1.0 - 4.0)] * 2
    assert recorder.accounts["biases"].tolist() == expected
    weighted = Recorder(2)
    value = leaf - constant
    weighted.constant(value, constant, "nonlinear", -1.0)  # type: ignore[arg-type]
    torch.autograd.grad(value, leaf, start)
    assert weighted.accounts["nonlinear"].tolist() == [-number for number in expected]


def test_nothing_is_booked_for_zero_or_for_what_is_not_active() -> None:
    recorder, leaf = Recorder(1), torch.ones(1, 2, requires_grad=True)
    for constant in (0, 0.0):
        value = leaf + constant
        assert recorder.constant(value, constant) is value
        torch.autograd.grad(value.sum(), leaf)
    plain = torch.ones(1, 2)
    assert recorder.constant(plain, 3.0) is plain
    assert recorder.accounts == {}


def test_a_number_keeps_its_precision() -> None:
    leaf = torch.ones(1, 2, dtype=torch.float64, requires_grad=True)
    recorder = Recorder(1)
    torch.autograd.grad(recorder.constant(leaf + 0.1, 0.1).sum(), leaf)
    assert recorder.accounts["biases"].item() == 0.2


def test_constants_inside_a_mixture_of_one_text() -> None:
    recorder, leaf = Recorder(1), torch.zeros(5, 2, requires_grad=True)
    recorder.mixed = True
    torch.autograd.grad(recorder.constant(leaf + torch.ones(2), torch.ones(2)).sum(), leaf)
    assert recorder.accounts["biases"].item() == 10


def test_masks_take_no_part() -> None:
    low = torch.finfo(torch.float32).min
    values = torch.tensor([1.0, -1.0, 0.0, low, -low, -torch.inf, torch.inf, MASK_VALUE / 2, -MASK_VALUE / 2])
    assert without_masks(values).tolist() == [1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, values[-2].item(), values[-1].item()]
    half = torch.tensor([1.5, torch.finfo(torch.float16).min, -200.0], dtype=torch.float16)
    assert without_masks(half).tolist() == [1.5, 0.0, -200.0]


@pytest.mark.parametrize("kind", ["tokens", "token_types", "positions"])
def test_a_source_is_a_leaf_that_is_read_by_token(kind: str) -> None:
    recorder = Recorder(2, position_layers=True)
    value = drawn(2, 3, 4).requires_grad_(True)
    leaf = recorder.source(value, kind)
    again = recorder.source(value * 2, kind)
    assert len(recorder.leaves) == 2
    assert torch.equal(leaf, value)
    start = drawn(2, 3, 4, seed=1)
    torch.autograd.grad([leaf, again], recorder.leaves, [start, start])
    by_token = 3 * (value.detach() * start).sum(-1)
    torch.testing.assert_close(recorder.accounts[kind], by_token.sum(1))
    torch.testing.assert_close(recorder.readings.by_token[kind], by_token)
    if kind == "tokens":
        torch.testing.assert_close(recorder.readings.by_token["sensitivity"], 2 * start.square().sum(-1))
    else:
        assert "sensitivity" not in recorder.readings.by_token
    assert set(recorder.readings.by_layer) == ({("absolute", OUTSIDE, False)} if kind == "positions" else set())


@pytest.mark.parametrize("aggregation", ["signed", "positive", "absolute"])
def test_positions_of_a_source_are_aggregated_as_asked(aggregation: Aggregation) -> None:
    recorder = Recorder(2, aggregation=aggregation)
    value, start = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
    recorder.source(value, "tokens")
    torch.autograd.grad([recorder.source(value, "positions")], recorder.leaves, [start], allow_unused=True)
    parts = value * start
    expected = {"signed": parts.sum(-1), "positive": parts.clamp(min=0).sum(-1), "absolute": parts.sum(-1).abs()}
    torch.testing.assert_close(recorder.readings.by_token["positions"], expected[aggregation])
    torch.testing.assert_close(recorder.accounts["positions"], parts.sum((1, 2)))
    scores = drawn(2, 3, 2, 2)
    layered = Recorder(2, position_layers=True, aggregation=aggregation)
    book_scores(layered, scores, 0, False)
    by_pair = {"signed": scores.sum(1), "positive": scores.clamp(min=0).sum(1), "absolute": scores.sum(1).abs()}[aggregation]
    torch.testing.assert_close(layered.readings.by_token["positions"], by_pair.sum(2))
    torch.testing.assert_close(layered.readings.by_layer["relative", 0, False], by_distance(by_pair))
    torch.testing.assert_close(layered.accounts["positions"], scores.sum((1, 2, 3)))


def test_a_source_of_another_shape_is_booked_without_a_reading_and_replays_add_no_leaf() -> None:
    recorder = Recorder(2)
    leaf = recorder.source(drawn(2, 3, 2, 4), "token_types")
    torch.autograd.grad(leaf.sum(), recorder.leaves)
    assert recorder.readings.by_token == {}
    torch.testing.assert_close(recorder.accounts["token_types"], leaf.detach().sum((1, 2, 3)))
    recorder.replaying = True
    recorder.source(drawn(2, 3, 4), "tokens")
    assert len(recorder.leaves) == 1


def test_positions_of_a_decoder_are_kept_apart() -> None:
    readings = Readings(layers=True)
    values = torch.tensor([[1.0, 2.0]])
    readings.position("absolute", OUTSIDE, values, False)
    readings.position("rotary", 0, values, False)
    readings.position("rotary", 0, 2 * values, False)
    readings.position("rotary", 1, values, True)
    readings.position("relative", 1, values, False)
    assert readings.by_token["positions"].tolist() == [[5.0, 10.0]]
    assert readings.by_token["decoder_positions"].tolist() == [[1.0, 2.0]]
    layers = {key: value.tolist() for key, value in readings.by_layer.items()}
    assert layers == {("absolute", OUTSIDE, False): [[1.0, 2.0]], ("rotary", 0, False): [[3.0, 6.0]], ("rotary", 1, True): [[1.0, 2.0]]}
    without = Readings(layers=False)
    without.position("rotary", 0, values, False)
    assert without.by_layer == {}
    assert without.by_token["positions"].tolist() == [[1.0, 2.0]]


def test_distances_are_sums_along_diagonals() -> None:
    """Key minus query: the first index is the first key seen from the last query."""
    values = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    assert by_distance(values).tolist() == [[4.0, 6.0, 8.0, 3.0]]
    readings = Readings(layers=True)
    square = torch.arange(9.0).reshape(1, 3, 3)
    readings.distances(2, square, False)
    readings.distances(2, square, True)
    assert readings.by_token["positions"].tolist() == readings.by_token["decoder_positions"].tolist() == [[3.0, 12.0, 21.0]]
    assert {key: value.tolist() for key, value in readings.by_layer.items()} == {
        ("relative", 2, False): [[6.0, 10.0, 12.0, 6.0, 2.0]], ("relative", 2, True): [[6.0, 10.0, 12.0, 6.0, 2.0]],
    }  # fmt: skip
    cross = Readings(layers=False)
    cross.distances(0, values, True)  # a decoder that looks at the encoder: no positions of its own
    assert cross.by_token == {}
    cross.distances(0, values, False)
    cross.distances(1, values, False)  # layers add up
    assert cross.by_token["positions"].tolist() == [[12.0, 30.0]]
    assert cross.by_layer == {}


def component(recorder: Recorder, kind: str, layer: int, value: Tensor) -> Tensor:
    recorder.layer = layer
    return recorder.component(kind, value)


def test_components_keep_activation_and_gradient() -> None:
    recorder = Recorder(2, {"mlp"})
    leaf = drawn(2, 3, 4).requires_grad_(True)
    doubled = leaf * 2
    assert component(recorder, "heads", 0, doubled) is doubled  # not watched
    assert component(recorder, "mlp", OUTSIDE, doubled) is doubled
    assert component(recorder, "mlp", 0, torch.ones(2, 3, 4)).requires_grad is False
    recorder.mixed = True
    assert component(recorder, "mlp", 0, doubled) is doubled
    recorder.mixed = False
    first, second = component(recorder, "mlp", 0, doubled), component(recorder, "mlp", 1, doubled)
    flat = component(recorder, "mlp", 2, doubled.reshape(6, 4))  # texts and tokens in one axis
    assert flat.shape == (6, 4)
    assert recorder.activations["mlp", 2].shape == (2, 3, 4)
    torch.autograd.grad((first * 3).sum() + (second * 5).sum() + (flat * 7).sum(), leaf)
    assert {place: gradient.unique().tolist() for place, gradient in recorder.gradients.items()} == {
        ("mlp", 0): [3.0], ("mlp", 1): [5.0], ("mlp", 2): [7.0],
    }  # fmt: skip
    assert torch.equal(recorder.activations["mlp", 0], doubled)
    recorder.replaying = True
    component(recorder, "mlp", 9, doubled)
    assert ("mlp", 9) not in recorder.activations


def test_a_component_used_twice_adds_its_gradients_up() -> None:
    recorder, leaf = Recorder(1, {"mlp"}), torch.ones(1, 2, 2, requires_grad=True)
    once, twice = component(recorder, "mlp", 0, leaf * 1), component(recorder, "mlp", 0, leaf * 1)
    torch.autograd.grad((once * 3).sum() + (twice * 4).sum(), leaf)
    assert recorder.gradients["mlp", 0].unique().tolist() == [7.0]


def test_layers_are_counted_in_the_order_of_the_pass() -> None:
    recorder = Recorder(1)
    assert [recorder.next_layer() for _ in range(3)] == [0, 1, 2]
    assert nn.Identity()(recorder.layer) == OUTSIDE
