"""Answers with their trust line, their SQL and what stands behind each row; one run alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.errors import InputError, StoreError
from workbench.patterns import find
from workbench.queries import Answer, Evidence, answer, trust
from workbench.queries.evidence import cql, value_as_sql, with_parameters
from workbench.store import Store, synthetic

FIRST, SECOND = (f"a{n:02}" for n in range(15)), (f"b{n:02}" for n in range(9))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of different documents; faithfulness of the ensemble on those of the first."""
    path = tmp_path_factory.mktemp("answers") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(synthetic.batch(list(FIRST)), 1)
        documents = opened.sql("SELECT document FROM documents ORDER BY document")["document"].to_list()
        opened.append(synthetic.batch(list(SECOND)), 2)
        owner = {"role": "text", "model": "ensemble", "ordering": "signed", "metric": "comprehensiveness"}
        scores = [
            {"document": document, **owner, "method": method, "value": value}
            for document in documents
            for method, value in (("attnlrp", 0.5 + document / 100), ("random", 0.1), ("occlusion", 0.9))
        ]
        opened.append_scores(pl.DataFrame(scores), 1)
    return path


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def test_trust_counts_what_an_answer_rests_on(store: Store) -> None:
    found = trust(store)
    held = store.sql("SELECT count(*) AS n FROM token_relevance JOIN explanations e USING (explanation) WHERE e.member_of IS NOT NULL")
    assert found.tokens == held["n"][0] > 0
    assert (found.documents, found.explanations, found.open) == (24, 48, 0)
    assert found.gap == store.sql("SELECT max(relative_gap) AS gap FROM explanations WHERE member_of IS NULL")["gap"][0]
    one = trust(store, model="first", label="political")
    own = store.sql("SELECT count(*) AS n FROM token_relevance WHERE model = 'first' AND label = 'political'")["n"][0]
    assert (one.tokens, one.explanations) == (own, 24)
    assert "faithfulness not measured" in one.line


def test_trust_sets_faithfulness_beside_random_order(store: Store) -> None:
    (found,) = trust(store).faithfulness
    numbers = store.sql("SELECT value FROM faithfulness WHERE method = 'attnlrp' ORDER BY document")["value"].to_numpy() - 0.1
    assert found.above_random == pytest.approx(numbers.mean())
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.above_random < found.high
    assert (found.model, found.method, found.documents) == ("ensemble", "attnlrp", 15)
    line = trust(store).line
    for part in ("tokens of 24 documents", "all ledgers close", "above random order on 15 documents", "association, not cause"):
        assert part in line


def test_what_does_not_beat_random_order_is_called_so(store: Store) -> None:
    worse = trust(store).faithfulness[0]
    fields = {name: getattr(worse, name) for name in worse.__slots__}
    assert "NOT shown to be better" in type(worse)(**{**fields, "low": -0.1}).text
    assert "NOT shown to be better" in type(worse)(**{**fields, "low": None, "high": None}).text


def test_nothing_explained_is_said(store: Store) -> None:
    assert "no relevance" in trust(store, corpus="elsewhere").line


def test_an_answer_knows_its_sql(store: Store) -> None:
    found = answer(store, "relevance_by_upos", label="political")
    assert found.trust == trust(store, label="political")
    again = store.sql(found.sql)
    sums = dict(again.group_by("item").agg(pl.col("occurrences").sum()).iter_rows())
    assert sums == dict(found.frame.select("upos", "occurrences").iter_rows())
    assert "'political'" in found.sql


def test_every_row_of_parts_of_speech_leads_to_its_words_and_documents(store: Store) -> None:
    found = answer(store, "relevance_by_upos")
    for number, row in enumerate(found.frame.iter_rows(named=True), start=1):
        lead = found.lead(number)
        behind = store.sql(lead.rows)
        assert len(behind) == row["occurrences"]
        documents = store.sql(lead.documents)
        assert len(documents) == row["documents"]
        assert documents["occurrences"].sum() == row["occurrences"]
        assert documents["relevance"].sum() == pytest.approx(row["mean"] * row["occurrences"])
        if row["upos"] in ("special", "uncovered"):
            assert lead.pattern is None
        else:
            assert find(store, str(lead.pattern), **lead.options).total == row["occurrences"]


def test_a_row_that_is_not_there(store: Store) -> None:
    found = answer(store, "relevance_by_upos")
    for number in (0, len(found) + 1):
        with pytest.raises(InputError, match="rows"):
            found.lead(number)
    with pytest.raises(InputError, match="--sql"):
        Answer("failures", pl.DataFrame({"error": ["x"]}), None, "").lead(1)


def test_an_answer_of_python_is_shown_as_any_other(store: Store) -> None:
    frame = pl.DataFrame({"lemma": ["ভাত", "নেতা"], "score": [2.0, 1.0]})
    found = Answer("lemmas", frame, trust(store), "FROM words", method="in Python", evidence=Evidence("word_relevance", "lemma = {lemma}"))
    assert found.shown == "2 rows"
    assert found.head(1).shown == "1 of 2 rows"
    assert found.head(0) is found
    assert set(store.sql(found.lead(2).rows)["lemma"]) == {"নেতা"}
    page = found._repr_html_()
    assert "association, not cause" in page
    with pytest.raises(InputError, match="no column"):
        Answer("lemmas", frame, None, "", evidence=Evidence("words", "form = {form}")).lead(1)


@pytest.mark.parametrize("text", ["it's", 'say "no"', "a\\", 'a\\"b', "x' OR 1=1 --", "ক্ষ", "a|b", "]", "%l"])
def test_values_are_taken_letter_by_letter(store: Store, text: str) -> None:
    row = {"form": text}
    lead = Evidence("words", "form = {form}", "[form={form}]").lead(row)
    assert store.sql(lead.rows).is_empty()
    assert find(store, str(lead.pattern), model="ensemble").total == 0
    assert store.sql(f"SELECT {value_as_sql(text)} AS t")["t"][0] == text
    assert cql("abc") == '"abc"'


@pytest.mark.parametrize(
    ("value", "sql"),
    [(None, "NULL"), (True, "true"), (3, "3"), (0.1, "0.1::DOUBLE"), (float("nan"), "'nan'::DOUBLE"), ([1, "a"], "[1, 'a']")],
)
def test_values_as_sql(value: Any, sql: str) -> None:
    assert value_as_sql(value) == sql
    assert with_parameters("SELECT $a, $ab", {"a": value, "ab": 1}) == f"SELECT {sql}, 1"


def test_one_run_alone(path: Path, store: Store) -> None:
    with Store.open(path, run=2) as second:
        assert second.sql("SELECT count(*) AS n FROM documents")["n"][0] == 9
        for view in ("explanations", "word_relevance", "token_relevance", "words", "predictions", "segments"):
            here = second.sql(f"SELECT count(*) AS n FROM {view}")["n"][0]
            there = store.sql(f"SELECT count(*) AS n FROM {view} JOIN documents USING (document) WHERE identifier LIKE 'b%'")["n"][0]
            assert here == there > 0, view
        assert trust(second).documents == 9
        assert trust(second).faithfulness == ()
        by_pattern = find(second, '[upos="NOUN"]', model="ensemble").total
        assert answer(second, "relevance_by_upos").frame.filter(upos="NOUN")["occurrences"].sum() == by_pattern
        assert len(second.sql("FROM runs")) == len(store.sql("FROM runs"))
    with pytest.raises(StoreError, match="choose one of 1, 2"):
        Store.open(path, run=3)
    with pytest.raises(StoreError, match="only to read"):
        Store.open(path, "write", run=1)
