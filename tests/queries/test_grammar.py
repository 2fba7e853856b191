"""Grammar of relevance against plain loops over words: classes, shares, lifts, means, and where each row leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from tests.patterns.brute import Text
from tests.patterns.corpus import corpus, tables
from workbench.patterns import find
from workbench.queries import answer, query
from workbench.store import Store
from workbench.store.synthetic import frames

Words = list[SimpleNamespace]


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return corpus(3, 30, labels=1, longest=16)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, texts: list[Text]) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("grammar") / "store.duckdb", "write") as opened:
        opened.append(frames(tables(texts)), 1)
        yield opened


def relation(word: SimpleNamespace, words: Words) -> list[Any]:
    return [word.relation or "none"]


def features(word: SimpleNamespace, words: Words) -> list[Any]:
    return word.features.split("|") if word.features else ["none"]


def in_sentence(word: SimpleNamespace, words: Words) -> list[Any]:
    places = [other.index for other in words if other.sentence == word.sentence]
    return [1 + (word.index - places[0]) * 10 // len(places)]


def in_document(word: SimpleNamespace, words: Words) -> list[Any]:
    return [min(word.index + 1, 4)]


def to_head(word: SimpleNamespace, words: Words) -> list[Any]:
    return [0 if word.head is None else max(-2, min(2, word.head - word.index))]


def negation(word: SimpleNamespace, words: Words) -> list[Any]:
    marks = [other for other in words if (other.lemma or other.form).lower() == "not"]
    if word in marks:
        return ["negation"]
    if any(mark.head == word.index and mark.sentence == word.sentence for mark in marks):
        return ["negated"]
    return ["near" if any(abs(mark.index - word.index) <= 3 and mark.sentence == word.sentence for mark in marks) else "other"]


def modality(word: SimpleNamespace, words: Words) -> list[Any]:
    """Modals are named by the question's parameter; the generated relations have neither aux nor xcomp."""
    return ["modal" if (word.lemma or word.form).lower() == "walk" else "other"]


CASES: list[tuple[str, str, Callable[[SimpleNamespace, Words], list[Any]], dict[str, Any]]] = [
    ("relevance_by_relation", "relation", relation, {}),
    ("relevance_by_feature", "feature", features, {}),
    ("relevance_by_sentence_position", "position", in_sentence, {}),
    ("relevance_by_document_position", "position", in_document, {"absolute": True, "parts": 4}),
    ("relevance_by_head_distance", "distance", to_head, {"longest": 2}),
    ("relevance_by_negation", "negation", negation, {}),
    ("relevance_by_modality", "modality", modality, {"words": ["walk"]}),
]


@pytest.mark.parametrize(("name", "column", "classes", "given"), CASES, ids=[case[0] for case in CASES])
def test_a_question_is_a_loop_over_words(
    store: Store, texts: list[Text], name: str, column: str, classes: Callable[[SimpleNamespace, Words], list[Any]], given: dict[str, Any]
) -> None:
    size: dict[Any, float] = defaultdict(float)
    relevance: dict[Any, float] = defaultdict(float)
    count: dict[Any, int] = defaultdict(int)
    documents: dict[Any, set[str]] = defaultdict(set)
    total, words = 0.0, 0
    for text in texts:
        for word in text.words:
            if not word.seen or (column == "distance" and word.head is None and word.relation is None):
                continue
            total += abs(word.relevance)
            words += 1
            for item in classes(word, text.words):
                size[item] += abs(word.relevance)
                relevance[item] += word.relevance
                count[item] += 1
                documents[item].add(text.document)
    found = answer(store, name, resamples=100, **given)
    assert set(found.frame[column]) == set(count)
    for number, row in enumerate(found.frame.iter_rows(named=True), start=1):
        item = row[column]
        assert (row["occurrences"], row["documents"]) == (count[item], len(documents[item]))
        assert row["share"] == pytest.approx(size[item] / total)
        assert row["lift"] == pytest.approx((size[item] / total) / (count[item] / words))
        assert row["mean"] == pytest.approx(relevance[item] / count[item], abs=1e-6)
        assert row["lift_low"] - 1e-9 <= row["lift"] <= row["lift_high"] + 1e-9
        lead = found.lead(number)
        behind = store.sql(lead.rows)
        assert len(behind) == count[item]
        if lead.pattern is not None:
            assert find(store, lead.pattern, **lead.options).total == count[item]


def test_parts_of_speech_have_lifts_among_words_and_shares_of_everything(store: Store, texts: list[Text]) -> None:
    found = query(store, "relevance_by_upos", resamples=100)
    assert found["share"].sum() == pytest.approx(1.0)
    special = found.filter(upos="special").row(0, named=True)
    assert special["lift"] is None
    assert special["share"] > 0
    words = [word for text in texts for word in text.words if word.seen]
    nouns = [word for word in words if word.upos == "NOUN"]
    share = sum(abs(word.relevance) for word in nouns) / sum(abs(word.relevance) for word in words)
    row = found.filter(upos="NOUN").row(0, named=True)
    assert row["lift"] == pytest.approx(share / (len(nouns) / len(words)))
    assert row["mean_size"] == pytest.approx(sum(abs(word.relevance) for word in nouns) / len(nouns), abs=1e-6)
    assert row["low"] < row["mean"] < row["high"]


def test_languages_have_their_own_negations(store: Store) -> None:
    """A German text holds no English negation; a text without a language may hold any."""
    counted = query(store, "relevance_by_negation", words=["good"]).filter(negation="negation")["occurrences"].sum()
    lemmas = store.sql("SELECT count(*) FROM word_relevance WHERE kind = 'word' AND lower(coalesce(lemma, form)) = 'good'").item()
    assert counted == lemmas


def test_many_documents_are_drawn_in_blocks(store: Store) -> None:
    """The statement of a large store groups documents; the sums stay what they are."""
    found = answer(store, "relevance_by_relation")
    blocks = store.sql(found.sql.replace("> 2000", "> 5"))
    plain = store.sql(found.sql)
    assert blocks["document"].n_unique() <= plain["document"].n_unique()
    for frame in (blocks, plain):
        sums = frame.group_by("item").agg(pl.col("occurrences", "documents").sum()).sort("item", nulls_last=True)
        assert sums.drop_nulls()["occurrences"].sum() == sums.filter(pl.col("item").is_null())["occurrences"].item()
        assert sums.filter(pl.col("item").is_null())["documents"].item() == 30
