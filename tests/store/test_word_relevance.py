"""Relevance meets words: an independent computation in Python, on spans nobody would write by hand, gives the same rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import fingerprint
from workbench.batch import SCHEMAS
from workbench.store import Store, synthetic, verify

LENGTH = 24
Span = tuple[int, int]
spans = st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).map(lambda pair: (min(pair), max(pair)))
numbers = st.floats(-100, 100, width=32)
token = st.tuples(spans, st.booleans(), numbers)
member = st.lists(token, min_size=1, max_size=8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("words") / "store.duckdb", "write") as opened:
        yield opened


def shared(words: list[Span], tokens: list[tuple[Span, bool, float]]) -> dict[tuple[str, int | None], float]:
    """The rule, plainly: a token's relevance goes to the words it overlaps by overlapping characters, or to a row of its own."""
    sums: dict[tuple[str, int | None], float] = defaultdict(float)
    for (start, end), special, value in tokens:
        overlaps = {index: max(0, min(end, stop) - max(start, begin)) for index, (begin, stop) in enumerate(words)}
        total = sum(overlaps.values())
        if special:
            sums["special", None] += value
        elif total == 0:
            sums["uncovered", None] += value
        else:
            for index, characters in overlaps.items():
                if characters:
                    sums["word", index] += value * characters / total
    return sums


def batch_of(words: list[Span], members: list[list[tuple[Span, bool, float]]], name: str) -> synthetic.Batch:
    """One document with an ensemble of members."""
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in SCHEMAS}
    text = "x" * LENGTH
    tables["document"].append(
        {"document": 0, "corpus": "c", "identifier": name, "fingerprint": fingerprint.of_json([name, str(words), str(members)])}
    )
    tables["segment"].append({"document": 0, "role": "text", "text": text})
    for index, (start, end) in enumerate(words):
        tables["word"].append(
            {"document": 0, "role": "text", "annotator": "a", "word": index, "char_start": start, "char_end": end, "form": text[start:end]}
        )
    tables["explanation"].append(synthetic.explanation(0, 0, name, "ensemble", "x", None, [0.0]))
    for number, tokens in enumerate(members, start=1):
        tables["explanation"].append(synthetic.explanation(number, 0, name, f"m{number}", "x", 0, [value for _, _, value in tokens]))
        for index, ((start, end), special, value) in enumerate(tokens):
            place = {"document": 0, "role": "text", "tokenizer": f"m{number}", "token": index}
            tables["token"].append({**place, "char_start": start, "char_end": end, "piece": "p", "special": special})
            tables["token_relevance"].append(
                {"explanation": number, "token": index, "relevance": value, "position": None, "sensitivity": abs(value)}
            )
    return synthetic.frames(tables)


def rows_of(store: Store, model: str) -> dict[tuple[str, int | None], float]:
    """Stored word relevance of one model."""
    frame = store.sql("SELECT kind::VARCHAR AS kind, word, relevance FROM word_relevance WHERE model = ?", [model])
    return {(kind, word): value for kind, word, value in frame.iter_rows()}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(words=st.lists(spans, max_size=6), members=st.lists(member, min_size=1, max_size=3))
def test_word_relevance_is_what_the_rule_says_and_nothing_is_lost(
    store: Store, words: list[Span], members: list[list[tuple[Span, bool, float]]]
) -> None:
    store.append(batch_of(words, members, "one"), 1)  # supersedes the example before
    mean: dict[tuple[str, int | None], float] = defaultdict(float)
    largest = max(1.0, *(abs(value) for tokens in members for _, _, value in tokens))
    for number, tokens in enumerate(members, start=1):
        expected, actual = shared(words, tokens), rows_of(store, f"m{number}")
        assert set(actual) == set(expected)
        for key, value in expected.items():
            assert math.isclose(actual[key], value, rel_tol=1e-6, abs_tol=1e-6 * largest)
            mean[key] += value / len(members)
        total = sum(value for _, _, value in tokens)
        assert math.isclose(sum(actual.values()), total, rel_tol=1e-6, abs_tol=1e-6 * largest * len(tokens))
    ensemble = rows_of(store, "ensemble")
    assert set(ensemble) == set(mean)
    for key, value in mean.items():
        assert math.isclose(ensemble[key], value, rel_tol=1e-6, abs_tol=1e-6 * largest)


def test_a_token_over_two_words_is_shared_by_characters(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch_of([(0, 3), (4, 5)], [[((1, 5), False, 3.0), ((3, 4), False, 7.0), ((0, 0), True, 1.0)]], "one"), 1)
        assert rows_of(store, "m1") == {("word", 0): 2.0, ("word", 1): 1.0, ("uncovered", None): 7.0, ("special", None): 1.0}


def test_new_words_remake_the_relevance_in_one_transaction(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["a", "b"]), 1)
        before = store.sql("SELECT explanation, sum(relevance) AS total FROM word_relevance GROUP BY 1 ORDER BY 1")
        store.replace_words(synthetic.batch(["a"], annotator="second"), 2)
        annotators = store.sql(
            "SELECT identifier, any_value(annotator) AS annotator FROM words JOIN documents USING (document) GROUP BY 1 ORDER BY 1"
        )
        assert annotators["annotator"].to_list() == ["second", "blank"]
        lemmas = store.sql(
            "SELECT DISTINCT w.lemma FROM word_relevance w JOIN documents d USING (document) WHERE identifier = 'a' AND kind = 'word'"
        )
        assert lemmas["lemma"].str.len_chars().max() == 2
        after = store.sql("SELECT explanation, sum(relevance) AS total FROM word_relevance GROUP BY 1 ORDER BY 1")
        assert (before["total"] - after["total"]).abs().max() < 1e-5  # type: ignore[operator]
        actions = store.sql("SELECT action FROM batches ORDER BY batch")["action"].to_list()
        assert actions == ["append", "replace_words"]
        with pytest.raises(Exception, match="append the documents first"):
            store.replace_words(synthetic.batch(["c"], annotator="second"), 2)
        assert isinstance(before, pl.DataFrame)
    assert verify(path).clean
