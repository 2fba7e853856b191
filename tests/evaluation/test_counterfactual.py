"""Edited texts and matched random edits, on a model whose answer is known by hand, and on one that learnt a planted source tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation.arrangement import arranged, lengths, moved
from workbench.evaluation.counterfactual import Case, Counterfactual, counterfactual, matched
from workbench.evaluation.planted_texts import Task
from workbench.evaluation.predictions import Memo, Remainders
from workbench.evaluation.removal import Ids, Text, text
from workbench.pipeline.shortcut_control import controlled

TAG, OTHER, MASK = 7, 8, 0


def probabilities(sequences: Sequence[Ids]) -> np.ndarray:
    """0.9 for class 1 where the tag stands, else 0.2; each word that is missing or masked takes another 0.01."""
    found = np.array([(0.9 if TAG in ids else 0.2) - 0.01 * (6 - len([one for one in ids if one != MASK])) for ids in sequences])
    return np.stack([1 - found, found], axis=1)


def made(words: Sequence[int]) -> Text:
    """One word a token, written as its number."""
    places, start = [], 0
    for word in words:
        places.append((start, start + len(str(word))))
        start = places[-1][1] + 1
    encoding = Encoding(tuple(words), tuple(map(str, words)), tuple(places), (False,) * len(words))
    return text([encoding], [Word(index, *place, str(word)) for index, (word, place) in enumerate(zip(words, places, strict=True))])


def case(words: Sequence[int], chosen: tuple[int, ...]) -> Case:
    return Case("d", " ".join(map(str, words)), made(words), chosen, 1)


def run(cases: list[Case], edit: str = "mask", **settings: object) -> Counterfactual:
    remainders = Remainders([Memo(probabilities)], [MASK] if edit == "mask" else ())
    return counterfactual(remainders, cases, edit, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("edit", ["mask", "delete"])
def test_a_word_that_decides_is_worth_what_it_is_and_any_other_nothing(edit: str) -> None:
    cases = [case((1, 2, TAG, 3, 4, 5), (2,)), case((TAG, 1, 2, 3, 4, 5), (0,))]
    found = run(cases, edit)
    assert found.fall == pytest.approx(0.71)
    assert found.random_fall == pytest.approx(0.01)
    assert found.effect == pytest.approx(0.7)
    assert (found.flipped, found.random_flipped) == (1.0, 0.0)
    assert found.relied_on
    idle = run([case((1, 2, TAG, 3, 4, 5), (0,)), case((TAG, 1, 2, 3, 4, 5), (3,))], edit, draws=400)
    assert idle.effect == pytest.approx(-0.7 / 5, abs=0.04)
    assert not idle.relied_on


def test_a_swap_puts_another_word_in_place() -> None:
    def rewrite(written: str, spans: Sequence[tuple[int, int, str]]) -> Text:
        for start, end, other in reversed(spans):
            written = written[:start] + other + written[end:]
        return made([int(word) for word in written.split()])

    found = run([case((1, 2, TAG, 3, 4, 5), (2,))] * 2, "swap", swap=str(OTHER), rewrite=rewrite)
    assert found.effect == pytest.approx(0.7)
    assert found.frame["after"].to_list() == pytest.approx([0.2, 0.2])
    with pytest.raises(InputError, match="--swap WORD"):
        run([case((1, TAG), (1,))], "swap")


def test_random_edits_are_of_other_words_of_as_many_tokens() -> None:
    long = Text(made((1, 2, 3, 4)).words, made((1, 2, 3, 4)).encodings, ((0, 0, 0, 1, 2, 2, 2, 3),))
    assert {matched(Case("d", "", long, (0,), 1), np.random.default_rng(seed)) for seed in range(20)} == {(2,)}
    with pytest.raises(InputError, match="rarer words"):
        run([case((TAG, TAG, 1), (0, 1))])


def decided(rule: Callable[[Ids], bool]) -> Callable[[Sequence[Ids]], np.ndarray]:
    """0.9 for class 1 where a rule holds, else 0.2."""

    def predict(sequences: Sequence[Ids]) -> np.ndarray:
        found = np.array([0.9 if rule(ids) else 0.2 for ids in sequences])
        return np.stack([1 - found, found], axis=1)

    return predict


def ruled(rule: Callable[[Ids], bool], cases: list[Case], edit: str, **settings: object) -> Counterfactual:
    return counterfactual(Remainders([Memo(decided(rule))]), cases, edit, **settings)  # type: ignore[arg-type]


def test_moving_takes_the_answer_where_the_place_decides_and_not_where_the_word_does() -> None:
    begins = [case((TAG, *range(20, 30)), (0, 1, 2)), case((20, TAG, *range(21, 40)), (0, 1, 2, 3))]
    by_place = ruled(lambda ids: TAG in ids[: len(ids) // 5 + 1], begins, "move")
    assert by_place.effect == pytest.approx(0.7)
    assert (by_place.flipped, by_place.random_flipped, by_place.relied_on) == (1.0, 0.0, True)
    by_word = ruled(lambda ids: TAG in ids, begins, "move")
    assert (by_word.effect, by_word.flipped, by_word.relied_on) == (0.0, 0.0, False)
    elsewhere = ruled(lambda ids: TAG in ids[: len(ids) // 5 + 1], [case((TAG, *range(20, 30)), (6, 7))] * 2, "move", draws=200)
    assert elsewhere.effect < 0.7 / 3  # what is moved comes to the first place, but now and then
    with pytest.raises(InputError, match="room to move"):
        ruled(lambda ids: True, [case((TAG, 1, 2, 3), (0, 1, 2))], "move")


def test_a_moved_run_goes_a_fifth_away_in_one_piece_and_all_others_keep_their_places() -> None:
    for seed in range(30):
        made = moved(20, (4, 5, 6, 11), np.random.default_rng(seed))
        assert made is not None
        edit, control = made
        assert sorted(edit) == sorted(control) == list(range(20))
        place = edit.index(4)
        assert edit[place : place + 3] == (4, 5, 6)
        assert abs(place - 4) >= 4
        assert abs(edit.index(11) - 11) >= 4
        assert sum(one != other for one, other in enumerate(edit)) == 8 == sum(one != other for one, other in enumerate(control))
        assert all(control[one] == one for one in (4, 5, 6, 11))


def test_another_length_takes_the_answer_where_length_decides_and_not_where_a_word_does() -> None:
    neutral = tuple(range(1, 12))
    texts = [case((TAG, *range(20, 31)), neutral), case((TAG, *range(30, 41)), neutral)]
    for words, long in ((8, True), (15, False)):
        by_length = ruled(lambda ids, long=long: len(ids) >= 10 if long else len(ids) < 14, texts, "length", words=words)  # type: ignore[misc]
        assert by_length.effect == pytest.approx(0.7)
        assert by_length.random_fall == 0.0
        assert by_length.frame.select("words_before", "words_after").rows() == [(12, words)] * 2
    by_word = ruled(lambda ids: TAG in ids, texts, "length", words=8)
    assert (by_word.effect, by_word.relied_on) == (0.0, False)
    kept = ruled(lambda ids: TAG in ids, texts, "length", words=2)
    assert kept.frame["words_after"].to_list() == [7, 7]  # half of the eleven words that may go
    with pytest.raises(InputError, match="another length"):
        ruled(lambda ids: True, texts, "length", words=12)
    with pytest.raises(InputError, match="--words 12"):
        ruled(lambda ids: True, texts, "length")
    with pytest.raises(InputError, match="--words with --edit move"):
        ruled(lambda ids: True, texts, "move", words=3)


def test_the_control_of_a_length_loses_the_same_words_and_repeats_the_same_others() -> None:
    sizes = np.array([1, 2, 1, 2, 1, 2, 1, 2])
    for words in (6, 10):
        for seed in range(20):
            made = lengths(sizes, (0, 1, 2, 3, 4, 5), words, np.random.default_rng(seed))
            assert made is not None
            edit, control = made
            assert (len(edit), len(control), sizes[list(control)].sum()) == (words, 8, sizes.sum())
            lost = set(range(8)) - set(control)
            assert len(lost) == 2
            assert (set(edit) == set(range(8)) - lost) if words == 6 else (set(edit) == set(range(8)))
            assert {6, 7} <= set(edit)


def test_words_take_their_tokens_along_and_special_tokens_stay() -> None:
    ids, spans = (101, 1, 2, 3, 4, 102), ((0, 0), (0, 1), (1, 2), (3, 4), (5, 6), (0, 0))
    encoding = Encoding(ids, tuple(map(str, ids)), spans, (True, *(False,) * 4, True))
    cut = text([encoding], [Word(0, 0, 2, "12"), Word(1, 3, 4, "3"), Word(2, 5, 6, "4")])
    assert arranged(cut, (0, 1, 2)).encodings[0] == encoding
    assert arranged(cut, (2, 0, 0)).encodings[0].ids == (101, 4, 1, 2, 1, 2, 102)
    assert arranged(cut, ()).encodings[0].ids == (101, 102)


@pytest.mark.parametrize(("task", "steps"), [("position_only", 100), ("single_token", 70)])
def test_moving_tells_a_place_that_decides_from_a_word_that_does(task: Task, steps: int) -> None:
    found = controlled(task, 0, texts=90, steps=steps)
    assert found.met
    assert found.edit == "move"
    assert found.effect is not None
    assert (found.effect > 0.3) == (task == "position_only")


def test_a_planted_tag_is_the_first_suspect_masking_it_takes_the_answer_and_random_labels_have_none() -> None:
    found = controlled("source_tag", 1, texts=120, steps=130)
    assert found.met
    assert found.rank == 1
    assert found.low is not None
    assert found.low > 0.5
    assert controlled("random_labels", 1, texts=120, steps=100).met
