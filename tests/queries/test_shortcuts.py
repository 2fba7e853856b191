"""Shortcuts against plain loops and an independent permutation; what is planted comes out, what is shuffled does not; where a row leads."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from tests.patterns.brute import Text
from tests.patterns.corpus import store as stored
from tests.queries.shortcut_corpus import DOCUMENTS, texts
from workbench.errors import InputError, StoreError
from workbench.patterns import find
from workbench.queries.shortcuts import reliance, shortcuts
from workbench.queries.shortcuts.commands import UNREAD
from workbench.store import Store


@pytest.fixture(scope="module")
def posts() -> list[Text]:
    return texts(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, posts: list[Text]) -> Iterator[Store]:
    with stored(tmp_path_factory.mktemp("shortcuts") / "store.duckdb", posts) as opened:
        yield opened


def rates(posts: list[Text], form: str, answer: str) -> float:
    """Mantel and Haenszel's difference of the rates of an answer with and without a word, by plain loops."""
    top = bottom = 0.0
    for label in "ab":
        inside: dict[bool, list[bool]] = defaultdict(list)
        for text in posts:
            if text.words[0].label == label:
                inside[any(word.form.lower() == form for word in text.words)].append(text.explained == answer)
        if not (inside[True] and inside[False]):
            continue
        weight = len(inside[True]) * len(inside[False]) / (len(inside[True]) + len(inside[False]))
        top += weight * (np.mean(inside[True]) - np.mean(inside[False]))
        bottom += weight
    return float(top / bottom)


def test_what_is_planted_comes_first_and_its_numbers_are_those_of_plain_loops(store: Store, posts: list[Text]) -> None:
    found = shortcuts(store, permutations=299, resamples=300, limit=0)
    first = found.frame.row(0, named=True)
    assert (first["kind"], first["item"], first["class"], first["passes"]) == ("tag", "@news", "b", True)
    assert {"word", "tag", "punctuation", "place", "length", "metadata"} <= set(found.frame["kind"])
    shares = []
    for row in found.frame.filter(pl.col("kind").is_in(["word", "tag", "punctuation"])).iter_rows(named=True):
        assert row["pull"] == pytest.approx(rates(posts, row["item"], row["class"]))
        assert row["pull_low"] <= row["pull"] <= row["pull_high"]
        holding = [text for text in posts if any(word.form.lower() == row["item"] for word in text.words)]
        assert row["documents"] == len(holding)
        assert row["labelled"] == pytest.approx(np.mean([text.words[0].label == row["class"] for text in holding]))
        shares = [
            sum(word.relevance for word in text.words if word.form.lower() == row["item"]) / sum(word.relevance for word in text.words)
            for text in holding
            if text.explained == row["class"]
        ]
        assert row["share"] == pytest.approx(np.mean(shares))
        wrong = [text.document for text in holding if text.explained == row["class"] != text.words[0].label]
        assert set(row["examples"][: len(wrong)]) <= set(wrong)
    assert found.passing == int(found.frame["passes"].sum())
    assert found.frame.filter("passes")["item"].to_list()[0] == "@news"


def test_z_and_the_adjusted_p_are_those_of_shuffling_by_hand() -> None:
    random = np.random.default_rng(2)
    values = np.round(random.random((6, 40)) * (random.random((6, 40)) < 0.4), 3)
    labels, codes = random.integers(0, 2, 40), random.integers(0, 3, 40)
    z, adjusted, nulls = reliance.judge(sparse.csr_array(values), codes, labels, 3, permutations=400, seed=1)

    def centred(answers: np.ndarray) -> np.ndarray:
        rows = np.stack([answers == number for number in range(3)]).astype(float)
        for label in (0, 1):
            rows[:, labels == label] -= rows[:, labels == label].mean(1, keepdims=True)
        return np.asarray(values @ rows.T)

    drawn = []
    other = np.random.default_rng(9)
    for _ in range(4000):
        answers = codes.copy()
        for label in (0, 1):
            answers[labels == label] = other.permutation(answers[labels == label])
        drawn.append(centred(answers))
    spread = np.std(drawn, axis=0)
    assert np.mean(drawn, axis=0) == pytest.approx(0, abs=0.1)
    assert z == pytest.approx(centred(codes) / spread, abs=0.15)
    largest = (np.array(drawn) / spread).max((1, 2))
    assert np.quantile(nulls, 0.9) == pytest.approx(np.quantile(largest, 0.9), abs=0.25)
    expected = (largest[:, None, None] >= z[None]).mean(0)
    assert adjusted == pytest.approx(expected, abs=0.12)


def test_nothing_passes_where_answers_follow_the_label_alone(tmp_path: Path) -> None:
    with stored(tmp_path / "store.duckdb", texts(4, planted=False)) as opened:
        found = shortcuts(opened, permutations=299, shuffles=50, resamples=200)
    assert found.passing == 0
    assert sum(number > 0 for number in found.null) <= 2
    assert "any in" in found.control


def test_a_row_leads_to_its_words_and_to_the_test_of_it(store: Store, posts: list[Text]) -> None:
    found = shortcuts(store, permutations=99, resamples=50, shuffles=2, limit=0)
    lead = found.lead(1)
    occurrences = sum(word.form == "@News" for text in posts if text.explained == "b" for word in text.words)
    assert len(store.sql(lead.rows)) == occurrences == find(store, str(lead.pattern)).total
    first = found.frame.row(0, named=True)
    assert first["command"].startswith("workbench counterfactual '[form=\"@news\"%lc]' --label b --store ")
    commands = {kind: shlex.split(command) for kind, command in found.frame.select("kind", "command").iter_rows()}
    edits = dict(found.frame.select("kind", "edit").iter_rows())
    assert {"place": "move", "length": "length", "metadata": "none", "tag": "mask", "word": "mask"}.items() <= edits.items()
    for kind in ("place", "length"):
        row = next(row for row in found.frame.iter_rows(named=True) if row["kind"] == kind and row["command"] == shlex.join(commands[kind]))
        assert commands[kind][1] == "counterfactual"
        holding = find(store, commands[kind][2], limit=0).frame["identifier"].n_unique()
        assert holding == row["documents"] if kind == "place" else holding <= row["documents"]
        assert ["--edit", row["edit"]] == commands[kind][3:5]
    assert commands["metadata"][1] == "keyness"
    unread = found.frame.filter(pl.col("kind") == "metadata")
    assert set(unread["test"]) == {UNREAD}
    assert found.frame.filter(pl.col("command") == "").is_empty()
    length = next(place for place, kind in enumerate(found.frame["kind"], start=1) if kind == "length")
    other = found.lead(length)
    assert set(store.sql(other.documents)["identifier"]) == set(found.frame["examples"][length - 1])
    assert found.trust is not None
    assert found.brief.frame.columns[-1] == "item"
    assert len(store.sql(found.sql)) == DOCUMENTS


def test_what_cannot_be_looked_for_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="99 permutations"):
        shortcuts(store, permutations=5)
    with pytest.raises(StoreError, match="answers of a single class: b"):
        shortcuts(store, where={"explained": "b"})
