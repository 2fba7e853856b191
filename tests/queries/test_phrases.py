"""Phrases of salient words against a plain computation, their patterns, and their agreement with gold spans."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.patterns import corpus
from tests.patterns.brute import Text
from workbench.errors import StoreError
from workbench.evaluation.phrases import iou_f1, phrase_agreement, placed, token_f1
from workbench.patterns import find
from workbench.queries import answer, query
from workbench.queries.ask import used
from workbench.queries.question import describe, filled
from workbench.queries.semantics.phrases import of_words
from workbench.store import Store, synthetic

TEXTS = corpus.corpus(5, 24, longest=12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("phrases") / "store.duckdb", TEXTS) as opened:
        yield opened


def by_hand(text: Text, link: str, cover: float, gap: int) -> set[frozenset[int]]:
    """The phrases of one text as sets of words: one pass at a time, nothing clever."""
    words = [word for word in text.words if word.seen and word.upos != "PUNCT"]
    sizes = {word.index: max(float(np.float32(word.relevance)), 0.0) for word in words}
    salient: set[int] = set()
    held = 0.0
    for index in sorted(sizes, key=lambda index: (-sizes[index], index)):
        if sizes[index] > 0 and held < cover * sum(sizes.values()) - 1e-12:
            salient.add(index)
        held += sizes[index]
    inside = set(salient)
    for index in sizes:
        before = [one for one in salient if one < index]
        after = [one for one in salient if one > index]
        if before and after and min(after) - max(before) <= gap + 1:
            inside.add(index)
    group = {index: {index} for index in inside}
    known = {word.index: word for word in words}
    for one in inside:
        for other in inside:
            side = other - one == 1 and known[one].sentence == known[other].sentence
            arc = known[one].head == other and {one, other} <= salient
            if (side and link != "dependency") or (arc and link != "adjacent"):
                joined = group[one] | group[other]
                for index in joined:
                    group[index] = joined
    return {frozenset(found) for found in group.values() if found & salient}


def spans(store: Store, link: str, cover: float, gap: int) -> pl.DataFrame:
    question = describe("phrases")
    frame = store.sql(question.statement, used(question, filled(question, {"cover": cover, "gap": gap})))
    return of_words(frame, link)


@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("link", ["adjacent", "dependency", "both"])
def test_phrases_are_those_of_a_plain_computation(store: Store, link: str, gap: int) -> None:
    found = spans(store, link, 0.65, gap)
    names = dict(store.sql("SELECT document, identifier FROM documents").rows())
    got: dict[tuple[str, str], set[frozenset[int]]] = defaultdict(set)
    for document, label, places in found.select("document", "label", "places").iter_rows():
        got[names[document], label].add(frozenset(places))
    for text in TEXTS:
        assert got[text.document, text.explained] == by_hand(text, link, 0.65, gap), text.document


def test_relevance_and_counts_are_sums_over_the_texts(store: Store) -> None:
    found = query(store, "phrases", link="both", minimum_words=1, limit=1000, resamples=200)
    occurrences: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    wholes: dict[str, float] = defaultdict(float)
    for text in TEXTS:
        known = {word.index: word for word in text.words}
        for phrase in by_hand(text, "both", 0.7, 0):
            numbers = sorted(phrase)
            named = [
                ("… " if place and number - numbers[place - 1] > 1 else "") + str(corpus_term(known[number]))
                for place, number in enumerate(numbers)
            ]
            occurrences[text.explained, " ".join(named)].append((text.document, sum(known[number].relevance for number in numbers)))
        wholes[text.explained] += sum(max(word.relevance, 0) for word in text.words if word.seen)
    assert {(row["label"], row["phrase"]) for row in found.iter_rows(named=True)} == set(occurrences)
    for row in found.iter_rows(named=True):
        here = occurrences[row["label"], row["phrase"]]
        total = sum(value for _, value in here)
        assert row["mean"] == pytest.approx(total / len(here), abs=1e-5)
        assert row["share"] == pytest.approx(total / wholes[row["label"]], abs=1e-5)
        assert (row["documents"], row["occurrences"]) == (len({name for name, _ in here}), len(here))
        if row["documents"] > 1:
            assert row["low"] - 1e-6 <= row["mean"] <= row["high"] + 1e-6
        else:
            assert row["low"] is None


def corpus_term(word: Any) -> str:
    """The lemma of a word, its form where there is none, in NFC."""
    return unicodedata.normalize("NFC", word.lemma or word.form)


def test_the_pattern_of_a_phrase_finds_it(store: Store) -> None:
    found = query(store, "phrases", link="both", limit=6, resamples=2)
    for row in found.iter_rows(named=True):
        hits = find(store, row["pattern"], limit=None)
        there = hits.frame.filter(explained=row["label"])
        assert len(there) >= row["occurrences"], row["pattern"]
    lead = answer(store, "phrases", link="both", limit=6, resamples=2).lead(1)
    assert lead.pattern == found["pattern"][0]
    assert len(store.sql(lead.documents)) >= found["documents"][0]


def test_phrases_against_a_class_are_of_negative_relevance(store: Store) -> None:
    found = query(store, "phrases", against=True, minimum_words=1, limit=5, resamples=2)
    assert (found["mean"] < 0).all()
    assert (found["share"] > 0).all()


def test_grammar_needs_dependencies(tmp_path: Path) -> None:
    with Store.open(tmp_path / "flat.duckdb", "write") as flat:
        assert query(flat, "phrases").is_empty()
        flat.append(synthetic.batch(["one", "two"]), 1)
        assert len(query(flat, "phrases", minimum_words=1))
        with pytest.raises(StoreError, match="no dependencies"):
            query(flat, "phrases", link="both")
        with pytest.raises(StoreError, match="no text with such spans"):
            phrase_agreement(flat)


def test_scores_of_spans_by_hand() -> None:
    given, wanted = [frozenset({0, 1}), frozenset({5})], [frozenset({0, 1, 2}), frozenset({7, 8})]
    assert token_f1(given, wanted) == pytest.approx(2 * (2 / 3 * 2 / 5) / (2 / 3 + 2 / 5))
    assert iou_f1(given, wanted) == pytest.approx(0.5)
    assert iou_f1([frozenset({1}), frozenset({2})], [frozenset({1, 2})]) == pytest.approx(1), "halves find the whole"
    assert iou_f1([], wanted) == token_f1([], wanted) == 0


def test_random_runs_keep_their_lengths() -> None:
    random = np.random.default_rng(0)
    firsts = set()
    for _ in range(60):
        found = placed([frozenset({0, 1, 2}), frozenset({5})], np.arange(10, 20), random)
        assert sorted(map(len, found)) == [1, 3]
        ordered = sorted(found, key=min)
        assert min(ordered[1]) - max(ordered[0]) > 1, "they do not touch"
        assert all(min(one) >= 10 and max(one) < 20 and max(one) - min(one) == len(one) - 1 for one in found)
        firsts.add(min(ordered[0]))
    assert len(firsts) > 4
    assert sorted(map(len, placed([frozenset({0, 1}), frozenset({2})], np.arange(3), random))) == [1, 2]


def test_agreement_with_gold_spans(tmp_path: Path) -> None:
    """Where people marked exactly the two words that carry the relevance, merged phrases are right, single words half right."""
    texts = corpus.corpus(3, 12, labels=1, longest=12)
    texts = [text for text in texts if len([word for word in text.words if word.seen]) == len(text.words) >= 5]
    assert len(texts) > 3
    rows_metadata = {}
    for text in texts:
        place = 0
        for word in text.words:
            word.relevance, word.sentence, word.upos = (1.0 if word.index in (1, 2, 4) else -0.1), 0, "NOUN"
        ends = [place := place + len(word.form) + 1 for word in text.words]
        rows_metadata[text.document] = json.dumps({"marked": [[ends[0], ends[2] - 1], [ends[3], ends[4] - 1]]})
    tables = corpus.tables(texts)
    for row in tables["document"]:
        row["metadata"] = rows_metadata[row["identifier"]]
    with Store.open(tmp_path / "gold.duckdb", "write") as opened:
        opened.append(corpus.frames(tables), 1)
        found = phrase_agreement(opened, "marked", cover=1.0)
    value = {(row["method"], row["metric"]): row["mean"] for row in found.iter_rows(named=True)}
    assert value["phrases, adjacent", "iou_f1"] == value["phrases, adjacent", "token_f1"] == 1
    assert value["single words", "token_f1"] == 1
    assert value["top word", "token_f1"] == pytest.approx(0.5)
    assert value["phrases, adjacent − single words", "token_f1"] == 0
    assert value["random", "iou_f1"] < 0.9
