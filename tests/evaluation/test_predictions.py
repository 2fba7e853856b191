from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.models_by_hand import BagOfWords, counting, plain_text, small_bert
from workbench.errors import ModelError
from workbench.evaluation.predictions import Memo, Remainders, batches_of_one_length
from workbench.evaluation.subject import predictor

WEIGHTS = np.array([0.0, 0.0, 0.0, 0.0, 1.0, -2.0, 0.5])


def test_no_sequence_is_computed_twice() -> None:
    calls: list[int] = []
    memo = Memo(counting(calls, WEIGHTS))
    first = memo([(1, 4, 2), (1, 5, 2), (1, 4, 2), (1, 4, 5, 2)])
    again = memo([(1, 4, 5, 2), (1, 5, 2)])
    assert sum(calls) == memo.computed == 3
    np.testing.assert_array_equal(first[[3, 1]], again)
    np.testing.assert_array_equal(first[0], first[2])


def test_forgotten_sequences_are_computed_again() -> None:
    calls: list[int] = []
    memo = Memo(counting(calls, WEIGHTS))
    memo([(1, 2)])
    memo.forget()
    memo([(1, 2)])
    assert calls == [1, 1]


def test_predictions_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(ModelError, match="not all finite"):
        Memo(lambda sequences: np.full((len(sequences), 2), np.nan))([(1, 2)])


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(1, 50))
def test_batches_hold_one_length_and_every_position_once(lengths: list[int], budget: int) -> None:
    batches = list(batches_of_one_length(lengths, budget))
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len({lengths[position] for position in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= budget


def test_an_ensemble_is_the_mean_of_its_members() -> None:
    members = [Memo(counting([], WEIGHTS)), Memo(counting([], -3 * WEIGHTS))]
    text = plain_text([4, 5, 6], members=2)
    for kept, total in ((0b111, -0.5), (0b001, 1.0), (0b000, 0.0)):
        expected = (1 / (1 + np.exp(-total)) + 1 / (1 + np.exp(3 * total))) / 2
        assert Remainders(members).rows([(text, kept)])[0, 1] == pytest.approx(expected)


def test_replacing_is_not_deleting() -> None:
    weights = np.array([0, 0, 0, 5.0, 1.0, -2.0])
    text = plain_text([4, 5])
    deleted = Remainders([Memo(counting([], weights))]).rows([(text, 0b01)])[0, 1]
    replaced = Remainders([Memo(counting([], weights))], [3]).rows([(text, 0b01)])[0, 1]
    assert (deleted, replaced) == (pytest.approx(1 / (1 + np.exp(-1))), pytest.approx(1 / (1 + np.exp(-6))))


def test_the_predictor_is_the_model_alone() -> None:
    model, ids = small_bert(), (1, 7, 9, 2)
    expected = model(torch.tensor([ids])).logits.double()
    np.testing.assert_allclose(predictor(model)([ids, ids]), expected.softmax(-1).expand(2, 3), atol=1e-6)
    np.testing.assert_allclose(predictor(model, probabilities=False)([ids]), expected, atol=1e-5)
    assert predictor(BagOfWords([0, 0, 0, 0.5]))([(1, 3, 3)])[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
