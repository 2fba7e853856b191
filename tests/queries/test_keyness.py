"""Relevance keyness against plain loops and scipy on the same counts; what is refused; what shuffled labels give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tests.patterns.brute import Text
from tests.patterns.corpus import tables
from tests.queries import keyness_corpus
from workbench.errors import InputError, StoreError
from workbench.patterns import find
from workbench.queries import keyness
from workbench.store import Store
from workbench.store.synthetic import frames

DOCUMENTS = 60
QUICK: dict[str, Any] = {"permutations": 499, "shuffles": 0, "resamples": 100}


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return keyness_corpus.texts(1, DOCUMENTS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, texts: list[Text]) -> Iterator[Store]:
    with keyness_corpus.store(tmp_path_factory.mktemp("keyness") / "store.duckdb", texts) as opened:
        yield opened


def test_shares_and_counts_are_those_of_plain_loops(store: Store, texts: list[Text]) -> None:
    found = keyness.keyness(store, "a", side="both", limit=0, minimum_documents=1, minimum_occurrences=1, **QUICK)
    mass, count, total, words = keyness_corpus.sums(texts, "a")
    other_mass, other_count, other_total, other_words = keyness_corpus.sums(texts, "b")
    assert set(found.frame["item"]) == set(mass) | set(other_mass)
    assert found.groups.documents == (DOCUMENTS // 2, DOCUMENTS // 2)
    for row in found.frame.iter_rows(named=True):
        item = row["item"]
        here, there = sum(mass.get(item, [])), sum(other_mass.get(item, []))
        assert (row["focus_count"], row["reference_count"]) == (count.get(item, 0), other_count.get(item, 0))
        assert row["share"] == pytest.approx(here / total)
        assert row["reference_share"] == pytest.approx(there / other_total)
        if row["focus_count"]:
            assert row["lift"] == pytest.approx((here / total) / (count[item] / words))
            assert row["mean"] == pytest.approx(here / count[item])
        one = (here + there) / (row["focus_count"] + row["reference_count"])
        part = total / (total + other_total)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log2((here + one * part) / total) - np.log2((there + one * (1 - part)) / other_total)
        assert (row["log_ratio"] is None and np.isnan(ratio)) or row["log_ratio"] == pytest.approx(ratio)
        assert row["frequency"] == pytest.approx(1e6 * row["focus_count"] / words)
        cells = [[row["focus_count"], row["reference_count"]], [words - row["focus_count"], other_words - row["reference_count"]]]
        expected = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood").statistic
        assert abs(row["log_likelihood"]) == pytest.approx(expected, abs=1e-8)
        assert row["simple_maths"] == pytest.approx((row["frequency"] + 1) / (row["reference_frequency"] + 1))


def difference(mass: np.ndarray, total: np.ndarray, focus: np.ndarray) -> float:
    """The difference of two shares by its standard error, written out for one item."""
    shares, errors = [], []
    for chosen in (focus, ~focus):
        a, whole, count = mass[chosen], total[chosen], chosen.sum()
        shares.append(a.sum() / whole.sum())
        errors.append(count / (count - 1) * ((a - shares[-1] * whole) ** 2).sum() / whole.sum() ** 2)
    return float((shares[0] - shares[1]) / np.sqrt(sum(errors)))


def test_the_statistic_and_its_p_are_those_of_scipys_permutation_test(store: Store, texts: list[Text]) -> None:
    found = keyness.keyness(store, "a", side="both", limit=0, permutations=1999, shuffles=0, resamples=0).frame
    focus = np.array([text.words[0].label == "a" for text in texts])
    every = keyness_corpus.frame(texts).with_columns(
        positive=pl.max_horizontal("relevance", 0.0), item=pl.coalesce("lemma", "form").str.to_lowercase()
    )
    totals = every.group_by("identifier").agg(pl.col("positive").sum()).sort("identifier")
    for place in (0, 1, 5, 12):
        row = found.row(place, named=True)
        own = every.filter(item=row["item"]).group_by("identifier").agg(own=pl.col("positive").sum())
        mass = totals.join(own, on="identifier", how="left", maintain_order="left")["own"].fill_null(0.0).to_numpy()
        total = totals["positive"].to_numpy()
        assert row["statistic"] == pytest.approx(difference(mass, total, focus))

        def size(sides: np.ndarray, mass: np.ndarray = mass, total: np.ndarray = total) -> float:
            return abs(difference(mass, total, sides))

        independent = stats.permutation_test(
            (focus,), size, permutation_type="pairings", n_resamples=999, alternative="greater", rng=np.random.default_rng(5)
        )
        spread = 4 * np.sqrt(independent.pvalue * (1 - independent.pvalue) / 800) + 2e-3
        assert row["p_value"] == pytest.approx(independent.pvalue, abs=spread)
    assert found["q_value"].to_list() == pytest.approx(stats.false_discovery_control(found["p_value"].to_numpy()).tolist())


def test_the_interval_is_that_of_an_independent_bootstrap_over_documents(store: Store, texts: list[Text]) -> None:
    row = keyness.keyness(store, "a", limit=1, **{**QUICK, "resamples": 2000}).frame.row(0, named=True)
    assert row["item"] == "zap"
    every = keyness_corpus.frame(texts).with_columns(positive=pl.max_horizontal("relevance", 0.0))
    zap = pl.col("form") == "zap"
    sums = every.group_by("identifier").agg(
        label=pl.col("label").first(), mass=pl.col("positive").filter(zap).sum(), total=pl.col("positive").sum(), count=zap.sum(),
        words=pl.len(),
    )  # fmt: skip
    data = sums.filter(label="a").select("mass", "total", "count", "words").to_numpy().T

    def lift(mass: np.ndarray, total: np.ndarray, count: np.ndarray, words: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray((mass.sum(axis) / total.sum(axis)) / (count.sum(axis) / words.sum(axis)))

    found = stats.bootstrap(
        tuple(data), lift, paired=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(3), vectorized=True
    )
    assert row["lift_low"] == pytest.approx(found.confidence_interval.low, rel=0.05)
    assert row["lift_high"] == pytest.approx(found.confidence_interval.high, rel=0.05)


def test_what_decides_is_found_and_what_is_frequent_is_idle(store: Store) -> None:
    found = keyness.keyness(store, "a", side="both", limit=0, order="lift", permutations=1999)
    first = found.frame.row(0, named=True)
    assert first["item"] == "zap"
    assert first["significant"]
    assert first["lift_low"] > 3
    assert first["log_ratio"] > first["null_high"] > 0 > first["null_low"]
    assert first["reading"].endswith("decisive")
    assert set(found.frame.filter(pl.col("item").is_in(["the", "of"]))["reading"]) == {"frequent, idle"}
    assert "with shuffled labels" in found.control


def test_shuffled_corpora_give_at_most_five_per_cent_false_discoveries(store: Store) -> None:
    alarms: list[int] = []
    for asked in ({}, {"expected": "occurrences"}, {"relevance": "signed"}, {"n": 2, "minimum_documents": 3, "minimum_occurrences": 3}):
        found = keyness.keyness(store, "a", permutations=999, shuffles=200, resamples=0, **asked)  # type: ignore[arg-type]
        assert len(found.null) == 200
        alarms += [number > 0 for number in found.null]
    assert sum(alarms) / len(alarms) <= 0.05


def test_the_same_is_said_again_and_does_not_depend_on_what_else_is_shown(store: Store) -> None:
    one, many = (keyness.keyness(store, "a", limit=limit, **QUICK).frame for limit in (2, 10))
    assert one.drop("reading").equals(many.head(2).drop("reading"))
    assert not one.equals(keyness.keyness(store, "a", limit=2, seed=4, **QUICK).frame)


@pytest.mark.parametrize(
    ("asked", "items"),
    [
        ({"what": "form", "case": True}, {"The", "the", "zap"}),
        ({"what": "upos"}, {"NOUN", "VERB", "ADJ"}),
        ({"what": "upos", "n": 3}, {"NOUN VERB ADJ", "VERB ADJ NOUN"}),
        ({"what": "feature"}, {"Number=Plur", "Case=Nom"}),
        ({"what": "relation"}, {"amod"}),
        ({"what": "xpos", "n": 2}, {"X X"}),
        (
            {"what": "lexicon", "lexicon": pl.DataFrame({"term": ["ZAP", "the"], "category": ["verdict", "article"]})},
            {"verdict", "article"},
        ),
    ],
    ids=lambda value: str(value.get("what")) + str(value.get("n", "")) if isinstance(value, dict) else "",
)
def test_what_can_be_counted(store: Store, texts: list[Text], asked: dict[str, Any], items: set[str]) -> None:
    found = keyness.keyness(store, "a", side="both", limit=0, **asked, **QUICK)
    assert items <= set(found.frame["item"])
    if asked["what"] == "lexicon":
        words = [word for text in texts for word in text.words if word.label == "a"]
        rows = {row["item"]: row for row in found.frame.iter_rows(named=True)}
        assert rows["article"]["focus_count"] == sum(word.form.lower() == "the" for word in words)
        assert rows["verdict"]["share"] == pytest.approx(
            sum(max(word.relevance, 0) for word in words if word.form == "zap") / sum(max(word.relevance, 0) for word in words)
        )
    if asked["what"] == "upos" and asked.get("n") == 3:
        counted = sum(
            [one.upos, two.upos, three.upos] == ["NOUN", "VERB", "ADJ"] and one.sentence == three.sentence
            for text in texts for one, two, three in zip(text.words, text.words[1:], text.words[2:], strict=False)
        )  # fmt: skip
        row = found.frame.filter(item="NOUN VERB ADJ").row(0, named=True)
        assert row["focus_count"] + row["reference_count"] == counted


def test_groups_by_other_attributes_and_spans(store: Store) -> None:
    split = keyness.keyness(store, "test", by="split", where={"label": ["a"]}, limit=3, **QUICK)
    assert split.groups.documents == (10, 20)
    assert split.groups.names == ("test", "every other split")
    with pytest.raises(StoreError, match="choose among a \\(30\\), b \\(30\\)"):
        keyness.keyness(store, "c", **QUICK)
    with pytest.raises(StoreError, match="use one of label"):
        keyness.keyness(store, "a", by="mood", **QUICK)
    with pytest.raises(StoreError, match="there are a \\(30\\), b \\(30\\)"):
        keyness.keyness(store, None, **QUICK)
    with pytest.raises(StoreError, match="two documents at least"):
        keyness.keyness(store, "en", by="language", **QUICK)
    with pytest.raises(InputError, match="count one of form"):
        keyness.keyness(store, "a", what="mood", **QUICK)
    with pytest.raises(InputError, match="positive, negative"):
        keyness.keyness(store, "a", relevance="big", **QUICK)
    with pytest.raises(InputError, match="give both"):
        keyness.keyness(store, "a", what="lexicon", **QUICK)


def test_a_row_leads_to_its_words_and_the_answer_says_what_it_rests_on(store: Store) -> None:
    found = keyness.keyness(store, "a", limit=1, **QUICK)
    lead = found.lead(1)
    assert lead.pattern == '[(lemma="zap"%c | !lemma & form="zap"%c) & label="a"]'
    rows = store.sql(lead.rows)
    assert len(rows) == found.frame["focus_count"][0]
    assert rows["relevance"].cast(pl.Float64).clip(0).sum() == pytest.approx(found.frame["focus_count"][0] * found.frame["mean"][0])
    assert store.sql(lead.documents)["occurrences"].sum() == len(rows)
    assert find(store, lead.pattern).total == len(rows)
    assert store.sql(found.sql).filter(item="zap", side=1)["occurrences"].sum() == len(rows)
    assert found.trust is not None
    assert found.trust.documents == DOCUMENTS
    assert found.shown.startswith("1 of ")
    assert found.brief.frame.columns[-1] == "item"
    for asked, pattern in (({"what": "upos", "n": 2}, '[upos="NOUN"'), ({"what": "feature"}, '[Number="Plur"')):
        answer = keyness.keyness(store, "a", side="both", limit=0, **asked, **QUICK)  # type: ignore[arg-type]
        for number, row in enumerate(answer.frame.iter_rows(named=True), start=1):
            lead = answer.lead(number)
            count = row["focus_count"] if row["side"] == "focus" else row["reference_count"]
            assert len(store.sql(lead.rows)) == count
            if row["side"] == "focus":
                assert find(store, str(lead.pattern)).total == count
            if row["item"] in ("NOUN VERB", "Number=Plur"):
                assert str(lead.pattern).startswith(pattern)


def test_two_models_are_compared_on_the_documents_of_both(tmp_path: Path, texts: list[Text]) -> None:
    """The second model gives zap half of its relevance: the same documents, each on both sides."""
    with keyness_corpus.store(tmp_path / "store.duckdb", texts) as opened:
        rows = tables(texts, model="second")
        for row in rows["explanation"]:
            row["fingerprint"] += "/second"
        zap = {(token["document"], token["token"]) for token in rows["token"] if token["piece"] == "zap"}
        document = {row["explanation"]: row["document"] for row in rows["explanation"]}
        for value in rows["token_relevance"]:
            if (document[value["explanation"]], value["token"]) in zap:
                value["relevance"] *= 0.25
        opened.append(frames(rows), 2)
        found = keyness.keyness(opened, "m", "second", by="model", side="both", limit=0, permutations=999)
        assert found.groups is not None
        assert found.groups.paired
        assert found.groups.documents == (DOCUMENTS, DOCUMENTS)
        row = found.frame.row(0, named=True)
        assert (row["item"], row["side"], row["significant"]) == ("zap", "focus", True)
        assert row["focus_count"] == row["reference_count"]
        assert row["log_ratio"] == pytest.approx(2, abs=0.4)
        assert row["log_likelihood"] == pytest.approx(0)
        swapped = keyness.keyness(opened, "second", "m", by="model", side="both", limit=0, permutations=999).frame
        assert swapped.filter(item="zap")["log_ratio"].item() == pytest.approx(-row["log_ratio"])
        with pytest.raises(StoreError, match="several models"):
            keyness.keyness(opened, "a", **QUICK)
        with pytest.raises(StoreError, match="differ in it"):
            keyness.keyness(opened, "m", "second", by="model", model="m", **QUICK)


def test_many_documents_are_drawn_together_in_blocks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    single = keyness.keyness(store, "a", limit=3, **QUICK)
    monkeypatch.setattr("workbench.queries.keyness.groups.UNITS", 20)
    blocks = keyness.keyness(store, "a", limit=3, **QUICK)
    assert blocks.groups is not None
    assert blocks.groups.block == 3
    assert any("blocks of 3" in notice for notice in blocks.notices)
    same = ["documents", "focus_count", "reference_count", "share", "lift", "log_ratio"]
    one, other = (frame.filter(item="zap").select(same).row(0) for frame in (single.frame, blocks.frame))
    assert one == pytest.approx(other)
