"""Edited texts and matched random edits, on a model whose answer is known by hand, and on one that learnt a planted source tag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation.counterfactual import Case, Counterfactual, counterfactual, matched
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


def test_a_planted_tag_is_the_first_suspect_masking_it_takes_the_answer_and_random_labels_have_none() -> None:
    found = controlled("source_tag", 1, texts=120, steps=130)
    assert found.met
    assert found.rank == 1
    assert found.low is not None
    assert found.low > 0.5
    assert controlled("random_labels", 1, texts=120, steps=100).met
