"""Questions about translations against the same computation in plain Python, by hand where that is short, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

from workbench.attribution.alignment import best_links, scores, to_words
from workbench.errors import StoreError
from workbench.queries import query
from workbench.queries.sentences import SYSTEM, bleu
from workbench.store import Store
from workbench.store.synthetic_translations import translations

NAMES = [f"s{number:02}" for number in range(14)]
MEASURES = ("source_share", "source_entropy", "prefix_entropy", "normalized_source_entropy", "normalized_prefix_entropy")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two systems: the strong one explains references as well, the weak one says what it says backwards."""
    path = tmp_path_factory.mktemp("translations") / "s.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(translations(NAMES, model="strong", references=True), 1)
        opened.append(translations(NAMES, model="weak", version=1), 1)
        opened.register_model("strong", "1", "translator", {"supervision": "all"})
    with Store.open(path) as opened:
        yield opened


def matrices(store: Store, model: str = "strong", role: str = "hypothesis:strong") -> dict[str, tuple[NDArray[np.float64], ...]]:
    """By sentence: sizes `(step, source token)`, `(step, prefix token)`."""
    rows = store.sql(
        """SELECT d.identifier, c.step, c.side::VARCHAR, c.token, abs(c.relevance) AS size
           FROM contributions c JOIN documents d USING (document) WHERE c.model = $1 AND c.role = $2""",
        [model, role],
    )
    found = {}
    for (name,), part in rows.group_by("identifier"):
        steps = int(part["step"].max()) + 1  # type: ignore[call-overload]
        source, prefix = (np.zeros((steps, 60)) for _ in range(2))
        for _, step, side, token, size in part.iter_rows():
            (source if side == "source" else prefix)[step, token] = size
        found[str(name)] = (source[:, source.any(0)], prefix[:, :steps])
    return found


def entropy(row: NDArray[np.float64]) -> float:
    shares = row[row > 0] / row.sum()
    return float(-(shares * np.log(shares)).sum())


def measured(source: NDArray[np.float64], prefix: NDArray[np.float64], step: int) -> dict[str, float]:
    ours, earlier = source[step], prefix[step, :step]
    found = {"source_entropy": entropy(ours), "normalized_source_entropy": entropy(ours) / np.log(len(ours))}
    if step:
        found |= {"source_share": ours.sum() / (ours.sum() + earlier.sum()), "prefix_entropy": entropy(earlier)}
    if step > 1:
        found["normalized_prefix_entropy"] = found["prefix_entropy"] / np.log(step)
    return found


@pytest.mark.parametrize("position", ["relative", "absolute"])
def test_curves_are_means_over_steps(store: Store, position: str) -> None:
    asked = ",".join(MEASURES)
    frame = query(store, "contributions_by_position", measures=asked, position=position, bins=4, model="strong", minimum_sentences=1)
    expected: dict[tuple[str, float], list[tuple[str, float]]] = defaultdict(list)
    for name, (source, prefix) in matrices(store).items():
        for step in range(len(source)):
            place = step + 1 if position == "absolute" else (int((step + 0.5) / len(source) * 4) + 0.5) / 4
            for measure, value in measured(source, prefix, step).items():
                expected[measure, place].append((name, value))
    found = {(row["measure"], row["position"]): row for row in frame.iter_rows(named=True)}
    assert set(found) == set(expected)
    for key, values in expected.items():
        assert found[key]["mean"] == pytest.approx(np.mean([value for _, value in values]), abs=1e-5)
        assert (found[key]["sentences"], found[key]["steps"]) == (len({name for name, _ in values}), len(values))
    several = frame.filter(pl.col("sentences") > 1)
    assert (several["low"] <= several["mean"] + 1e-12).all()
    assert (several["mean"] <= several["high"] + 1e-12).all()
    assert frame.filter(pl.col("sentences") == 1)["low"].is_null().all()


def test_intervals_are_those_of_an_explicit_bootstrap_over_sentences(store: Store) -> None:
    frame = query(store, "contributions_by_group", by="system", model="strong", resamples=300, seed=4)
    shares = [[measured(source, prefix, step)["source_share"] for step in range(1, len(source))]
              for _, (source, prefix) in sorted(matrices(store).items())]  # fmt: skip
    sums, numbers = np.array([sum(one) for one in shares]), np.array([len(one) for one in shares])
    drawn = np.random.default_rng(4).integers(0, len(shares), size=(300, len(shares)))
    means = sums[drawn].sum(1) / numbers[drawn].sum(1)
    assert frame.select("mean", "low", "high").row(0) == pytest.approx(
        (sums.sum() / numbers.sum(), *np.quantile(means, [0.025, 0.975])), abs=1e-5
    )
    assert frame.select("group", "sentences", "steps").row(0) == ("strong", len(NAMES), numbers.sum())


def test_sentences_of_one_length_alone(store: Store) -> None:
    steps = store.sql("SELECT steps, count(*) AS n FROM translations WHERE model = 'strong' GROUP BY steps ORDER BY n DESC, steps").row(0)
    frame = query(store, "contributions_by_position", position="absolute", steps=steps[0], model="strong", role="all", minimum_sentences=1)
    assert frame["position"].to_list()[: steps[0] - 1] == list(range(2, steps[0] + 1))
    assert frame["sentences"].sum() == steps[1] * (steps[0] - 1)


@pytest.mark.parametrize("special", [True, False])
def test_source_tokens_by_position(store: Store, special: bool) -> None:
    frame = query(store, "contributions_by_source_position", position="absolute", model="strong", special=special, minimum_sentences=1)
    expected = defaultdict(list)
    for source, _ in matrices(store).values():
        counted = source if special else source[:, :-1]
        totals = (counted / counted.sum(1, keepdims=True)).sum(0) / len(counted) * counted.shape[1]
        assert totals.mean() == pytest.approx(1)
        for place, value in enumerate(totals, 1):
            expected[place].append(value)
    assert frame["position"].to_list() == sorted(expected)
    np.testing.assert_allclose(frame["mean"], [np.mean(expected[place]) for place in sorted(expected)], atol=1e-5)
    assert frame["tokens"].to_list() == [len(expected[place]) for place in sorted(expected)]


def test_groups_of_steps(store: Store) -> None:
    frame = query(store, "contributions_by_group", model="strong")
    words = dict(store.sql("SELECT form, any_value(upos) FROM words WHERE role = 'reference' GROUP BY form").iter_rows())
    pieces = store.sql(
        "SELECT d.identifier, s.step, s.form, s.special FROM steps s JOIN documents d USING (document) WHERE s.role = 'hypothesis:strong'"
    )
    found = matrices(store)
    expected = defaultdict(list)
    for name, step, form, special in pieces.filter(pl.col("step") > 0).iter_rows():
        expected["special" if special else words[form]].append(measured(*found[name], step)["source_share"])
    assert frame["group"].to_list() == sorted(expected)
    np.testing.assert_allclose(frame["mean"], [np.mean(expected[group]) for group in sorted(expected)], atol=1e-5)
    levels = query(store, "contributions_by_group", by="supervision")
    assert levels.select("model", "group").rows() == [("strong", "all"), ("weak", "weak")]  # a system of which no level is known is its own
    assert query(store, "contributions_by_group", by="languages")["group"].to_list() == ["fr-en", "fr-en"]
    assert query(store, "contributions_by_group", by="relation", model="strong")["group"].to_list() == ["none", "special"]


@pytest.mark.parametrize("convention", ["predicted", "input"])
@pytest.mark.parametrize("corrected", [True, False])
def test_alignments_are_those_of_the_attribution_room(store: Store, convention: str, corrected: bool) -> None:
    frame = query(store, "alignments", convention=convention, corrected=corrected, role="all", model="weak")
    owners = {
        (name, role): part["word"].to_list()
        for (name, role), part in store.sql(
            """SELECT d.identifier, t.role, w.word FROM tokens t JOIN documents d USING (document)
               LEFT JOIN words w ON w.document = t.document AND w.role = t.role AND NOT t.special
                    AND t.char_start >= w.char_start AND t.char_end <= w.char_end
               WHERE t.tokenizer = 'weak' ORDER BY t.token"""
        ).group_by("identifier", "role", maintain_order=True)
    }  # fmt: skip
    for name, (source, _) in matrices(store, "weak", "hypothesis:weak").items():
        shares = [np.array([[float(word == number) for number in range(max(w for w in side if w is not None) + 1)] for word in side])
                  for side in (owners[name, "source"], owners[name, "hypothesis:weak"])]  # fmt: skip
        links = best_links(to_words(scores(source, corrected=corrected, convention=convention), *shares))
        assert set(frame.filter(identifier=name).select("source_word", "word").iter_rows()) == links
    told = query(store, "alignments", identifier=NAMES[0], term="cat", model="strong", limit=1, corrected=corrected)
    assert set(told["form"]) <= {"cat"}


def tau(order: list[int]) -> float | None:
    signs = [np.sign(right - left) for place, left in enumerate(order) for right in order[place + 1 :] if left != right]
    return float(np.mean(signs)) if signs else None


def test_word_order_against_source_and_reference(store: Store) -> None:
    frame = query(store, "word_order", by="sentence", role="all")
    found = {(row["model"], row["identifier"], row["against"], row["measure"]): row["mean"] for row in frame.iter_rows(named=True)}
    links = query(store, "alignments", role="all")
    for (model, name), part in links.filter(role="hypothesis").group_by("model", "identifier"):
        order = part.sort("word")["source_word"].to_list()
        ranks = {value: rank for rank, value in enumerate(sorted(set(order)))}
        assert found.get((model, name, "source", "kendall_tau")) == pytest.approx(tau(order))
        unbroken = [ranks[right] - ranks[left] in (0, 1) for left, right in pairwise(order)]
        assert found[model, name, "source", "fuzzy_reordering"] == pytest.approx(np.mean(unbroken))
    means = query(store, "word_order", role="all").filter(measure="kendall_tau")
    told = {row[:3]: row[3] for row in means.select("model", "role", "against", "mean").iter_rows()}
    assert told["strong", "hypothesis", "reference"] == told["strong", "reference", "source"] == pytest.approx(1)
    assert ("weak", "hypothesis", "reference") not in told  # its references are not explained
    assert told["weak", "hypothesis", "same words"] == pytest.approx(-1)
    assert told["weak", "hypothesis", "source"] < -0.8
    aligned = query(store, "word_order", model="strong").filter(measure="aligned", against="source")["mean"].item()
    assert aligned == pytest.approx(1)


def test_quality_with_bleu_as_sacrebleu_counts_it(store: Store) -> None:
    frame = query(store, "translation_quality", resamples=50)
    found = {(row["model"], row["metric"]): row for row in frame.iter_rows(named=True)}
    texts = store.sql("SELECT text, reference_text FROM translations WHERE model = 'weak'")
    whole = BLEU().corpus_score(texts["text"].to_list(), [texts["reference_text"].to_list()]).score
    assert found["weak", "corpus_bleu"]["mean"] == pytest.approx(whole)
    assert found["weak", "corpus_bleu"]["low"] < whole < found["weak", "corpus_bleu"]["high"]
    chosen = np.random.default_rng(0).integers(0, len(texts), size=(50, len(texts)))
    drawn = [texts[[int(place) for place in places]] for places in chosen]
    scores_ = [BLEU().corpus_score(one["text"].to_list(), [one["reference_text"].to_list()]).score for one in drawn]
    ordered = texts.with_columns(sentence=pl.int_range(pl.len()))
    ends = bleu(ordered, {"resamples": 50, "seed": 0})
    assert (ends["low"], ends["high"]) == pytest.approx(tuple(np.quantile(scores_, [0.025, 0.975])))
    assert found["strong", "chrf"]["mean"] == 100
    assert found["strong", "similarity_to_reference"]["mean"] == 1
    single = query(store, "translation_quality", by="sentence", role="reference")
    assert set(single["metric"]) == {"log_probability"}
    assert single["low"].is_null().all()


def test_two_systems_on_the_same_sentences(store: Store) -> None:
    frame = query(store, "translation_difference", model="strong", other="weak")
    found = {row["measure"]: row for row in frame.iter_rows(named=True)}
    each = query(store, "contributions_by_group", by="system", measures=list(MEASURES))
    for row in each.iter_rows(named=True):
        assert found[row["measure"]]["first" if row["model"] == "strong" else "second"] == pytest.approx(row["mean"])
    share = found["source_share"]
    assert share["difference"] == pytest.approx(share["first"] - share["second"])
    assert 0 < share["low"] < share["difference"] < share["high"]
    assert found["chrf"]["first"] == 100
    assert found["source_share"]["sentences"] == len(NAMES)
    turned = query(store, "translation_difference", model="weak", other="strong").filter(measure="source_share").row(0, named=True)
    assert (turned["low"], turned["high"]) == pytest.approx((-share["high"], -share["low"]))
    with pytest.raises(StoreError, match="strong twice"):
        query(store, "translation_difference", model="strong", other="strong")
    with pytest.raises(StoreError, match=r"the store has strong \(28 translations\), weak \(14 translations\)"):
        query(store, "translation_difference", model="strong", other="nobody")


def test_signals_of_one_sentence(store: Store) -> None:
    frame = query(store, "hallucination_signals", role="hypothesis")
    assert len(frame) == 2 * len(NAMES)
    assert frame["mean_share"].is_sorted()
    for name, (source, prefix) in matrices(store).items():
        row = frame.filter(identifier=name, model="strong").row(0, named=True)
        shares = source / (source.sum(1) + prefix.sum(1))[:, None]
        later = shares[1:].sum(1)
        assert (row["mean_share"], row["min_share"]) == pytest.approx((later.mean(), later.min()), abs=1e-5)
        assert (row["top_mean"], row["top_min"]) == pytest.approx((shares[1:].max(1).mean(), shares[1:].max(1).min()), abs=1e-5)
        assert row["under_50"] == pytest.approx((later < 0.5).mean())
        assert row["omitted"] == pytest.approx((shares[:, :-1].max(0) < 0.01).mean())
        assert row["least_total"] == pytest.approx(shares[:, :-1].sum(0).min(), abs=1e-5)
        assert (row["chrf"], row["similarity"]) == (100, 0.5)
    assert query(store, "hallucination_signals", identifier=NAMES[3], model="weak")["text"].len() == 1


def test_a_choice_that_is_none_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="give text of relative, absolute"):
        query(store, "contributions_by_position", position="sideways")
    with pytest.raises(StoreError, match="give texts of source_share"):
        query(store, "contributions_by_group", measures="source_share,magic")


def test_a_store_without_translations_answers_with_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.duckdb", "write") as empty:
        for name in ("contributions_by_position", "contributions_by_source_position", "contributions_by_group", "word_order",
                     "translation_quality", "alignments", "hallucination_signals"):  # fmt: skip
            found = query(empty, name)
            assert found.is_empty()
            assert set(SYSTEM) <= set(found.columns)
        with pytest.raises(StoreError, match="no translations"):
            query(empty, "translation_difference", model="one", other="two")
