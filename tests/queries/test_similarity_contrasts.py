"""Insensitivity to negation, and two models side by side: by hand and against plain Python."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.queries.pairs_by_hand import Pair, Side, batch
from workbench.errors import StoreError
from workbench.queries import query
from workbench.store import Store


def of_similarity(identifier: str, value: float, label: str | None, **metadata: object) -> Pair:
    left, right = Side(f"a{identifier}/a/X/root", [[1.0]], bias=[0.0]), Side(f"b{identifier}/b/X/root", [[value]], bias=[0.0])
    return Pair(identifier, left, right, label, dict(metadata))


CONTRASTS = [
    of_similarity("n1", 0.9, "negation", contrast="negation"),
    of_similarity("n2", 0.8, "negation", contrast="negation"),
    of_similarity("p1", 0.85, "none", contrast="none", relation="paraphrase"),
    of_similarity("p2", 0.75, "none", contrast="none", relation="paraphrase"),
    of_similarity("u1", 0.1, "unrelated"),
    of_similarity("u2", 0.0, "unrelated"),
    of_similarity("r1", 0.45, "related"),
    of_similarity("x1", 0.5, None),
]


def test_how_near_negations_come_to_paraphrases(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch(CONTRASTS), 1)
        found = query(store, "insensitivity")
        assert found.select("contrast", "meaning", "pairs").rows() == [
            ("negation", "flipped", 2), ("paraphrase", "kept", 2), ("unrelated", "unrelated", 2), ("related", "other", 1)
        ]  # fmt: skip
        negation, kept, unrelated, related = found.iter_rows(named=True)
        assert negation["mean"] == pytest.approx(0.85)
        assert (negation["low"], negation["high"]) == pytest.approx((0.8, 0.9))
        assert negation["nearness"] == pytest.approx((0.85 - 0.05) / (0.8 - 0.05))
        assert negation["near_low"] < negation["nearness"] < negation["near_high"]
        assert negation["above"] == 3 / 4  # 0.9 above both, 0.8 above one of two
        assert (kept["nearness"], kept["above"], unrelated["above"]) == (None, None, 0)
        assert (related["nearness"], related["low"], related["near_low"]) == (pytest.approx(0.4 / 0.75), None, None)
        swapped = query(store, "insensitivity", flipped="related", kept=["negation"])
        assert swapped["meaning"].to_list()[:2] == ["flipped", "kept"]
        assert query(store, "insensitivity", languages="de").columns == found.columns


def words(text: str, dimension: int = 3) -> Side:
    """A text whose factors are drawn from its words."""
    random = np.random.default_rng(len(text))
    rows = random.normal(size=(len(text.split()) + 1, dimension))
    return Side(text, rows[:-1].tolist(), bias=rows[-1].tolist())


OPEN = "Shops/shop/NOUN/nsubj are/be/AUX/cop open/open/ADJ/root"
NEVER = "Shops/shop/NOUN/nsubj were/be/AUX/cop never/never/ADV/advmod open/open/ADJ/root today/today/NOUN/obl"


def test_parts_that_keep_the_similarity_up(tmp_path: Path) -> None:
    """A partition of all cells: the sums are the similarity, and each cell is where plain Python puts it."""
    pair = Pair("n", words(OPEN), words(NEVER), "negation")
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch([pair]), 1)
        found = query(store, "insensitivity_parts")
        similarity = store.sql("SELECT similarity FROM pairs")["similarity"][0]
        shouted = query(store, "insensitivity_parts", negations="shop")
    (_, _, left), (_, _, right) = pair.left.units, pair.right.units
    cells = left @ right.T
    expected: dict[str, float] = defaultdict(float)
    for row, column in product(range(4), range(6)):
        if row == 3 or column == 5:
            part = "no word"
        elif column == 2:
            part = "negation"
        elif column == 4:
            part = "differing"
        else:
            part = {(0, 0): "identical", (1, 1): "lemma", (2, 3): "identical"}.get((row, column), "between shared")
        expected[part] += cells[row, column]
    assert {row["part"]: pytest.approx(row["sum"], abs=1e-6) for row in found.iter_rows(named=True)} == expected
    assert found["sum"].sum() == pytest.approx(similarity, abs=1e-6)
    assert found["mean"].to_list() == pytest.approx(found["sum"].to_list())
    assert found["contrast"].unique().to_list() == ["negation"]
    assert "negation" not in shouted["part"]  # both texts have the shops: they negate nothing


DOG = Side("dog/dog/NOUN/root runs/run/VERB/root", [[1, 0], [0, 1]], bias=[0, 0])
CAT = Side("cat/cat/NOUN/root runs/run/VERB/root", [[3, 0], [0, 1]], bias=[0, 0])
SKY = Side("sky/sky/NOUN/root falls/fall/VERB/root", [[1, 0], [0, 1]], bias=[0, 0])
PAIRS = [Pair("one", DOG, CAT), Pair("two", DOG, SKY)]
#: The other model gives verbs three times and nouns a third of that.
OTHERS = [replace(pair, right=replace(pair.right, rows=[[1, 0], [0, 3]])) for pair in PAIRS]


def test_two_models_on_the_same_pairs(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch(PAIRS, "first"), 1)
        store.append(batch(OTHERS, "second"), 1)
        found = {
            (row["what"], row["name"]): row for row in query(store, "model_difference", model="first", other="second").iter_rows(named=True)
        }
        backwards = query(store, "model_difference", model="second", other="first")
        assert len(query(store, "model_difference", model="first", other="second", limit=1)) == 4
    similarity = found["similarity", "similarity"]
    assert (similarity["first"], similarity["second"], similarity["difference"], similarity["pairs"]) == (3, 4, -1, 2)
    assert (similarity["low"], similarity["high"]) == (-2, 0)  # 4 against 4, and 2 against 4
    nouns = found["upos", "NOUN–NOUN"]
    assert (nouns["first"], nouns["second"]) == pytest.approx((4 / 6, 2 / 8))
    assert (nouns["low"], nouns["high"]) == pytest.approx((1 / 2 - 1 / 4, 3 / 4 - 1 / 4))
    assert found["upos", "VERB–VERB"]["difference"] == pytest.approx(2 / 6 - 6 / 8)
    assert found["match", "identical"]["first"] == pytest.approx(1 / 6)
    assert found["account", "word"]["difference"] == 0
    mirrored = {(row["what"], row["name"]): -row["difference"] for row in backwards.iter_rows(named=True)}
    assert mirrored == pytest.approx({key: row["difference"] for key, row in found.items()})


def test_models_that_cannot_be_compared(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch(PAIRS, "first"), 1)
        store.append(batch([replace(OTHERS[0], identifier="three", strongest=1)], "second"), 1)
        with pytest.raises(
            StoreError, match=r"no pair that first and second both explain; the store has first \(2 pairs\), second \(1 pairs\)"
        ):
            query(store, "model_difference", model="first", other="second")
        with pytest.raises(StoreError, match="name two models"):
            query(store, "model_difference", model="first", other="first")
        store.append(batch([replace(OTHERS[0], strongest=1)], "second"), 1)
        with pytest.raises(StoreError, match="1 of 1 pairs of which only the strongest"):
            query(store, "model_difference", model="first", other="second")
        reported = query(store, "model_difference", model="first", other="second", rest="report")
        assert "rest" in reported.filter(pl.col("what") == "upos")["name"].to_list()


def found_for(query_name: str, ranks: list[bool | None], relevant: int | None) -> list[Pair]:
    """Passages found for one query, the nearest first."""
    asked = Side(f"{query_name}/q/NOUN/root thing/thing/NOUN/root", [[1.0, 0], [0, 1.0]], bias=[0, 0])
    pairs = []
    for rank, judged in enumerate(ranks, start=1):
        passage = Side(f"passage{rank}/p/NOUN/root", [[1 / rank, 0.5 / rank]], bias=[0, 0])
        metadata = {"query": query_name, "passage": f"p{rank}", "rank": rank} | ({} if relevant is None else {"relevant": relevant})
        label = None if judged is None else "relevant" if judged else "not judged relevant"
        pairs.append(Pair(f"{query_name}~p{rank}", asked, passage, label, metadata, roles=("query", "passage")))
    return pairs


def test_retrieval_is_scored_by_its_judgements(tmp_path: Path) -> None:
    pairs = found_for("q1", [False, True, True], 4) + found_for("q2", [True, False, False], 1) + found_for("q3", [None, None], None)
    pairs += found_for("q4", [True], None)
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(batch(pairs), 1)
        found = query(store, "retrieval")
        scores = {row["metric"]: row for row in query(store, "retrieval_scores").iter_rows(named=True)}
        one = query(store, "retrieval", query="q1", strongest=1)
        single = query(store, "retrieval_scores", by="query")
    assert found.select("query", "rank").rows() == [
        ("q1", 1),
        ("q1", 2),
        ("q1", 3),
        ("q2", 1),
        ("q2", 2),
        ("q2", 3),
        ("q3", 1),
        ("q3", 2),
        ("q4", 1),
    ]
    assert found["relevant"].to_list() == [False, True, True, True, False, False, None, None, True]
    ideal = 1 + 1 / np.log2(3) + 1 / 2  # three places for the four that are relevant
    expected = {"precision": 2 / 3, "recall": 2 / 4, "reciprocal rank": 1 / 2, "ndcg": (1 / np.log2(3) + 1 / 2) / ideal}
    first = {metric: value for query_name, metric, value in single.select("query", "metric", "mean").iter_rows() if query_name == "q1"}
    assert first == pytest.approx(expected)
    assert set(single["query"]) == {"q1", "q2", "q4"}  # nobody judged the third
    assert set(single.filter(pl.col("query") == "q4")["metric"]) == {"precision", "reciprocal rank"}  # nobody says how many are relevant
    assert one["strongest"].to_list()[0] == "q1–passage1 +1.000"
    assert found["strongest"][0] == "q1–passage1 +1.000 · thing–passage1 +0.500"
    assert scores["precision"]["mean"] == pytest.approx((2 / 3 + 1 / 3 + 1) / 3)
    assert (scores["recall"]["queries"], scores["reciprocal rank"]["mean"]) == (2, pytest.approx((1 / 2 + 1 + 1) / 3))
    assert scores["ndcg"]["low"] <= scores["ndcg"]["mean"] <= scores["ndcg"]["high"]
