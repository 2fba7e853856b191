"""Patterns on a store of many rows against a computation by shifted columns; the same store serves for timing (workbench bench queries)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from workbench.patterns import concordance, find
from workbench.store import Store
from workbench.store.generated import generate

ROWS = 40_000
PATTERNS = (
    '[upos="ADJ" & relevance>0.1] [upos="NOUN"]',
    '[upos="ADJ" & relevance>0.1] [upos="NOUN"] within sentence',
    '[upos="ADJ" & relevance>0.1] []{0,3} [upos="NOUN"]',
    '[upos="ADJ"]+ [upos="NOUN"]',
    'a:[upos="ADJ"] b:[upos="NOUN"] :: a.relevance > b.relevance + 0.1',
    '[lemma="w1[0-9]" & label="political"]',
    '[Number="Plur" & relevance>0.3] [upos="VERB"]',
    "_ -amod-> [relevance<0]",
    '[upos="VERB"] -nsubj-> a:[] ; -obj-> b:[]',
    'a:[upos="NOUN"] ~> b:[upos="VERB"] :: interaction(a, b) > 0.05',
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("many") / "store.duckdb"
    assert "interactions" in list(generate(path, ROWS))
    with Store.open(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def words(store: Store) -> pl.DataFrame:
    """Words with those that follow in the same text."""
    frame = store.sql("SELECT explanation, word, upos, sentence, relevance FROM word_relevance ORDER BY explanation, word")
    following = [pl.col("upos", "relevance", "sentence").shift(-n).over("explanation").name.suffix(str(n)) for n in (1, 2, 3, 4)]
    return frame.with_columns(following)


STRONG = (pl.col("upos") == "ADJ") & (pl.col("relevance") > pl.lit(0.1, pl.Float32))


def test_adjective_and_noun(store: Store, words: pl.DataFrame) -> None:
    chosen = words.filter(STRONG & (pl.col("upos1") == "NOUN"))
    answer = find(store, PATTERNS[0])
    assert answer.total == len(chosen) > 100
    sums = chosen.select(pl.col("relevance").cast(pl.Float64) + pl.col("relevance1").cast(pl.Float64)).to_series().sort(descending=True)
    assert answer.frame["relevance"].to_list() == sums[:50].to_list()
    within = chosen.filter(pl.col("sentence") == pl.col("sentence1"))
    assert find(store, PATTERNS[1]).total == len(within) < len(chosen)


def test_adjective_gap_noun(store: Store, words: pl.DataFrame) -> None:
    total = sum(len(words.filter(STRONG & (pl.col(f"upos{n}") == "NOUN"))) for n in (1, 2, 3, 4))
    answer = find(store, PATTERNS[2])
    assert answer.total == total
    best = answer.frame.row(0, named=True)
    span = words.filter((pl.col("explanation") == best["explanation"]) & pl.col("word").is_between(best["match_start"], best["match_end"]))
    assert best["relevance"] == pytest.approx(span["relevance"].cast(pl.Float64).sum())


def test_adjectives_in_a_row(store: Store, words: pl.DataFrame) -> None:
    """Runs of adjectives before a noun, one hit for each adjective that can begin."""
    runs = 0
    for (_,), text in words.group_by("explanation"):
        upos, sentence = text["upos"].to_list(), text["sentence"].to_list()
        for place, (tag, inside) in enumerate(zip(upos, sentence, strict=True)):
            back = place - 1
            while tag == "NOUN" and back >= 0 and upos[back] == "ADJ" and sentence[back] == inside and place - back <= 10:
                runs, back = runs + 1, back - 1
    assert find(store, PATTERNS[3]).total == runs


def test_pairs_of_nouns_and_verbs(store: Store) -> None:
    cells = store.sql("SELECT left_upos, right_upos, relevance FROM interactions")
    above = cells["relevance"].to_numpy() > np.float32(0.05)
    chosen = cells.filter((pl.col("left_upos") == "NOUN") & (pl.col("right_upos") == "VERB") & pl.Series(above))
    answer = find(store, PATTERNS[-1])
    assert answer.total == len(chosen) > 100
    assert answer.frame["relevance"].to_list() == pytest.approx(chosen["relevance"].sort(descending=True)[:50].to_list())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_timed_pattern_has_hits(store: Store, pattern: str) -> None:
    answer = find(store, pattern)
    assert answer.total >= len(answer) > 0
    if not answer.is_pair:
        assert len(concordance(store, answer)) == len(answer)
