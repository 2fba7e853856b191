"""The encoder that counts nouns: its truth by hand, and a tiny one that learns in seconds what BiLRP then says of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.errors import InputError
from workbench.evaluation import similarity_nouns_run
from workbench.evaluation.similarity_nouns import NounSettings, Tagged, encoding_of, products, shared, train, truth, usable, vocabulary
from workbench.evaluation.similarity_nouns_run import cosine, generated_pairs, noun_study

CAT = Tagged(("the", "cat", "saw", "a", "saw"), (False, True, False, False, True))
DOG = Tagged(("a", "dog", "and", "the", "cat"), (False, True, False, False, True))
SAW = Tagged(("cat", "saw"), (True, False))
TINY = NounSettings(layers=1, width=48, heads=2, dimension=48, steps=450, batch=48, learning_rate=3e-3, rarest=1, pairs=40)


def test_a_noun_that_stands_twice_cannot_be_counted_by_cells() -> None:
    assert not CAT.plain
    assert DOG.plain
    assert usable([(CAT, DOG), (SAW, DOG)], TINY) == [(SAW, DOG)]


def test_the_truth_is_one_where_the_same_noun_stands_on_both_sides() -> None:
    cells = truth(SAW, DOG)
    assert cells.shape == (4, 7)
    assert np.argwhere(cells).tolist() == [[1, 5]]
    assert cells.sum() == shared([SAW, DOG])[0, 1] == 1
    assert shared([CAT, DOG, SAW]).tolist() == [[2, 1, 1], [1, 2, 1], [1, 1, 1]]


def test_words_are_numbered_by_frequency_and_unknown_ones_are_one_token() -> None:
    words = vocabulary([(DOG, SAW)], 1)
    assert words["cat"] == 4
    assert encoding_of(Tagged(("cat", "zebra"), (True, True)), words).ids == (2, 4, 1, 3)
    assert vocabulary([(DOG, SAW)], 2) == {"cat": 4}


def test_cosine_by_hand() -> None:
    assert cosine(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])) == pytest.approx(0.6)
    assert cosine(np.zeros((1, 2)), np.ones((1, 2))) == 0


def test_generated_pairs_are_the_same_for_a_seed_and_share_nouns() -> None:
    training, asked = generated_pairs(3, 50)
    assert (len(training), len(asked)) == (50, 10)
    assert generated_pairs(3, 50) == (training, asked)
    assert generated_pairs(4, 50) != (training, asked)
    assert np.mean([bool(left.types & right.types) for left, right in training]) > 0.4


def test_a_small_encoder_learns_to_count_and_bilrp_finds_what_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise InputError("read", "no mirror", "set one")

    monkeypatch.setattr(similarity_nouns_run, "tagged_pairs", absent)
    left_out: list[str] = []
    state = torch.get_rng_state()
    found = noun_study(TINY, ["bilrp", "bilrp_embeddings", "random"], left_out)
    assert torch.equal(state, torch.get_rng_state())
    assert left_out == ["stsb-multilingual: no mirror; the noun encoder learns from generated sentences"]
    assert found.source == "generated sentences"
    assert found.pairs == 40
    assert found.exact > 0.8
    assert found.spearman > 0.6  # whose upper limit is low where most pairs share one noun or none
    agreement = dict(found.agreement.select("method", "cosine").iter_rows())
    assert agreement["bilrp"] > 0.4
    assert abs(agreement["random"]) < 0.15
    assert found.agreement["method"][0] != "random"
    assert found.row()["agreement"] == found.agreement.to_dicts()


def test_training_is_the_same_for_a_seed() -> None:
    pairs = usable(generated_pairs(0, 40)[0], TINY)
    words = vocabulary(pairs, 1)
    settings = NounSettings(layers=1, width=16, heads=2, dimension=8, steps=3, batch=8)
    encoded = [(encoding_of(left, words), encoding_of(right, words)) for left, right in pairs[:5]]
    first, again = (products(train(pairs, words, settings), encoded) for _ in range(2))
    np.testing.assert_array_equal(first, again)
