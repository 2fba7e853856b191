"""Patterns on the two texts of a pair against a plain search over the interactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from workbench.errors import InputError, StoreError
from workbench.patterns import concordance, find, sql_of
from workbench.store import Store, synthetic_pairs

Check = Callable[[dict[str, Any]], bool]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("pairs") / "store.duckdb", "write") as opened:
        opened.append(synthetic_pairs.pairs([f"p{number:02}" for number in range(30)]), 1)
        yield opened


@pytest.fixture(scope="module")
def cells(store: Store) -> list[dict[str, Any]]:
    """Cells between two words, with the relevance of each word by itself."""
    return store.sql(
        "SELECT i.*, d.identifier, d.label, d.corpus, l.relevance AS left_relevance, r.relevance AS right_relevance FROM interactions i "
        "JOIN documents d USING (document) "
        "JOIN word_relevance l ON l.document = i.document AND l.role = 'text_a' AND l.word = i.left_word "
        "JOIN word_relevance r ON r.document = i.document AND r.role = 'text_b' AND r.word = i.right_word"
    ).to_dicts()


def single(value: float) -> float:
    return float(np.float32(value))


QUERIES: dict[str, Check] = {
    'a:[upos="NOUN"] ~> b:[upos="VERB"] :: interaction(a,b) > 0.05': lambda c: (
        c["left_upos"] == "NOUN" and c["right_upos"] == "VERB" and c["relevance"] > single(0.05)
    ),
    'a:[] ~> b:[] :: interaction(b, a) < -1 & matched(a, b) = "other"': lambda c: c["relevance"] < -1 and c["matched"] == "other",
    "a:[] ~> b:[] :: a.form = b.form": lambda c: c["left_form"] == c["right_form"],
    'a:[] ~> b:[] :: match.matched = "identical" | interaction(a, b) > 3': lambda c: c["matched"] == "identical" or c["relevance"] > 3,
    '[lemma="আম|নে"] ~> [upos!="NOUN"]': lambda c: c["left_lemma"] in ("আম", "নে") and c["right_upos"] != "NOUN",
    "[relevance>1] ~> [relevance<0 & sentence=0]": lambda c: c["left_relevance"] > 1 and c["right_relevance"] < 0,
    "[index=0] ~> [index=0]": lambda c: c["left_word"] == 0 and c["right_word"] == 0,
    'a:[language="bn"] ~> b:[corpus="pairs" & relation="dep"] :: a.relevance > b.relevance & label = "paraphrase"': lambda c: (
        c["left_relevance"] > c["right_relevance"]
    ),
    '[upos="NOUN"] ~> [] :: match.similarity > 2 & match.relevance < 0 & match.judged = 3.5': lambda c: (
        c["left_upos"] == "NOUN" and c["similarity"] > 2 and c["relevance"] < 0
    ),
    'a:[] ~> b:[upos="ADJ"] :: abs(interaction(a, b)) > 2 * abs(a.relevance)': lambda c: (
        c["right_upos"] == "ADJ" and abs(c["relevance"]) > 2 * abs(c["left_relevance"])
    ),
    '[role="text_a"] ~> [role="text_b" & upos="VERB"]': lambda c: c["right_upos"] == "VERB",
}


@pytest.mark.parametrize("query", QUERIES)
def test_words_of_two_texts(store: Store, cells: list[dict[str, Any]], query: str) -> None:
    wanted = {(c["identifier"], c["left_word"], c["right_word"]): c["relevance"] for c in cells if QUERIES[query](c)}
    assert wanted, "a query that tests nothing"
    answer = find(store, query, limit=None)
    rows = answer.frame.select("identifier", "match_start", "right_start", "relevance").rows()
    assert {row[:3]: row[3] for row in rows} == pytest.approx(wanted)
    assert len(rows) == answer.total == len(wanted)
    assert answer.frame["relevance"].is_sorted(descending=True)
    assert answer.is_pair


def test_sequences_of_two_texts(store: Store, cells: list[dict[str, Any]]) -> None:
    answer = find(store, 'a:([] [upos="NOUN"]) ~> []? b:[upos="NOUN"] :: interaction(a, b) > 0.5 & match.relevance > 0', limit=None)
    words = store.sql("SELECT identifier, w.role, word, upos FROM words w JOIN documents USING (document)").to_dicts()
    upos = {(word["identifier"], word["role"], word["word"]): word["upos"] for word in words}
    value = {(c["identifier"], c["left_word"], c["right_word"]): c["relevance"] for c in cells}
    wanted = {}
    for identifier in sorted({key[0] for key in upos}):
        left = [(n - 1, n) for n in range(1, 10) if upos.get((identifier, "text_a", n)) == "NOUN"]
        nouns = [n for n in range(10) if upos.get((identifier, "text_b", n)) == "NOUN"]
        right = [(start, n) for n in nouns for start in (n - 1, n) if start >= 0]
        for one in left:
            for other in right:
                inner = sum(value[identifier, first, other[1]] for first in one)
                whole = sum(value[identifier, first, second] for first in one for second in range(other[0], other[1] + 1))
                if inner > 0.5 and whole > 0:
                    wanted[identifier, *one, *other] = whole
    rows = answer.frame.select("identifier", "match_start", "match_end", "right_start", "right_end", "relevance").rows()
    assert len(wanted) > 20
    assert {row[:5]: row[5] for row in rows} == pytest.approx(wanted)
    assert answer.total == len(wanted)


def test_a_pair_shows_the_words_of_both_texts(store: Store) -> None:
    answer = find(store, 'a:[upos="NOUN"] ~> b:[upos="VERB"]', limit=4)
    texts = store.sql("SELECT document, role, text FROM segments").rows()
    text = {(document, role): content.split(" ") for document, role, content in texts}
    for row in answer.frame.iter_rows(named=True):
        assert row["role"] == "text_a~text_b"
        assert row["match"] == row["a"] == text[row["document"], "text_a"][row["match_start"]]
        assert row["right"] == row["b"] == text[row["document"], "text_b"][row["right_start"]]
        own = store.sql(
            "SELECT relevance FROM word_relevance WHERE document = $1 AND role = 'text_b' AND word = $2", [row["document"], row["b_start"]]
        )
        assert row["b_relevance"] == pytest.approx(own["relevance"][0])
    context = concordance(store, answer, width=20)
    assert context["role"].to_list() == ["text_a", "text_b"] * 4
    whole = context.select(pl.concat_list("left_words", "match_words", "right_words")).to_series().to_list()
    assert whole == [text[row["document"], role] for row in answer.frame.iter_rows(named=True) for role in ("text_a", "text_b")]


def test_one_text_of_a_pair_can_be_searched_alone(store: Store) -> None:
    both = find(store, '[upos="VERB"]', limit=None)
    one = find(store, '[upos="VERB"]', role="text_b", limit=None)
    assert set(both.frame["role"]) == {"text_a", "text_b"}
    assert one.total == both.frame.filter(pl.col("role") == "text_b").height
    with pytest.raises(StoreError, match="no role text_c"):
        find(store, '[upos="VERB"]', role="text_c")


def test_a_store_without_pairs_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty.duckdb", "write") as empty, pytest.raises(StoreError, match="no interactions in this store"):
        find(empty, '"a" ~> "b"')
    with pytest.raises(InputError, match="a pair explains its similarity, no class"):
        sql_of('[explained="x"] ~> "b"')
