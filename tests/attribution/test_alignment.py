"""Alignments from contributions: rows and conventions, words from pieces, links, and the error rate by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attribution.families import FAMILIES, build
from workbench.attribution.alignment import (
    alignment_error_rate,
    best_links,
    flipped,
    intersection,
    pieces,
    scores,
    to_words,
    word_alignment,
)
from workbench.attribution.contributions import contributions
from workbench.attribution.translations import Translation
from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import PropagationError

LINKS = st.frozensets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=10)


def test_rows_are_sizes_by_their_sum() -> None:
    found = scores(np.array([[1.0, -3.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(found, [[0.25, 0.75], [0.0, 0.0]])


def test_correction_takes_away_what_a_source_token_has_at_every_step() -> None:
    """The full stop (last) is largest everywhere; corrected, each step has its own token."""
    source = np.array([[0.4, 0.1, 0.5], [0.1, 0.4, 0.5]])
    assert best_links(scores(source)) == {(2, 0), (2, 1)}
    corrected = scores(source, corrected=True)
    np.testing.assert_allclose(corrected, [[0.15, -0.15, 0.0], [-0.15, 0.15, 0.0]])
    assert best_links(corrected) == {(0, 0), (1, 1)}


def test_a_token_is_aligned_when_it_is_predicted_or_when_it_is_read() -> None:
    source = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.1, 0.9]])
    assert best_links(scores(source)) == {(0, 0), (1, 1), (2, 2)}
    assert best_links(scores(source, convention="input")) == {(1, 0), (2, 1)}
    with pytest.raises(PropagationError, match="conventions predicted, input"):
        scores(source, convention="both")
    assert scores(np.zeros((0, 3)), corrected=True, convention="input").shape == (0, 3)


def test_source_pieces_are_summed_and_target_pieces_averaged() -> None:
    """Three source pieces of which two are one word, the last is special; three target pieces of two words."""
    found = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.0, 0.5, 0.5]])
    words = to_words(found, pieces([0, 0, None]), pieces([0, 0, 1]))
    np.testing.assert_allclose(words, [[0.45], [0.5]])
    words = to_words(found, pieces([1, 0, None], 2), pieces([1, None, None], 2))
    np.testing.assert_allclose(words, [[0.0, 0.0], [0.2, 0.1]])


def test_links_of_two_directions() -> None:
    there = best_links(np.array([[0.9, 0.1], [0.0, 0.0], [0.2, 0.8]]))
    assert there == {(0, 0), (1, 2)}
    back = {(0, 0), (1, 1)}  # (target word, source word), as the model that translates back gives them
    assert flipped(back) == {(0, 0), (1, 1)}
    assert intersection(there, back) == {(0, 0)}
    assert best_links(np.zeros((3, 0))) == set()


def test_the_error_rate_by_hand() -> None:
    """A = 3 links, of which one is sure and two are possible at least; S = 2: 1 - (1 + 2) / (3 + 2)."""
    links, sure, possible = {(0, 0), (1, 1), (2, 5)}, {(0, 0), (3, 3)}, {(1, 1), (4, 4)}
    assert alignment_error_rate(links, sure, possible) == pytest.approx(1 - 3 / 5)
    assert alignment_error_rate(sure, sure) == 0
    assert alignment_error_rate(set(), sure) == 1
    assert alignment_error_rate(set(), set()) == 0


@given(LINKS, LINKS, LINKS)
def test_the_error_rate_lies_between_0_and_1(links: frozenset[tuple[int, int]], sure: frozenset[tuple[int, int]],
                                             possible: frozenset[tuple[int, int]]) -> None:  # fmt: skip
    assert 0 <= alignment_error_rate(links, sure, possible) <= 1
    assert alignment_error_rate(links, sure, possible) == alignment_error_rate(links, sure, possible | sure)
    assert alignment_error_rate(sure | possible, sure, possible) == 0 or not sure


def test_words_of_an_explained_translation() -> None:
    """Encodings of what was explained: `ab c` in pieces a, b, c and an end; `x y` in x, y and an end."""
    model = build(next(family for family in FAMILIES if family.name == "Marian"))
    (found,) = contributions(model, [Translation((5, 6, 7, 1), (8, 9, 1))])
    source = Encoding((5, 6, 7, 1), ("a", "b", "c", "</s>"), ((0, 1), (1, 2), (3, 4), (4, 4)), (False, False, False, True))
    target = Encoding((8, 9, 1), ("x", "y", "</s>"), ((0, 1), (2, 3), (3, 3)), (False, False, True))
    words = [Word(0, 0, 2, "ab"), Word(1, 3, 4, "c")], [Word(0, 0, 1, "x"), Word(1, 2, 3, "y")]
    aligned = word_alignment(found, (source, words[0]), (target, words[1]))
    rows = scores(found.source)
    np.testing.assert_allclose(aligned, [[rows[0, 0] + rows[0, 1], rows[0, 2]], [rows[1, 0] + rows[1, 1], rows[1, 2]]])
