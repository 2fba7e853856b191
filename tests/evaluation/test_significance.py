from __future__ import annotations

from itertools import permutations
from math import comb

import numpy as np
import polars as pl
import pytest

from workbench.errors import InputError
from workbench.evaluation.significance import significant_words, words_apart_from_zero


def corpus(documents: int, signal: float, seed: int = 0) -> pl.DataFrame:
    """Each document: `marker` speaks for class a (or against it) with its label, `steady` always speaks for it, fillers scatter."""
    random = np.random.default_rng(seed)
    rows = []
    for document in range(documents):
        gold = "ab"[random.integers(2)]
        sign = 1 if gold == "a" else -1
        rows.append((document, gold, "a", "marker", signal * sign + random.normal(0, 0.1)))
        rows.append((document, gold, "a", "steady", 1.0 + random.normal(0, 0.1)))
        rows.extend((document, gold, "a", f"filler{index}", random.normal(0, 0.1)) for index in random.choice(30, 8, replace=False))
    return pl.DataFrame(rows, schema=["document", "gold", "label", "word", "relevance"], orient="row")


def test_a_word_that_follows_the_labels_is_found_alone() -> None:
    found = significant_words(corpus(80, 1.0))
    assert found.filter("significant")["word"].to_list() == ["marker"]
    assert found["word"][0] == "marker"


def test_without_signal_nothing_is_significant_but_the_naive_test_is_fooled() -> None:
    silent = corpus(80, 0.0)
    assert not significant_words(silent)["significant"].any()
    assert "steady" in words_apart_from_zero(silent).filter("significant")["word"].to_list()


def test_p_values_equal_all_permutations() -> None:
    """Five documents of one word each and a silent word beside it: T for all 120 orders of the labels, counted by hand."""
    values, gold = [0.9, 0.7, 0.1, -0.2, 0.4], ["a", "a", "b", "b", "b"]
    rows = [(d, gold[d], "a", word, value) for d in range(5) for word, value in (("w", values[d]), ("silent", 0.0))]
    frame = pl.DataFrame(rows, schema=["document", "gold", "label", "word", "relevance"], orient="row")
    excess = np.array(values) / 2
    totals = [sum(x * (label == "a") for x, label in zip(excess, order, strict=True)) for order in permutations(gold)]
    exact = np.mean([total >= totals[0] - 1e-12 for total in totals])
    assert exact == pytest.approx(1 / comb(5, 2))
    p = significant_words(frame).filter(word="w")["p_value"].item()
    assert p == pytest.approx(exact, abs=0.012)


def test_false_alarms_keep_their_level_with_labels_by_chance() -> None:
    """Complete null, 150 corpora: a family is wrong at most 5 % of the time; more than 14 of 150 has a chance under 1 %."""
    wrong = sum(significant_words(corpus(30, 0.0, seed), permutations=1_999, seed=seed)["significant"].any() for seed in range(150))
    assert wrong <= 14


def test_direction_tells_for_from_against() -> None:
    """A word that stands only in documents of b, and speaks against a, is rightly against a."""
    random = np.random.default_rng(0)
    rows = []
    for document in range(60):
        gold = "ab"[document % 2]
        rows.append((document, gold, "a", "only_a" if gold == "a" else "only_b", 1.0 if gold == "a" else -1.0))
        rows.extend((document, gold, "a", f"filler{index}", random.normal(0, 0.1)) for index in range(5))
    found = significant_words(pl.DataFrame(rows, schema=["document", "gold", "label", "word", "relevance"], orient="row"))
    assert dict(found.filter("significant").select("word", "direction").iter_rows()) == {"only_a": "for", "only_b": "against"}


def test_rare_words_are_not_tested_and_occurrences_count_together() -> None:
    frame = pl.concat(
        [
            corpus(20, 1.0),
            pl.DataFrame({"document": [0], "gold": corpus(20, 1.0)["gold"][:1], "label": "a", "word": "rare", "relevance": 1.0}),
        ]
    )
    assert "rare" not in significant_words(frame)["word"].to_list()
    halves = pl.concat([frame.with_columns(pl.col("relevance") / 2)] * 2)
    assert (
        significant_words(halves)
        .drop("mean_relevance", "mean_excess")
        .equals(significant_words(frame).drop("mean_relevance", "mean_excess"))
    )


def test_order_of_rows_does_not_matter() -> None:
    frame = corpus(30, 0.3)
    assert significant_words(frame).equals(significant_words(frame.reverse()))


def test_nothing_in_nothing_out() -> None:
    assert significant_words(corpus(3, 1.0)).height == 0
    assert significant_words(corpus(3, 1.0).clear()).height == 0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (corpus(5, 1.0).drop("gold"), "no column gold"),
        (corpus(5, 1.0).with_columns(relevance=float("nan")), "not finite"),
        (pl.concat([corpus(5, 1.0), corpus(5, 1.0).with_columns(gold=pl.lit("c"))]), "two true labels"),
    ],
)
def test_bad_frames_are_refused(frame: pl.DataFrame, words: str) -> None:
    with pytest.raises(InputError, match=words):
        significant_words(frame)
