from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation.removal import NOBODY, first, owners, remainder, text


def encoding(spans: list[tuple[int, int]]) -> Encoding:
    ids = tuple(range(10, 10 + len(spans)))
    return Encoding(
        (1, *ids, 2), tuple("t" for _ in range(len(spans) + 2)), ((0, 0), *spans, (0, 0)), (True, *(False for _ in spans), True)
    )


WORDS = [Word(0, 0, 4, "abcd"), Word(1, 5, 8, "efg"), Word(2, 9, 12, "hij")]


def test_pieces_leave_with_their_word() -> None:
    given_text = text([encoding([(0, 2), (2, 4), (5, 8), (9, 12)])], WORDS)
    assert given_text.owners == ((NOBODY, 0, 0, 1, 2, NOBODY),)
    assert remainder(given_text, 0, 0b110) == (1, 12, 13, 2)
    assert remainder(given_text, 0, 0b101) == (1, 10, 11, 13, 2)


def test_the_empty_remainder_is_the_special_tokens() -> None:
    assert remainder(text([encoding([(0, 4), (5, 8), (9, 12)])], WORDS), 0, 0) == (1, 2)


def test_removed_tokens_can_be_replaced_one_by_one() -> None:
    assert remainder(text([encoding([(0, 2), (2, 4), (5, 8)])], WORDS), 0, 0b10, replacement=3) == (1, 3, 3, 12, 2)


def test_a_token_over_two_words_leaves_with_the_larger_part() -> None:
    assert owners(encoding([(3, 8)]), WORDS) == (NOBODY, 1, NOBODY)


def test_a_token_over_equal_parts_leaves_with_the_first_word() -> None:
    assert owners(encoding([(7, 10)]), WORDS) == (NOBODY, 1, NOBODY)


def test_a_token_beside_words_leaves_with_the_next_and_at_the_end_with_the_last() -> None:
    assert owners(encoding([(4, 5), (8, 8), (12, 13)]), WORDS) == (NOBODY, 1, 2, 2, NOBODY)


def test_words_behind_the_cut_of_every_member_are_no_words_of_the_text() -> None:
    short, long = encoding([(0, 4)]), encoding([(0, 4), (9, 12)])
    both = text([short, long], WORDS)
    assert [word.index for word in both.words] == [0, 2]
    assert both.owners == ((NOBODY, 0, NOBODY), (NOBODY, 0, 1, NOBODY))
    assert remainder(both, 0, 0b01) == (1, 10, 2)
    assert remainder(both, 1, 0b10) == (1, 11, 2)


def test_a_text_without_words_keeps_all_its_tokens() -> None:
    empty = text([encoding([(0, 4)])], [])
    assert empty.words == ()
    assert empty.everything == 0
    assert remainder(empty, 0, 0) == (1, 10, 2)


def test_no_encoding_is_an_error() -> None:
    with pytest.raises(InputError, match="one encoding for each member"):
        text([], WORDS)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_a_remainder_is_the_text_without_the_removed_tokens(pieces: list[int], data: st.DataObject) -> None:
    """Against a slow way: strings of pieces, words struck out by name."""
    spans, found, start = [], [], 0
    for index, count in enumerate(pieces):
        spans.extend((start + piece, start + piece + 1) for piece in range(count))
        found.append(Word(index, start, start + count, "w"))
        start += count + 1
    given_text = text([encoding(spans)], found)
    keep = data.draw(st.sets(st.integers(0, len(pieces) - 1)))
    expected = [1]
    token = 10
    for index, count in enumerate(pieces):
        expected += list(range(token, token + count)) if index in keep else []
        token += count
    assert remainder(given_text, 0, sum(1 << index for index in keep)) == (*expected, 2)


@given(st.permutations(range(7)), st.integers(0, 7))
def test_first_keeps_the_head_of_a_ranking(ranking: list[int], count: int) -> None:
    kept = first(ranking, count)
    assert {word for word in range(7) if kept >> word & 1} == set(ranking[:count])
