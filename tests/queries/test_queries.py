"""Every question against the same computation in plain Python, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.queries import pairs_by_hand
from workbench.batch import SCHEMAS, Batch
from workbench.errors import StoreError
from workbench.patterns import find
from workbench.queries import answer, describe, names, query
from workbench.queries.derived import FINISH
from workbench.store import Store, synthetic, synthetic_pairs, synthetic_translations

GIVEN: dict[str, dict[str, object]] = {
    "post": {"identifier": "d003"},
    "post_tokens": {"identifier": "d003"},
    "concordance": {"term": "নেতা"},
    "neurons": {"layer": 1, "unit": 2},
    "pair": {"identifier": "p003"},
    "translation": {"identifier": "t3"},
    "pair_interactions": {"left": "p003:text_a", "right": "p004:text_a"},
    "model_difference": {"model": "encoder", "other": "second"},
    "translation_difference": {"model": "strong", "other": "weak"},
    "categories": {"lexicon": str(Path(__file__).with_name("lexicon.tsv"))},
}
#: Questions that no store without pairs, or without their factors, can answer.
OF_PAIRS = ("all_pairs", "top_interactions", "pair_interactions", "model_difference")
#: Questions that no store without two systems can answer.
OF_SYSTEMS = ("translation_difference",)


def refused(name: str, where: Store, pairs: Store, translated: Store) -> bool:
    """Whether a question cannot be answered by a store: no annotator of these recognises entities."""
    named = name == "entities" and not where.sql("FROM word_relevance LIMIT 1").is_empty()
    return (where is not pairs and name in OF_PAIRS) or (where is not translated and name in OF_SYSTEMS) or named


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("queries") / "store.duckdb", "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(40)]), 1)
        documents = opened.sql("SELECT document FROM documents")["document"].to_list()
        owner = {"role": "text", "model": "ensemble", "ordering": "signed", "metric": "comprehensiveness"}
        scores = [
            {"document": document, **owner, "method": method, "value": value}
            for document in documents
            for method, value in (("attnlrp", 0.4 + document / 1000), ("random", 0.1))
        ]
        opened.append_scores(pl.DataFrame(scores), 1)
        yield opened


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Pairs of texts that two models explain."""
    batch = synthetic_pairs.pairs([f"p{number:03}" for number in range(12)])
    with Store.open(tmp_path_factory.mktemp("pairs") / "store.duckdb", "write") as opened:
        opened.append(batch, 1)
        opened.append(pairs_by_hand.by_another(batch, "second"), 1)
        yield opened


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Sentences that two systems translate."""
    with Store.open(tmp_path_factory.mktemp("translations") / "store.duckdb", "write") as opened:
        for model in synthetic_translations.MODELS:
            opened.append(synthetic_translations.translations([f"t{number}" for number in range(6)], model=model), 1)
        yield opened


@pytest.mark.parametrize("name", names())
def test_every_question_answers_with_the_columns_it_describes(store: Store, pairs: Store, translated: Store, name: str) -> None:
    question, given = describe(name), dict(GIVEN.get(name, {}))
    assert question.title
    assert "$" not in question.title
    used = {parameter.name for parameter in question.parameters}
    assert {word for word in used if f"${word}" in question.statement} >= used - {"resamples", "seed"} or name in FINISH
    assert all(parameter.meaning for parameter in question.parameters)
    chosen = {"model": "encoder"} if name in ("all_pairs", "top_interactions", "pair_interactions") else {}
    columns = set()
    for where in (store, pairs, translated):
        if refused(name, where, pairs, translated):
            with pytest.raises(StoreError):
                query(where, name, **given, **chosen)
            continue
        frame = query(where, name, **given, **chosen)
        assert set(question.columns) <= set(frame.columns)
        # sums of floats in parallel differ in their last digits
        assert_frame_equal(frame, query(where, name, **given, **chosen), rel_tol=1e-9, abs_tol=1e-12)
        columns.add(tuple(frame.columns))
    assert len(columns) == (name != "entities")  # an answer has the same columns where there is nothing to say


#: Questions that have nothing to say of small stores unless the bar is low.
LENIENT = {"decisive_terms": {"minimum_documents": 1, "minimum_precision": 0.0, "minimum_lift": 0.0, "minimum_share": 0.0}}
#: Questions whose rows are no sum over rows of the store: over factors of all pairs of texts, or of documents that are not there.
WITHOUT_EVIDENCE = {"all_pairs", "top_interactions", "pair_interactions", "failures"}


@pytest.mark.parametrize("name", names())
def test_every_row_leads_to_the_rows_words_and_documents_behind_it(store: Store, pairs: Store, translated: Store, name: str) -> None:
    evidence, taken = describe(name).evidence, {parameter.name for parameter in describe(name).parameters}
    given = GIVEN.get(name, {}) | LENIENT.get(name, {}) | ({"resamples": 20} if "resamples" in taken else {})
    assert (evidence is None) == (name in WITHOUT_EVIDENCE)
    followed = 0
    for where in (store, pairs, translated) if evidence else ():
        if refused(name, where, pairs, translated):
            continue
        found = answer(where, name, **given)
        for number in range(1, len(found) + 1, max(1, len(found) // 3)):
            row, lead = found.frame.row(number - 1, named=True), found.lead(number)
            rows, documents = where.sql(lead.rows), where.sql(lead.documents)
            assert len(documents) > 0 or row.get("what") == "similarity", row
            assert documents["occurrences"].sum() == len(rows)
            for counted in ("occurrences", "interactions"):
                if counted in row and name not in ("neurons", "model_difference", "phrases"):  # a phrase has several words
                    assert len(rows) == row[counted], row
            if "documents" in row and name not in ("accuracy", "phrases", "coverage", "faithfulness", "confusion", "decisive_terms"):
                assert len(documents) == row["documents"], row
            if lead.pattern is not None:
                hits = find(where, lead.pattern, model=lead.options["model"], composite=lead.options["composite"])
                assert hits.total >= row["occurrences"] if name == "phrases" else hits.total == len(rows), (row, lead.pattern)
            followed += 1
    assert followed or evidence is None or name.startswith(("retrieval", "entities"))


def test_top_terms_are_those_of_a_plain_computation(store: Store) -> None:
    rows = store.sql("SELECT label, lemma, document, relevance FROM word_relevance WHERE model = 'ensemble' AND kind = 'word'")
    values: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for label, lemma, document, relevance in rows.iter_rows():
        values[label, lemma].append((document, relevance))
    answer = query(store, "top_terms", minimum_documents=4, limit=3)
    assert set(answer["model"]) == {"ensemble"}
    for label in synthetic.LABELS:
        means = {
            term: sum(value for _, value in found) / len(found)
            for (of, term), found in values.items()
            if of == label and len({document for document, _ in found}) >= 4
        }
        expected = sorted((term for term in means if means[term] > 0), key=lambda term: -means[term])[:3]
        mine = answer.filter((pl.col("label") == label) & (pl.col("side") == "for"))
        assert mine["term"].to_list() == expected
        assert mine["mean"].to_list() == pytest.approx([means[term] for term in expected])
        assert mine["occurrences"].to_list() == [len(values[label, term]) for term in expected]
    assert (answer["low"] <= answer["mean"]).all()
    assert (answer["high"] >= answer["mean"]).all()
    assert query(store, "top_terms", model="first", label="political")["model"].unique().to_list() == ["first"]


def test_a_terms_interval_does_not_depend_on_what_else_is_shown(store: Store) -> None:
    many = query(store, "top_terms", limit=5)
    few = query(store, "top_terms", limit=1)
    assert few.equals(many.filter(pl.col("rank") == 1))
    assert not query(store, "top_terms", limit=1, seed=7).equals(few)


def test_a_post_sums_to_its_ledger(store: Store) -> None:
    words = query(store, "post", identifier="d003", label="political")
    tokens = store.sql(
        "SELECT tokens FROM explanations JOIN documents USING (document) WHERE identifier = 'd003' AND model = 'ensemble' "
        "AND explanations.label = 'political'"
    )["tokens"][0]
    assert words["relevance"].cast(pl.Float64).sum() == pytest.approx(tokens, abs=1e-5)
    assert words["share"].abs().max() == pytest.approx(1.0)
    text = store.sql("SELECT text FROM documents WHERE identifier = 'd003'")["text"][0]
    for row in words.filter(pl.col("kind") == "word").iter_rows(named=True):
        assert text[row["char_start"] : row["char_end"]] == row["form"]


def test_accuracy_is_that_of_a_plain_computation(store: Store) -> None:
    rows = store.sql(
        "SELECT d.label AS gold, arg_max(p.label, p.probability) AS predicted FROM predictions p "
        "JOIN documents d USING (document) GROUP BY document, d.label"
    ).rows()
    scores = []
    for label in sorted({gold for gold, _ in rows} | {predicted for _, predicted in rows}):
        hits = sum(gold == predicted == label for gold, predicted in rows)
        sizes = sum(gold == label for gold, _ in rows) + sum(predicted == label for _, predicted in rows)
        scores.append(2 * hits / sizes)
    answer = query(store, "accuracy")
    assert answer.filter(pl.col("label") == "macro")["f1"][0] == pytest.approx(sum(scores) / len(scores))
    assert query(store, "confusion")["documents"].sum() == 40


def test_votes_decide_before_probabilities(tmp_path: Path) -> None:
    batch = synthetic.batch(["a"])
    row = {"document": 0, "role": "text", "model": "ensemble", "logit": None}
    predictions = [
        {**row, "label": "political", "probability": 0.6, "votes": 1},
        {**row, "label": "personal", "probability": 0.3, "votes": 2},
        {**row, "label": "religious", "probability": 0.1, "votes": 0},
    ]
    frame = pl.DataFrame(predictions, schema=dict(SCHEMAS["prediction"]))
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(Batch({**batch.frames, "prediction": frame}), 1)
        assert query(store, "confusion")["predicted"].to_list() == ["political"]
        assert query(store, "confusion", by="votes")["predicted"].to_list() == ["personal"]


def test_shares_and_intervals_of_scores(store: Store) -> None:
    assert query(store, "relevance_by_upos", label="personal")["share"].sum() == pytest.approx(1.0)
    scores = query(store, "faithfulness")
    assert scores["method"].to_list() == ["attnlrp", "random"]
    assert scores["low"][0] < scores["mean"][0] < scores["high"][0]
    assert scores["low"][1] == pytest.approx(scores["high"][1]) == pytest.approx(0.1)
    assert query(store, "coverage").row(0, named=True)["explained"] == 40
    assert query(store, "conservation")["closed"].min() == 1.0
    thresholds = {"minimum_precision": 0.0, "minimum_lift": 0.0, "minimum_share": 0.0}
    decisive = query(store, "decisive_terms", **thresholds)
    assert decisive["precision"].is_between(0, 1).all()
    assert decisive["strongest"].is_between(0, 1).all()
    carriers: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = store.sql("SELECT DISTINCT w.lemma, w.document FROM words w").iter_rows()
    best = dict(
        store.sql(
            "SELECT document, arg_max(label, probability) AS label FROM predictions WHERE model = 'ensemble' GROUP BY ALL"
        ).iter_rows()
    )
    for lemma, document in rows:
        for label in synthetic.LABELS:
            carriers[label, lemma].append(best[document])
    for label, term, precision in decisive.select("label", "term", "precision").iter_rows():
        found = carriers[label, term]
        assert precision == pytest.approx(found.count(label) / len(found))
    chosen = decisive["term"][0]
    assert query(store, "decisive_terms", terms=[chosen], **thresholds)["term"].unique().to_list() == [chosen]


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("topterms", {}, "no question of that name"),
        ("../top_terms", {}, "no question of that name"),
        ("top_terms", {"lable": "x"}, "unknown parameter lable"),
        ("post", {}, "no value for identifier"),
        ("top_terms", {"limit": "many"}, "limit = 'many'"),
        ("top_terms", {"limit": 1.5}, "limit = 1.5"),
        ("top_terms", {"predicted": 3}, "predicted = 3"),
    ],
)
def test_what_is_refused(store: Store, name: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(StoreError, match=words.replace(".", r"\.")) as caught:
        query(store, name, **parameters)
    assert "top_terms" in caught.value.remedy or "takes" in caught.value.remedy


def test_a_path_is_opened_to_read_and_values_are_never_code(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no file there"):
        query(tmp_path / "none.duckdb", "overview")
    assert query(store, "post", identifier="' OR 1=1 --").is_empty()
    assert query(store, "top_terms", limit="2")["rank"].max() == 2
