"""The metrics against paper, and against a slow implementation that shares no line with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.evaluation.perturbation import (
    METRICS,
    comprehensiveness,
    measure,
    morf_lerf_area,
    ranking,
    rationale_sizes,
    remainders_needed,
    removal_curve,
    sufficiency,
)
from workbench.evaluation.removal import Kept


def linear(weights: Sequence[float]):
    """f = 0.5 + sum of the weights of the kept words."""
    return lambda kept: 0.5 + sum(weight for word, weight in enumerate(weights) if kept >> word & 1)


def test_four_words_on_paper() -> None:
    """Weights .2, .1, 0, -.1: f(all) = .7. Bins of 4 words: 1, 1, 1, 1, 2 words.

    comprehensiveness: without the best .2 lost four times, without the best two .3 once: (4 * .2 + .3) / 5 = .22;
    sufficiency: best alone .7, best two .8: mean f = (4 * .7 + .8) / 5 = .72, .7 - .72 = -.02;
    MoRF: .7 .5 .4 .4 .5, area (.6 + .45 + .4 + .45) / 4 = .475; LeRF: .7 .8 .8 .7 .5, area (.75 + .8 + .75 + .6) / 4 = .725.
    """
    weights = [0.2, 0.1, 0.0, -0.1]
    order = ranking(np.array(weights), "signed")
    assert order == (0, 1, 2, 3)
    found = measure(order, linear(weights))
    assert found["comprehensiveness"] == pytest.approx(0.22)
    assert found["sufficiency"] == pytest.approx(-0.02)
    assert found["morf_lerf_area"] == pytest.approx(0.725 - 0.475)
    np.testing.assert_allclose(removal_curve(order, linear(weights))[1], [0.7, 0.5, 0.4, 0.4, 0.5])


def test_absolute_order_takes_the_strong_against_first() -> None:
    assert ranking(np.array([0.1, -0.5, 0.2]), "absolute") == (1, 2, 0)
    assert ranking(np.array([0.1, -0.5, 0.2]), "signed") == (2, 0, 1)


@pytest.mark.parametrize(
    ("words", "sizes"),
    [(1, [1, 1, 1, 1, 1]), (11, [1, 1, 2, 3, 6]), (20, [1, 1, 2, 4, 10]), (30, [1, 2, 3, 6, 15]), (100, [1, 5, 10, 20, 50])],
)
def test_bins_round_up_and_take_a_word(words: int, sizes: list[int]) -> None:
    assert rationale_sizes(words) == sizes


@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 1)), min_size=1, max_size=30))
def test_equal_scores_keep_the_order_of_the_text(scores: list[float]) -> None:
    order = ranking(np.array(scores), "signed")
    assert list(order) == sorted(range(len(scores)), key=lambda word: (-scores[word], word))


def test_constant_scores_are_the_order_of_the_text() -> None:
    assert ranking(np.zeros(5), "absolute") == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_relevance_that_is_not_finite_is_an_error(bad: float) -> None:
    with pytest.raises(InputError, match="not finite"):
        ranking(np.array([0.1, bad]), "signed")


def test_a_text_without_words_is_an_error() -> None:
    with pytest.raises(InputError, match="without words"):
        measure((), lambda kept: 0.0)


def random_function(seed: int, words: int):
    """Any function of the kept words: one number for each of the subsets."""
    table = np.random.default_rng(seed).uniform(0, 1, 1 << words)
    return lambda kept: float(table[kept])


def bits(kept: set[int]) -> Kept:
    return sum(1 << word for word in kept)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.permutations(range(n)), st.integers(0, 1000))))
def test_metrics_equal_a_slow_implementation(case: tuple[list[int], int]) -> None:
    order, seed = case
    value, n = random_function(seed, len(order)), len(order)
    everything = set(range(n))
    gone, alone = [], []
    for percent in ("0.01", "0.05", "0.1", "0.2", "0.5"):
        from fractions import Fraction

        size = max(1, math.ceil(Fraction(percent) * n))
        gone.append(value(bits(everything)) - value(bits(everything - set(order[:size]))))
        alone.append(value(bits(everything)) - value(bits(set(order[:size]))))
    assert comprehensiveness(order, value) == pytest.approx(sum(gone) / 5)
    assert sufficiency(order, value) == pytest.approx(sum(alone) / 5)

    def area(removal: list[int]) -> float:
        left, total, previous = set(everything), 0.0, value(bits(everything))
        for word in removal:  # every word a point: what `steps` >= words gives
            left = left - {word}
            total += (previous + value(bits(left))) / 2 / n
            previous = value(bits(left))
        return total

    assert morf_lerf_area(order, value, steps=12 * n) == pytest.approx(area(order[::-1]) - area(order))


@given(st.permutations(range(9)), st.integers(0, 100))
def test_reading_a_ranking_backwards_turns_the_area(order: list[int], seed: int) -> None:
    value = random_function(seed, 9)
    assert morf_lerf_area(order, value) == pytest.approx(-morf_lerf_area(order[::-1], value))


def test_random_order_has_no_area_on_average() -> None:
    """Mean over all orders is 0 by the symmetry above; 2000 orders of a fixed function stay near (standard error about .006)."""
    value, random = random_function(7, 8), np.random.default_rng(0)
    areas = [morf_lerf_area(tuple(random.permutation(8).tolist()), value) for _ in range(2000)]
    assert abs(np.mean(areas)) < 4 * np.std(areas) / math.sqrt(2000)


@given(st.integers(1, 60).flatmap(lambda n: st.permutations(range(n))), st.integers(1, 15))
def test_all_remainders_are_known_beforehand(order: list[int], steps: int) -> None:
    needed = remainders_needed(order, steps)
    found = measure(order, dict.fromkeys(needed, 0.25).__getitem__, steps)
    assert found == pytest.approx(dict.fromkeys(METRICS, 0.0))
    assert len(needed) <= 2 * 5 + 2 * steps + 1


@given(st.integers(1, 80), st.integers(1, 12))
def test_curves_start_full_end_empty_and_stay_short(words: int, steps: int) -> None:
    shares, values = removal_curve(tuple(range(words)), lambda kept: kept.bit_count() / words, steps)
    assert (shares[0], shares[-1], values[0], values[-1]) == (0, 1, 1, 0)
    assert len(shares) <= steps + 1
    np.testing.assert_allclose(values, 1 - shares)
