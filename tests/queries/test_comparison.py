"""Two sides of the same texts: conserved sums on common characters, measures against plain Python, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

from workbench.batch import Batch
from workbench.errors import InputError, StoreError
from workbench.queries.comparison import Comparison, compare, parsed, side
from workbench.queries.comparison.characters import NOWHERE, atoms, moved, partners, shared_out, summed
from workbench.store import Store, synthetic

IDENTIFIERS = [f"d{number:03}" for number in range(14)]
LETTERS = some.text(alphabet="aAbéÉßİı \u0301\u09af\u09bcড়ো\u09c7\u09be.", max_size=12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("comparison") / "store.duckdb", "write") as opened:
        opened.append(synthetic.batch(IDENTIFIERS), opened.begin_run("one", {}, {}))
        yield opened


@pytest.fixture(scope="module")
def found(store: Store) -> Comparison:
    return compare(side(store, model="first"), side(store, model="second"), scale="relevance", form="form", minimum_documents=2)


@settings(max_examples=40)
@given(LETTERS, some.lists(some.tuples(some.integers(0, 12), some.integers(0, 12), some.floats(-9, 9)), max_size=6))
def test_relevance_over_characters_is_conserved(text: str, spans: list[tuple[int, int, float]]) -> None:
    inside = [(min(one, other, len(text)), min(max(one, other), len(text)), value) for one, other, value in spans]
    start, end = (np.array([span[place] for span in inside], np.int64) for place in (0, 1))
    relevance = np.array([span[2] for span in inside], np.float64)
    found, apart = shared_out(text, start, end, relevance)
    assert found.sum() + apart == pytest.approx(relevance.sum(), abs=1e-9)
    for position, sign in enumerate(text):
        covering = [text[first:last] for first, last, _ in inside if first <= position < last]
        if not covering or (sign.isspace() and all(part.strip() for part in covering)):
            assert found[position] == pytest.approx(0, abs=1e-9)


@settings(max_examples=40)
@given(LETTERS, LETTERS, some.data())
def test_relevance_carried_to_another_text_is_conserved(text: str, other: str, data: some.DataObject) -> None:
    relevance = np.array(data.draw(some.lists(some.floats(-9, 9), min_size=len(other), max_size=len(other))), np.float64)
    place = partners(text, other)
    here, lost = moved(relevance, place, len(text))
    assert here.sum() + lost == pytest.approx(relevance.sum(), abs=1e-9)
    met = place[place != NOWHERE]
    assert (np.diff(met) >= 0).all(), "characters keep their order"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The Cat sat", "the cat SAT"),
        ("É e", "E\u0301 e"),  # composed and decomposed
        ("\u09af\u09bcড়ো", "\u09df\u09a1\u09bc\u09c7\u09be"),  # Bengali letters with two encodings
        ("STRASSE", "straße"),
    ],
)
def test_case_and_encoding_leave_no_character_alone(text: str, other: str) -> None:
    assert (partners(text, other) != NOWHERE).all()
    assert partners(text, other)[0] == 0


def test_what_only_one_text_has_has_no_partner() -> None:
    text, other = "the cat sat", "the big cat sat."
    place = partners(text, other)
    assert [other[index] for index in np.flatnonzero(place == NOWHERE)] == [*" big", "."]
    assert [text[index] for index in place[place != NOWHERE]] == list(text)


def test_atoms_lie_between_all_borders() -> None:
    start, end = atoms(6, np.array([0, 3]), np.array([2, 6]))
    assert list(zip(start, end, strict=True)) == [(0, 2), (2, 3), (3, 6)]
    assert summed(np.arange(6.0), start, end).tolist() == [1, 2, 12]


def by_hand(store: Store) -> dict[tuple[int, str], list[tuple[str, float, float]]]:
    """Words with both relevances by document and class, from plain rows."""
    rows = store.sql("SELECT document, label, word, form, model, relevance FROM word_relevance WHERE kind = 'word' ORDER BY ALL")
    values = {(document, label, word, model): value for document, label, word, _, model, value in rows.iter_rows()}
    found: dict[tuple[int, str], list[tuple[str, float, float]]] = defaultdict(list)
    for document, label, word, form, model, value in rows.iter_rows():
        if model == "first":
            found[document, label].append((form, value, values[document, label, word, "second"]))
    return found


def test_measures_of_documents_are_those_of_plain_python(store: Store, found: Comparison) -> None:
    expected = []
    for words in by_hand(store).values():
        first, second = (np.array([word[place] for word in words]) for place in (1, 2))
        enough = len(words) >= 3
        shares = [np.abs(values) / np.abs(values).sum() * np.sign(values) for values in (first, second)]
        sizes = (np.abs(shares[0]) + np.abs(shares[1])) / 2
        expected.append(
            (
                len(words),
                stats.pearsonr(first, second).statistic if enough else None,
                stats.spearmanr(first, second).statistic if enough else None,
                np.abs(shares[0] - shares[1]).sum() / 2,
                sizes[first * second < 0].sum(),
                bool(first.argmax() == second.argmax()),
            )
        )
    got = found.documents.select("words", "pearson", "spearman", "moved", "signs", "same_top").rows()
    assert len(got) == len(expected) == 28
    ordered = [sorted(rows, key=lambda row: (row[0], row[3])) for rows in (got, expected)]
    for one, other in zip(*ordered, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    mean = found.summary.filter(measure="moved").row(0, named=True)
    assert mean["mean"] == pytest.approx(np.mean([row[3] for row in expected]))
    assert mean["low"] < mean["mean"] < mean["high"]


def test_terms_are_means_of_their_occurrences(store: Store, found: Comparison) -> None:
    occurrences: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for words in by_hand(store).values():
        for form, first, second in words:
            occurrences[form].append((first, second))
    assert set(found.terms["term"]) == set(occurrences)
    for row in found.terms.iter_rows(named=True):
        values = np.array(occurrences[row["term"]])
        assert (row["first"], row["second"]) == pytest.approx(tuple(values.mean(0)), abs=1e-6)
        assert row["difference"] == pytest.approx(row["second"] - row["first"], abs=1e-6)
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["occurrences"] == len(values)


def test_words_that_turn_come_strongest_first(store: Store, found: Comparison) -> None:
    turned = [min(abs(first), abs(second)) for words in by_hand(store).values() for _, first, second in words if first * second < 0]
    got = found.turned.select(pl.min_horizontal(pl.col("first").abs(), pl.col("second").abs()))["first"].to_list()
    assert got == pytest.approx(sorted(turned, reverse=True), abs=1e-6)


def test_sums_are_those_of_the_explanations(store: Store, found: Comparison) -> None:
    by_character = compare(side(store, model="first"), side(store, model="second"), ground="character")
    totals = store.sql(
        "SELECT e.model, sum(t.relevance::DOUBLE) AS whole FROM explanations e JOIN token_relevance t USING (explanation) GROUP BY 1"
    )
    whole = dict(totals.rows())
    for comparison in (found, by_character):
        assert comparison.conserved < 1e-4
        sums = comparison.aligned.select(pl.col("first", "second").sum()).row(0)
        assert sums == pytest.approx((whole["first"], whole["second"]), abs=1e-3)
    forms = by_character.aligned.filter(kind="word").group_by("pair", maintain_order=True).agg(pl.col("form").str.join(""))
    texts = {text.replace(" ", "") for text in store.sql("SELECT text FROM segments")["text"]}
    assert {form.replace(" ", "") for form in forms["form"]} == texts


def test_an_ensemble_has_the_tokens_of_its_members(store: Store) -> None:
    found = compare(side(store, model="ensemble"), side(store, model="first"), ground="character")
    sums = found.aligned.group_by("pair").agg(pl.col("first").sum()).sort("pair")
    wanted = store.sql("SELECT tokens FROM explanations WHERE model = 'ensemble' ORDER BY explanation")["tokens"].to_list()
    assert sums["first"].to_list() == pytest.approx(wanted, abs=1e-5)


def shouted(batch: Batch) -> Batch:
    """The same relevance on words cut otherwise: two words are one, in upper case, under another corpus."""
    frames = dict(batch.frames)
    words = frames["word"].with_columns((pl.col("word") // 2).alias("word"), pl.col("form").str.to_uppercase())
    joined = words.group_by("document", "role", "annotator", "word", maintain_order=True).agg(
        pl.col("char_start").min(),
        pl.col("char_end").max(),
        pl.col("form").str.join(" "),
        pl.exclude("char_start", "char_end", "form").first(),
    )
    frames["word"] = joined.select(frames["word"].columns)
    frames["segment"] = frames["segment"].with_columns(pl.col("text").str.to_uppercase())
    frames["document"] = frames["document"].with_columns(pl.lit("shouted").alias("corpus"), pl.col("fingerprint") + "/shouted")
    return Batch(frames)


def test_other_words_of_the_same_text_meet_on_its_characters(store: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "shouted.duckdb", "write") as other:
        other.append(shouted(synthetic.batch(IDENTIFIERS)), 1)
        found = compare(side(store, model="first"), side(other, model="first"), scale="relevance")
        assert found.conserved < 1e-5
        assert found.documents["words"].sum() == len(store.sql("FROM word_relevance WHERE model = 'first' AND kind = 'word'"))
        pairs = found.aligned.filter(kind="word").with_columns(pl.col("word") // 2)
        joined = pairs.group_by("pair", "word").agg(pl.col("first", "second").sum())
        assert np.corrcoef(joined["first"], joined["second"])[0, 1] > 0.9, "two words together have what the joined word has"
        characters = compare(side(store, model="first"), side(other, model="first"), ground="character")
        assert characters.summary.filter(measure="pearson")["mean"][0] == pytest.approx(1)
        assert characters.summary.filter(measure="moved")["mean"][0] == pytest.approx(0, abs=1e-6)


def test_decisions_that_flip(tmp_path: Path) -> None:
    batch = synthetic.batch(IDENTIFIERS[:8])
    gold = batch["document"]["label"].to_list()
    other = {label: next(name for name in synthetic.LABELS if name != label) for label in synthetic.LABELS}
    says = {"first": [gold[0], gold[1], other[gold[2]], *gold[3:]], "second": [gold[0], other[gold[1]], gold[2], other[gold[3]], *gold[4:]]}
    rows = [
        {"document": place, "role": "text", "model": model, "label": label, "logit": 0.0, "votes": None,
         "probability": 0.9 if label == said else 0.1}
        for model, answers in says.items() for place, said in enumerate(answers) for label in synthetic.LABELS
    ]  # fmt: skip
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(Batch({**batch.frames, "prediction": pl.DataFrame(rows, schema=dict(batch["prediction"].schema))}), 1)
        found = compare(side(store, model="first"), side(store, model="second"))
    assert found.decided == 8
    assert dict(zip(found.flips["identifier"], found.flips["change"], strict=True)) == {"d001": "lost", "d002": "gained", "d003": "lost"}
    assert found.p_value == pytest.approx(stats.binomtest(1, 3).pvalue)


def test_a_planted_change_comes_first(tmp_path: Path) -> None:
    batch = synthetic.batch([f"d{number:03}" for number in range(24)])
    places = batch["word"].filter(form="ভোট").select("document", "char_start", "char_end")
    tokens = batch["token"].join(
        batch["explanation"].select("explanation", "document", "model"), left_on=["document", "tokenizer"], right_on=["document", "model"]
    )
    touched = tokens.join(places, on="document", suffix="_word").filter(
        (pl.col("char_start") >= pl.col("char_start_word")) & (pl.col("char_end") <= pl.col("char_end_word")) & ~pl.col("special")
    )
    raised = touched.select("explanation", "token").unique().with_columns(pl.lit(3.0, pl.Float32).alias("more"))
    relevance = batch["token_relevance"].join(raised, on=["explanation", "token"], how="left", maintain_order="left")
    changed = relevance.with_columns(pl.col("relevance") + pl.col("more").fill_null(0)).drop("more")
    sums = changed.group_by("explanation").agg(pl.col("relevance").cast(pl.Float64).sum().alias("tokens"))
    ledger = (
        batch["explanation"]
        .drop("tokens")
        .join(sums, on="explanation", how="left", maintain_order="left")
        .with_columns(pl.col("tokens").fill_null(0.0))
    )
    ledger = ledger.with_columns((pl.col("tokens") + 0.5).alias("target_value")).select(batch["explanation"].columns)
    with Store.open(tmp_path / "a.duckdb", "write") as one, Store.open(tmp_path / "b.duckdb", "write") as two:
        one.append(batch, 1)
        two.append(Batch({**batch.frames, "token_relevance": changed, "explanation": ledger}), 1)
        found = compare(side(one, model="first"), side(two, model="first"), scale="relevance", form="form")
    first = found.terms.row(0, named=True)
    assert first["term"] == "ভোট"
    assert first["low"] > 0
    assert found.terms.filter(pl.col("term") != "ভোট")["difference"].abs().max() < 1e-6


def test_sides_are_found_by_what_is_written(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").touch()
    assert parsed("3") == {"run": "3"}
    assert parsed("bert") == {"name": "bert"}
    assert parsed(str(tmp_path / "a.duckdb")) == {"store": str(tmp_path / "a.duckdb")}
    assert parsed("model=bert, composite=relp") == {"model": "bert", "composite": "relp"}
    assert side(store, composite="attnlrp.v1").model == "ensemble", "the only one that is no member"
    assert side(store, name="first").shown == "first by attnlrp.v1"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": "third"}, "no model or composite third"),
        ({"model": "first", "run": 7}, "nothing of model first, run 7"),
    ],
)
def test_sides_that_are_not_there_are_refused(store: Store, asked: dict[str, object], said: str) -> None:
    with pytest.raises(StoreError, match=said):
        side(store, **asked)  # type: ignore[arg-type]


def test_what_cannot_be_compared_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="'colour=red'"):
        parsed("colour=red")
    with pytest.raises(InputError, match="ground 'syllable'"):
        compare(side(store, model="first"), side(store, model="second"), ground="syllable")  # type: ignore[arg-type]
    with Store.open(tmp_path / "other.duckdb", "write") as other:
        with pytest.raises(StoreError, match="no relevance of words"):
            side(other)
        other.append(synthetic.batch(["elsewhere"]), 1)
        with pytest.raises(StoreError, match="no document that"):
            compare(side(store, model="first"), side(other, model="first"))
