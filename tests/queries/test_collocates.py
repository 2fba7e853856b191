"""Collocation of relevance against plain loops over words; the test against all sign flips; random nodes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from tests.patterns.brute import Text
from tests.queries import keyness_corpus
from workbench.errors import InputError, StoreError
from workbench.patterns import find
from workbench.queries.keyness import collocates
from workbench.queries.keyness.nearness import judge_near
from workbench.queries.keyness.table import Table
from workbench.store import Store

DOCUMENTS = 30
QUICK: dict[str, Any] = {"permutations": 499, "controls": 0, "resamples": 50, "limit": 0, "side": "both"}


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return keyness_corpus.collocations(2, DOCUMENTS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, texts: list[Text]) -> Iterator[Store]:
    with keyness_corpus.store(tmp_path_factory.mktemp("collocates") / "store.duckdb", texts) as opened:
        yield opened


def near(words: list[Any], span: str, window: int) -> set[int]:
    """Indices of the words near a node, the slow way."""
    nodes = [word for word in words if word.form == "node"]
    found = set()
    for word in words:
        for node in nodes:
            same = word.sentence == node.sentence and word.form != "node"
            if span == "sentence" and same:
                found.add(word.index)
            if span == "window" and same and abs(word.index - node.index) <= window:
                found.add(word.index)
    return found


@pytest.mark.parametrize(("span", "window"), [("window", 2), ("window", 5), ("sentence", 5)])
def test_counts_and_shares_are_those_of_plain_loops(store: Store, texts: list[Text], span: str, window: int) -> None:
    found = collocates(store, "node", span=span, window=window, minimum_documents=1, minimum_occurrences=1, **QUICK)
    mass: dict[tuple[bool, str], float] = {}
    count: dict[tuple[bool, str], int] = {}
    for text in texts:
        places = near(text.words, span, window)
        for word in text.words:
            if word.form != "node":
                key = word.index in places, word.lemma
                mass[key] = mass.get(key, 0.0) + max(word.relevance, 0.0)
                count[key] = count.get(key, 0) + 1
    total = {side: sum(value for (near, _), value in mass.items() if near == side) for side in (True, False)}
    assert set(found.frame["item"]) == {item for there, item in count if there}
    for row in found.frame.iter_rows(named=True):
        assert row["near_count"] == count[True, row["item"]]
        assert row["elsewhere_count"] == count.get((False, row["item"]), 0)
        assert row["share"] == pytest.approx(mass[True, row["item"]] / total[True])
        assert row["elsewhere_share"] == pytest.approx(mass.get((False, row["item"]), 0.0) / total[False])
        nodes = sum(word.form == "node" for text in texts for word in text.words)
        everywhere = sum(word.lemma == row["item"] for text in texts for word in text.words)
        assert row["log_dice"] == pytest.approx(14 + np.log2(2 * row["near_count"] / (nodes + everywhere)))
    assert found.nodes == sum(word.form == "node" for text in texts for word in text.words)


def test_arcs_are_named_and_counted(store: Store, texts: list[Text]) -> None:
    found = collocates(store, "node", span="dependency", minimum_documents=1, minimum_occurrences=1, **QUICK)
    counts: dict[str, int] = {}
    for text in texts:
        for word in text.words[1:]:
            head = text.words[word.head]
            if head.form == "node" and word.form != "node":
                counts[f"-{word.relation}-> {word.lemma}"] = counts.get(f"-{word.relation}-> {word.lemma}", 0) + 1
            if word.form == "node" and head.form != "node":
                counts[f"<-{word.relation}- {head.lemma}"] = counts.get(f"<-{word.relation}- {head.lemma}", 0) + 1
    assert dict(found.frame.select("item", "near_count").iter_rows()) == counts
    for number, row in enumerate(found.frame.iter_rows(named=True), start=1):
        assert len(store.sql(found.lead(number).rows)) == row["near_count"]


def test_the_planted_collocate_is_found_and_around_random_nodes_hardly_anything(store: Store) -> None:
    for expected in ("share", "occurrences"):
        found = collocates(store, "node", window=2, expected=expected, limit=1, permutations=1999)  # type: ignore[arg-type]
        row = found.frame.row(0, named=True)
        assert (row["item"], row["side"], row["significant"]) == ("spark", "near", True)
        assert row["log_ratio_low"] > 1
        assert row["log_ratio"] > row["null_high"]
        assert sum(number > 0 for number in found.null) <= 2
        assert "around random nodes" in found.control
    lead = found.lead(1)
    assert len(store.sql(lead.rows)) == row["near_count"]
    assert find(store, str(lead.pattern)).total >= row["near_count"]


def test_the_test_is_that_of_all_sign_flips() -> None:
    random = np.random.default_rng(0)
    sides = [np.where(random.random((4, 10)) < 0.6, random.exponential(1, (4, 10)), 0.0) for _ in range(2)]
    totals = [side.sum(0) + 1.0 for side in sides]
    ones = [sparse.csr_array((side > 0).astype(float)) for side in sides]
    there = np.ones(10, dtype=np.bool_)
    documents = np.full(4, 10)
    table = Table(
        list("abcd"), (sparse.csr_array(sides[0]), sparse.csr_array(sides[1])), (ones[0], ones[1]), (documents, documents), documents,
        (totals[0], totals[1]), (totals[0], totals[1]), (there, there), True,
    )  # fmt: skip
    judged = judge_near(table, expected="share", permutations=4999, seed=0)
    for item in range(4):
        share = (sides[0][item].sum() + sides[1][item].sum()) / (totals[0].sum() + totals[1].sum())
        added = [(side[item] - share * total) / total.sum() for side, total in zip(sides, totals, strict=True)]
        u = added[1] - added[0]
        assert u.sum() == pytest.approx(sides[1][item].sum() / totals[1].sum() - sides[0][item].sum() / totals[0].sum())
        assert judged.statistic[item] == pytest.approx(u.sum() / np.sqrt((u**2).sum()))
        exact = np.mean([abs(np.dot(signs, u)) >= abs(u.sum()) - 1e-12 for signs in product((-1, 1), repeat=10)])
        assert judged.p_values[item] == pytest.approx(exact, abs=0.03)


def test_what_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="nothing that the pattern"):
        collocates(store, "nowhere", **QUICK)
    with pytest.raises(InputError, match="choose one of window, sentence, dependency"):
        collocates(store, "node", span="page", **QUICK)
    with pytest.raises(InputError, match="give 1 to 50"):
        collocates(store, "node", window=99, **QUICK)
    with pytest.raises(InputError, match="other end of an arc"):
        collocates(store, "node", span="dependency", what="upos", **QUICK)
    assert store.sql("SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('node_hit', 'node_word')").item() == 0


def test_lexicon_and_features_are_counted_around_a_node(store: Store, texts: list[Text]) -> None:
    terms = pl.DataFrame({"term": ["spark", "w1"], "category": ["flash", "other"]})
    found = collocates(store, '[form="node"]', what="lexicon", lexicon=terms, window=2, **QUICK)
    plain = collocates(store, "node", window=2, **QUICK)
    assert found.frame.filter(item="flash")["near_count"].item() == plain.frame.filter(item="spark")["near_count"].item()
    assert found.frame.filter(item="flash")["share"].item() == pytest.approx(plain.frame.filter(item="spark")["share"].item())
