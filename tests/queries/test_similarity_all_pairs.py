"""All pairs of texts from stored factors against the explicit double loop; any two texts; the strongest interactions of all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.queries.pairs_by_hand import Pair, Side, batch
from workbench.errors import InputError, StoreError
from workbench.queries import query
from workbench.queries.all_pairs import all_pairs
from workbench.queries.any_pair import FactorReader, pair_interactions
from workbench.queries.top_interactions import strongest, top_interactions
from workbench.store import Store

WORDS = [
    f"{form}/{lemma}/{upos}/{relation}"
    for form, lemma, upos, relation in (
        ("dogs", "dog", "NOUN", "nsubj"), ("dog", "dog", "NOUN", "obj"), ("cats", "cat", "NOUN", "nsubj"), ("sky", "sky", "NOUN", "obl"),
        ("runs", "run", "VERB", "root"), ("ran", "run", "VERB", "root"), ("the", "the", "DET", "det"), ("red", "red", "ADJ", "amod"),
        (".", ".", "PUNCT", "punct"),
    )
]  # fmt: skip


def texts(count: int, seed: int = 0) -> list[Side]:
    random = np.random.default_rng(seed)
    sides: list[Side] = []
    while len(sides) < count:
        chosen = " ".join(WORDS[place] for place in random.integers(0, len(WORDS), random.integers(1, 8)))
        if chosen not in [side.words for side in sides]:
            rows = random.normal(size=(len(chosen.split()) + 2, 6)) + 0.3
            sides.append(Side(chosen, rows[2:].tolist(), bias=rows[0].tolist(), special=rows[1].tolist()))
    return sides


SIDES = texts(30)
#: 15 pairs of 30 texts, and one more pair of two texts that are there already.
PAIRS = [Pair(f"p{place}", SIDES[2 * place], SIDES[2 * place + 1]) for place in range(15)] + [
    Pair("again", SIDES[3], SIDES[8], corpus="more")
]


@pytest.fixture(scope="module", params=["float32", "float16"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("factors") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(batch(PAIRS, precision=request.param), 1)
    return path


def kept_rows(store: Path, sides: list[Side]) -> list[np.ndarray]:
    """Factors of the words of each text in the precision of the store."""
    with Store.open(store) as opened:
        precision = opened.sql("SELECT any_value(precision) AS precision FROM factors")["precision"][0]
    return [np.array(side.rows).astype(precision).astype(np.float64) for side in sides]


def double_loop(store: Path, sides: list[Side], by: str) -> tuple[dict[tuple[str, str], list[float]], dict[tuple[str, str], set[int]]]:
    """Every interaction of two words of two texts, each pair of texts once, by the classes of both words; and the pairs that have one."""
    found, pairs = defaultdict(list), defaultdict(set)
    rows = kept_rows(store, sides)
    for number, (left, right) in enumerate(combinations(range(len(sides)), 2)):
        for i, one in enumerate(sides[left].annotation):
            for j, other in enumerate(sides[right].annotation):
                key = (min(one[by], other[by]), max(one[by], other[by]))
                found[key].append(float(rows[left][i] @ rows[right][j]))
                pairs[key].add(number)
    return found, pairs


@pytest.mark.parametrize("by", ["upos", "relation", "lemma"])
def test_all_pairs_are_those_of_the_double_loop(store: Path, by: str) -> None:
    found = all_pairs(store, by, minimum=1)
    expected, pairs = double_loop(store, SIDES, by)
    total = sum(sum(values) for values in expected.values())
    assert (found.texts, found.pairs, found.model, found.by) == (30, 30 * 29 // 2, "encoder", by)
    assert found.total == pytest.approx(total, rel=1e-5)
    answer = {(row["left"], row["right"]): row for row in found.frame.iter_rows(named=True)}
    assert set(answer) == set(expected)
    cells = sum(len(values) for values in expected.values())
    for key, values in expected.items():
        row = answer[key]
        assert row["sum"] == pytest.approx(sum(values), rel=1e-5, abs=1e-5)
        assert row["mean"] == pytest.approx(np.mean(values), rel=1e-5, abs=1e-6)
        assert (row["interactions"], row["pairs"]) == (len(values), len(pairs[key]))
        assert row["share"] == pytest.approx(sum(values) / total, rel=1e-4, abs=1e-6)
        assert row["lift"] == pytest.approx(row["share"] / (len(values) / cells), rel=1e-6)
    assert found.frame["sum"].abs().is_sorted(descending=True)


def test_a_text_counts_once_or_as_often_as_it_stands(store: Path) -> None:
    every = all_pairs(store, texts="all")
    assert every.texts == 32
    expected, _ = double_loop(store, [*SIDES, SIDES[3], SIDES[8]], "upos")
    for left, right, value in every.frame.select("left", "right", "sum").iter_rows():
        assert value == pytest.approx(sum(expected[left, right]), rel=1e-5, abs=1e-5)
    assert all_pairs(store, corpus="more").texts == 2
    assert all_pairs(store, role="text_a").texts == 16  # fifteen, and one that is a second text elsewhere
    assert len(all_pairs(store, limit=3).frame) == 3


def test_categories_of_a_lexicon_and_rare_lemmas(store: Path, tmp_path: Path) -> None:
    lexicon = tmp_path / "animals.tsv"
    lexicon.write_text("Dog\tanimal\ncats\tanimal\n\ndog\tpet\nran\tmotion\nunheard\tnothing\n", "utf-8")
    found = {(row["left"], row["right"]): row for row in all_pairs(store, "lexicon", lexicon=lexicon).frame.iter_rows(named=True)}
    assert {name for key in found for name in key} == {"animal", "pet", "motion", "(none)"}
    sums, _ = double_loop(store, SIDES, "lemma")
    pet = sum(sums["dog", "dog"])
    assert found["pet", "pet"]["sum"] == pytest.approx(pet, rel=1e-5)
    assert found["animal", "animal"]["sum"] == pytest.approx(pet + sum(sums["cat", "dog"]) + sum(sums["cat", "cat"]), rel=1e-5)
    with Store.open(store) as opened:
        stands = dict(
            opened.sql("SELECT lemma, count(DISTINCT document || role) FROM words WHERE document <= 15 GROUP BY lemma").iter_rows()
        )
        minimum = sorted(stands.values())[3]
        rare = {lemma for lemma, count in stands.items() if count < minimum}
        pooled = all_pairs(opened, "lemma", minimum=minimum)
    assert rare
    names = set(pooled.frame["left"]) | set(pooled.frame["right"])
    assert names == (set(stands) - rare) | {"(rarer)"}
    assert pooled.frame["sum"].sum() == pytest.approx(pooled.total, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "said"),
    [("dog\n", "line 1 has 1 column"), ("", "no terms"), ("dog\tanimal\textra\n", "line 1"), ("zebra\tanimal\n", "none of its 1 terms")],
)
def test_a_broken_lexicon(store: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        all_pairs(store, "lexicon", lexicon=path)
    with pytest.raises(InputError, match=r"cannot|No such file"):
        all_pairs(store, "lexicon", lexicon=tmp_path / "none.tsv")
    with pytest.raises(InputError, match="no lexicon"):
        all_pairs(store, "lexicon")


def test_any_two_texts(store: Path) -> None:
    left, right = SIDES[4], SIDES[11]
    found = pair_interactions(store, left.text, "p5:text_b")
    rows = [np.array([*side.rows, side.special, side.bias]) for side in (left, right)]
    product = rows[0] @ rows[1].T
    tolerance = 1e-5 if found["relevance"][0] == pytest.approx(np.abs(product).max(), abs=1e-5) else 5e-2
    assert found["relevance"].sum() == pytest.approx(product.sum(), abs=10 * tolerance)
    for row in found.iter_rows(named=True):
        places = [
            row[f"{name}_word"] if row[f"{name}_kind"] == "word" else {"special": -2, "bias": -1}[row[f"{name}_kind"]]
            for name in ("left", "right")
        ]
        assert row["relevance"] == pytest.approx(product[places[0], places[1]], abs=tolerance)
        if row["matched"] is not None:
            ends = left.annotation[places[0]], right.annotation[places[1]]
            assert (row["left_form"], row["right_form"]) == (ends[0]["form"], ends[1]["form"])
            same = "identical" if ends[0]["form"] == ends[1]["form"] else "lemma" if ends[0]["lemma"] == ends[1]["lemma"] else "other"
            assert row["matched"] == same
    with Store.open(store) as opened:
        reader = FactorReader(opened)
        again = reader.matrix(left.text, "p5:text_b")
        assert reader.units("p5:text_b").kinds[-2:] == ("special", "bias")
        with pytest.raises(StoreError, match="no factors of the text 'p5:text_c'"):
            reader.units("p5:text_c")
    np.testing.assert_allclose(np.sort(again.ravel()), np.sort(found["relevance"].to_numpy()), atol=1e-6)
    backwards = pair_interactions(store, "p5:text_b", left.text)
    np.testing.assert_allclose(backwards["relevance"], found["relevance"])
    with pytest.raises(StoreError, match="no factors of the text 'unheard of'; the store has those of encoder"):
        pair_interactions(store, "unheard of", left.text)


@pytest.mark.parametrize("by", ["word", "lemma"])
def test_the_strongest_of_all_are_those_of_the_double_loop(store: Path, by: str) -> None:
    every = []
    rows = kept_rows(store, SIDES)
    for left, right in combinations(range(30), 2):
        for i, one in enumerate(SIDES[left].annotation):
            for j, other in enumerate(SIDES[right].annotation):
                if "PUNCT" not in (one["upos"], other["upos"]):
                    key = tuple(sorted((one["lemma"], other["lemma"])))
                    every.append((float(rows[left][i] @ rows[right][j]), key))
    every.sort(key=lambda item: -abs(item[0]))
    if by == "lemma":
        best: dict[tuple[str, ...], float] = {}
        for value, key in every:
            best.setdefault(key, value)
        every = [(value, key) for key, value in best.items()]
    found = top_interactions(store, 12, by=by)
    np.testing.assert_allclose(found["relevance"], [value for value, _ in every[:12]], atol=1e-5)
    lemmas = [tuple(sorted(row)) for row in found.select("left_lemma", "right_lemma").iter_rows()]
    assert lemmas == [key for _, key in every[:12]]
    first = found.row(0, named=True)
    cells = pair_interactions(store, first["left_text"], first["right_text"])
    assert cells.filter(pl.col("matched").is_not_null())["relevance"].abs().max() == pytest.approx(abs(first["relevance"]), abs=1e-5)
    unlike = top_interactions(store, 5, by=by, different=True)
    other = [value for value, key in every if key[0] != key[1]][:5]
    np.testing.assert_allclose(unlike["relevance"], other, atol=1e-5)
    with_signs = top_interactions(store, 100_000, by=by, punctuation=True)
    assert len(with_signs) > len(top_interactions(store, 100_000, by=by))
    assert (with_signs["left_text"] != with_signs["right_text"]).all()


@pytest.mark.parametrize("block", [3, 7, 64])
@pytest.mark.parametrize("keyed", [False, True])
def test_blocks_do_not_change_what_is_found(block: int, *, keyed: bool) -> None:
    random = np.random.default_rng(block)
    vectors, owners = random.normal(size=(60, 5)).astype(np.float32), np.repeat(np.arange(20), 3)
    keys = random.integers(0, 6, 60) if keyed else None
    best = strongest(vectors, owners, 10, keys, block=block)
    whole = strongest(vectors, owners, 10, keys)
    np.testing.assert_allclose(best.values, whole.values, rtol=1e-5)
    assert (owners[best.rows] != owners[best.columns]).all()
    sizes = np.abs(vectors @ vectors.T)[np.triu_indices(60, 1)]
    apart = (owners[:, None] != owners[None, :])[np.triu_indices(60, 1)]
    if not keyed:
        np.testing.assert_allclose(np.abs(best.values), np.sort(sizes[apart])[::-1][:10], rtol=1e-5)


def test_what_is_refused(store: Path, tmp_path: Path) -> None:
    with Store.open(store) as opened, pytest.raises(InputError, match="upos, relation, lemma, lexicon"):
        all_pairs(opened, "case")
    with pytest.raises(InputError, match="by=sentence"):
        top_interactions(store, by="sentence")
    with pytest.raises(StoreError, match='choose "distinct"'):
        all_pairs(store, texts="some")
    with pytest.raises(StoreError, match="the store has those of encoder"):
        all_pairs(store, model="another")
    with Store.open(tmp_path / "two.duckdb", "write") as several:
        with pytest.raises(StoreError, match="no factors in"):
            all_pairs(several)
        several.append(batch(PAIRS[:2]), 1)
        several.append(batch(PAIRS[:2], model="second"), 1)
        for ask in (
            lambda: all_pairs(several),
            lambda: top_interactions(several),
            lambda: pair_interactions(several, "p0:text_a", "p1:text_a"),
        ):
            with pytest.raises(StoreError, match="factors of several models: encoder, second"):
                ask()
        assert all_pairs(several, model="second").texts == 4
        several.append(batch([replace(PAIRS[2], identifier="p0", corpus="more")]), 1)
        with pytest.raises(StoreError, match="several texts of the name 'p0:text_a', in more, pairs"):
            pair_interactions(several, "p0:text_a", "p1:text_a", "encoder")
        assert len(pair_interactions(several, "p0:text_a", "p0:text_b", "encoder", corpus="more"))


def test_the_same_by_name(store: Path) -> None:
    assert query(store, "all_pairs", by="upos").equals(all_pairs(store).frame)
    assert query(store, "top_interactions", k=5).equals(top_interactions(store, 5))
    left, right = SIDES[0].text, SIDES[1].text
    assert query(store, "pair_interactions", left=left, right=right).equals(pair_interactions(store, left, right))
