"""Shares of classes of interactions: worked out by hand, against numpy, and never biased in silence by cells that were not kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from tests.queries.pairs_by_hand import Pair, Side, batch
from workbench.errors import StoreError
from workbench.queries import query
from workbench.queries.resampling import interval, resampled, share_of, weights
from workbench.store import Store, synthetic_pairs

DOGS = Side("Dogs/dog/NOUN/nsubj bark/bark/VERB/root", [[1, 0], [0, 1]], bias=[0, 0.5])
SLEEP = Side("dogs/dog/NOUN/nsubj sleep/sleep/VERB/root", [[2, 0], [0, 1]], bias=[1, 0])
CAT = Side("A/a/DET/det cat/cat/NOUN/root", [[1, 0], [0, 2]], bias=[0, 0])
CATS = Side("The/the/DET/det cats/cat/NOUN/root", [[0, 1], [1, 1]], bias=[0, 0])
#: Between words: Dogs-dogs 2, bark-sleep 1, A-cats 1, cat-The 2, cat-cats 2, three cells 0; with biases: Dogs 1, sleep 0.5.
BY_HAND = [Pair("one", DOGS, SLEEP, "paraphrase", {"similarity": 4}), Pair("two", CAT, CATS, "paraphrase", {"similarity": 5})]


def stored(path: Path, pairs: list[Pair]) -> Path:
    with Store.open(path, "write") as store:
        store.append(batch(pairs), 1)
    return path


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(stored(tmp_path_factory.mktemp("hand") / "store.duckdb", BY_HAND)) as store:
        yield store


def rows(frame: pl.DataFrame, *keys: str) -> dict[object, dict[str, object]]:
    return {tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]: row for row in frame.iter_rows(named=True)}


def test_parts_of_speech_by_hand(hand: Store) -> None:
    found = rows(query(hand, "pos_pairs"), "left_upos", "right_upos")
    sums = {("NOUN", "NOUN"): 4, ("DET", "NOUN"): 3, ("VERB", "VERB"): 1, ("DET", "DET"): 0, ("NOUN", "VERB"): 0}
    assert {pair: row["sum"] for pair, row in found.items()} == sums
    assert {pair: row["share"] for pair, row in found.items()} == {pair: value / 8 for pair, value in sums.items()}
    assert {pair: row["interactions"] for pair, row in found.items()} == {
        ("NOUN", "NOUN"): 2, ("DET", "NOUN"): 2, ("VERB", "VERB"): 1, ("DET", "DET"): 1, ("NOUN", "VERB"): 2
    }  # fmt: skip
    nouns = found["NOUN", "NOUN"]
    assert (nouns["mean"], nouns["lift"], nouns["pairs"]) == (2.0, 2.0, 2)
    # two pairs: both draws the first (2 of 3), both the second (2 of 5), or one of each (4 of 8)
    assert (nouns["low"], nouns["high"]) == pytest.approx((2 / 5, 2 / 3))
    verbs = found["VERB", "VERB"]
    assert (verbs["low"], verbs["high"]) == pytest.approx((0, 1 / 3))
    assert verbs["mean_low"] is None  # a single pair of texts has it


def test_relations_matches_and_nouns_by_hand(hand: Store) -> None:
    relations = rows(query(hand, "relation_pairs"), "left_relation", "right_relation")
    assert {pair: row["sum"] for pair, row in relations.items()} == {
        ("nsubj", "nsubj"): 2, ("root", "root"): 3, ("nsubj", "root"): 0, ("det", "root"): 3, ("det", "det"): 0
    }  # fmt: skip
    matches = rows(query(hand, "matched_by"), "languages", "match")
    assert {key: (row["share"], row["interactions"]) for key, row in matches.items()} == {
        ("en", "identical"): (0.25, 1), ("en", "lemma"): (0.25, 1), ("en", "other"): (0.5, 6)
    }  # fmt: skip
    assert matches["en", "other"]["lift"] == pytest.approx(0.5 / (6 / 8))
    classes = rows(query(hand, "noun_noun_verb_verb"), "group", "classes")
    assert {name: row["sum"] for (_, name), row in classes.items()} == {
        "noun–noun": 4, "verb–verb": 1, "noun–verb": 0, "function–content": 3, "function–function": 0
    }  # fmt: skip


def test_accounts_and_similarities_by_hand(hand: Store) -> None:
    accounts = rows(query(hand, "special_share"), "account")
    assert {name: row["sum"] for name, row in accounts.items()} == {"word": 8, "bias": 1.5}
    assert accounts["word"]["share"] == pytest.approx(8 / 9.5)
    found = query(hand, "similarities").row(0, named=True)
    assert (found["label"], found["pairs"], found["judged"], found["mean"], found["spearman"]) == ("all", 2, 2, 4.75, pytest.approx(1))
    assert (found["tokens"], found["biases"]) == pytest.approx((8 / 9.5, 1.5 / 9.5))
    assert (found["lowest"], found["highest"], found["coverage"], found["cut"]) == (4.5, 5, 1, 0)
    assert query(hand, "similarities", label="none at all").is_empty()


def test_words_that_carry_most_by_hand(hand: Store) -> None:
    found = query(hand, "strongest_interactions", limit=4)
    assert set(found.select("left_term", "right_term", "sum").rows()) == {
        ("dog", "dog", 2), ("cat", "cat", 2), ("cat", "the", 2), ("a", "cat", 1)
    }  # fmt: skip
    assert found["share"].to_list() == [2 / 8, 2 / 8, 2 / 8, 1 / 8]
    assert found.filter(pl.col("left_term") == "dog")["match"].to_list() == ["identical"]
    assert query(hand, "strongest_interactions", minimum_pairs=2).is_empty()
    cells = query(hand, "pair", identifier="one")
    assert cells["relevance"].to_list()[:3] == [2, 1, 1]
    assert cells["relevance"].sum() == 4.5
    assert cells["share"].sum() == pytest.approx(1)


def test_cells_that_were_not_kept_are_refused_or_reported(tmp_path: Path) -> None:
    pairs = [replace(BY_HAND[0], strongest=2), BY_HAND[1]]
    with Store.open(stored(tmp_path / "store.duckdb", pairs)) as store:
        for name in ("pos_pairs", "relation_pairs", "matched_by", "noun_noun_verb_verb", "insensitivity_parts", "strongest_interactions"):
            with pytest.raises(StoreError, match=r"1 of 2 pairs of which only the strongest cells were kept"):
                query(store, name)
            assert len(query(store, name, rest="report")) > 1
        found = rows(query(store, "pos_pairs", rest="report"), "left_upos", "right_upos")
        assert found["rest", "rest"]["sum"] == 1.5
        assert found["rest", "rest"]["interactions"] == 0
        assert sum(float(str(row["share"])) for row in found.values()) == pytest.approx(1)
        assert rows(query(store, "special_share"), "account")["rest"]["share"] == pytest.approx(1.5 / 9.5)
        assert query(store, "similarities")["cut"].to_list() == [1, 1]
        assert query(store, "similarities")["tokens"][0] == pytest.approx(8 / 9.5)  # of the ledger, which is exact
        assert query(store, "pair", identifier="one")["left_kind"].to_list().count("rest") == 1
        assert query(store, "strongest_interactions", rest="report")["cut"].unique().to_list() == [1]


def test_intervals_are_those_of_an_explicit_bootstrap(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic_pairs.pairs([f"p{number}" for number in range(25)]), 1)
        cells = store.sql("SELECT explanation, left_upos, right_upos, relevance FROM interactions WHERE matched IS NOT NULL")
        answer = query(store, "pos_pairs", resamples=200, seed=5)
    pairs = sorted(cells["explanation"].unique())
    names = answer.select("left_upos", "right_upos").rows()
    parts, counts = np.zeros((len(pairs), len(names))), np.zeros((len(pairs), len(names)))
    for explanation, left, right, relevance in cells.iter_rows():
        place = pairs.index(explanation), names.index((min(left, right), max(left, right)))
        parts[place] += relevance
        counts[place] += 1
    np.testing.assert_allclose(answer["sum"], parts.sum(0), atol=1e-5)
    np.testing.assert_array_equal(answer["interactions"], counts.sum(0))
    np.testing.assert_array_equal(answer["pairs"], (counts > 0).sum(0))
    random = np.random.default_rng(5)
    drawn = random.integers(0, len(pairs), size=(200, len(pairs)))
    with np.errstate(invalid="ignore"):
        means = np.array([parts[chosen].sum(0) / counts[chosen].sum(0) for chosen in drawn])
    for place, several in enumerate((counts > 0).sum(0) >= 2):
        low, high = answer["mean_low"][place], answer["mean_high"][place]
        if several:
            assert (low, high) == pytest.approx(np.nanquantile(means[:, place], [0.025, 0.975]), abs=1e-6)
        else:
            assert low is None
    wholes = np.array([parts[chosen].sum() for chosen in drawn])
    if (wholes > 0).all():
        shares = np.array([parts[chosen].sum(0) / parts[chosen].sum() for chosen in drawn])
        np.testing.assert_allclose(answer["low"], np.quantile(shares, 0.025, axis=0), atol=1e-6)
    else:
        assert answer["low"].null_count() == len(answer)


def test_resampling_draws_as_many_pairs_as_there_are() -> None:
    drawn = np.concatenate(list(weights(7, 50, seed=1)))
    assert drawn.shape == (50, 7)
    assert (drawn.sum(1) == 7).all()
    assert list(weights(1, 50, seed=1)) == []
    values = sparse.csr_array(np.arange(14.0).reshape(7, 2))
    np.testing.assert_allclose(resampled(values, 50, 1), drawn @ values.toarray())
    assert np.isnan(interval(np.full((5, 1), np.nan))).all()
    assert np.isnan(share_of(np.array([[1.0, -2.0]]))).all()


def test_a_corpus_of_pairs_is_chosen_and_models_stand_apart(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(batch(BY_HAND), 1)
        store.append(batch(BY_HAND, model="second"), 1)
        store.append(batch([replace(BY_HAND[0], corpus="others", language="de")]), 1)
        both = query(store, "matched_by", corpus="pairs")
        assert both.group_by("model").agg(pl.col("share").sum().round(9)).sort("model").rows() == [("encoder", 1.0), ("second", 1.0)]
        assert query(store, "matched_by", model="second")["model"].unique().to_list() == ["second"]
        assert query(store, "matched_by", languages="de")["pairs"].max() == 1
        assert query(store, "matched_by", split="train").is_empty()
        assert set(query(store, "matched_by").columns) == set(query(store, "matched_by", split="train").columns)
        assert query(store, "similarities").filter(pl.col("label") == "all")["corpus"].to_list() == ["others", "pairs", "pairs"]


def test_nothing_is_left_because_weak_cells_were_not_kept(tmp_path: Path) -> None:
    with Store.open(stored(tmp_path / "store.duckdb", [replace(pair, strongest=1) for pair in BY_HAND])) as store:
        with pytest.raises(StoreError, match="2 of 2 pairs of which only the strongest"):
            query(store, "strongest_interactions", minimum_pairs=2)
        assert query(store, "strongest_interactions", minimum_pairs=2, rest="report").is_empty()
        assert query(store, "strongest_interactions", match="other", rest="report")["right_term"].to_list() == ["the"]


def test_a_share_of_nothing_is_none(tmp_path: Path) -> None:
    against = replace(BY_HAND[0], left=replace(DOGS, rows=[[-1, 0], [0, -3]], bias=[0, 0]))
    with Store.open(stored(tmp_path / "store.duckdb", [against, replace(against, identifier="again")])) as store:
        assert query(store, "similarities")["tokens"].to_list() == [None, None]
        for name in ("pos_pairs", "special_share"):
            found = query(store, name)
            assert found["share"].null_count() == found["low"].null_count() == len(found)
            assert found["sum"].sum() < 0
