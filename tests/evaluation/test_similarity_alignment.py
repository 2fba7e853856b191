"""Agreement with people's alignments: gold cells from spans, average precision, and words that differ kept apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from torch import nn

from tests.evaluation.similarity_encoders import TinyEncoder, text
from workbench import corpora
from workbench.document import Document
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation import similarity_alignment
from workbench.evaluation.similarity_alignment import (
    SETS,
    aligned,
    alignment,
    average_precisions,
    blank_words,
    by_word,
    gold_pairs,
    summary,
)

LINKS = [
    {"a": [[0, 1]], "b": [[0, 1]], "type": "EQUI", "score": 5.0},
    {"a": [[2, 5]], "b": [[4, 5], [8, 9]], "type": "SPE1", "score": 3.0},
    {"a": [[6, 7]], "b": [], "type": "NOALI", "score": None},
    {"a": [[6, 7]], "b": [[2, 3]], "type": "possible"},
]
DOCUMENT = Document("test", "one", {"text_a": "a b c d", "text_b": "A e b f g"}, metadata={"interactions": LINKS})
PAIR = aligned(DOCUMENT)


def precision_by_hand(gold: np.ndarray, scores: np.ndarray) -> float:
    """The mean over gold cells of the precision at each, by definition, for scores that are all different."""
    order = np.argsort(-scores)
    hits = gold[order]
    return float(np.mean([hits[: place + 1].mean() for place in np.flatnonzero(hits)]))


def test_gold_cells_are_products_of_spans_without_what_is_not_aligned() -> None:
    assert PAIR.gold.astype(int).tolist() == [[1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]]
    assert np.argwhere(PAIR.same).tolist() == [[0, 0], [1, 2]]


def test_words_between_blanks_have_their_places() -> None:
    assert [(word.char_start, word.char_end, word.form) for word in blank_words(" aa  b aa ")] == [(1, 3, "aa"), (5, 6, "b"), (7, 9, "aa")]


def test_average_precision_equals_its_definition_and_sets_words_that_differ_apart() -> None:
    cells = np.random.default_rng(0).permutation(20).reshape(4, 5).astype(float)
    found = average_precisions(cells, PAIR)
    assert found["all"] == pytest.approx(precision_by_hand(PAIR.gold.ravel(), cells.ravel()))
    chosen = ~PAIR.same
    assert found["different"] == pytest.approx(precision_by_hand(PAIR.gold[chosen], cells[chosen]))
    assert found["all"] == average_precision_score(PAIR.gold.ravel(), cells.ravel())
    same = Document("test", "two", {"text_a": "a", "text_b": "A x"}, metadata={"interactions": LINKS[:1]})
    assert average_precisions(np.array([[1.0, 0.0]]), aligned(same)) == {"all": 1.0}


def test_same_strings_earn_on_words_that_differ_what_chance_does() -> None:
    found = average_precisions(PAIR.same.astype(float), PAIR)
    assert found["different"] == pytest.approx(PAIR.gold[~PAIR.same].mean())


def test_rows_of_words_are_sums_of_their_tokens() -> None:
    words = blank_words("ab c")
    encoding = Encoding((1, 5, 6, 7, 2), tuple("sabce"), ((0, 0), (0, 1), (1, 2), (3, 4), (0, 0)), (True, False, False, False, True))
    rows = np.arange(10.0).reshape(5, 2)
    np.testing.assert_allclose(by_word(rows, encoding, words), [rows[1] + rows[2], rows[3]])


@dataclass
class Letters:
    """An encoder whose tokens are the words of a text."""

    module: nn.Module
    window: int = 32
    tokenizer: None = None


def test_all_methods_are_compared_on_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity_alignment, "encode", lambda _, said, __: text(*(10 + ord(word[0]) % 40 for word in said.split())))
    found = alignment(Letters(TinyEncoder()), {"one": [PAIR], "two": [PAIR, PAIR]}, ["bilrp", "token_cosine"])  # type: ignore[arg-type]
    assert found.height == 3 * 2 * 3
    shown = summary(found)
    assert shown["set"].unique(maintain_order=True).to_list() == ["one", "two"]
    assert set(shown["method"]) == {"bilrp", "token_cosine", "same_string"}
    assert shown.filter(set="two", words="all", method="same_string")["density"].item() == pytest.approx(PAIR.gold.mean())
    own = found.filter(set="one", method="token_cosine", words="all")["precision"].item()
    assert shown.filter(set="one", method="token_cosine", words="all")["precision"].item() == own


@pytest.mark.parametrize("name", ["iSTS images", "Edinburgh++"])
def test_gold_sets_of_the_mirror_are_aligned_and_drawn_by_seed(name: str) -> None:
    try:
        first, other = gold_pairs(name, 20), gold_pairs(name, 20, seed=1)
    except InputError as error:
        pytest.skip(f"{SETS[name][0]} is not at hand: {error.found}")
    assert [pair.identifier for pair in first] != [pair.identifier for pair in other]
    assert all(pair.gold.any() for pair in first)
    everything = sum(pair.gold.sum() for pair in first) / sum(pair.gold.size for pair in first)
    assert 0.02 < everything < 0.4
    assert corpora.find(SETS[name][0]).name == SETS[name][0]
