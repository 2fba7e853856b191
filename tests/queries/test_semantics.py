"""What relevance is about: categories of a lexicon, named entities, and groups of terms, against plain sums."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from tests.patterns import corpus
from workbench.cli import app
from workbench.errors import InputError, StoreError
from workbench.queries import answer, query, sql_of
from workbench.queries.semantics.clusters import Clusters, clusters
from workbench.queries.semantics.vectors import corpus_vectors
from workbench.store import Store, synthetic

TEXTS = corpus.corpus(7, 24, longest=12)
LEXICON = {"walk": {"motion"}, "good": {"value"}, "café": {"place", "value"}, "ভালো": {"value"}, "not good": {"denied"}}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("semantics") / "store.duckdb"
    corpus.store(found, TEXTS).close()
    return found


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    with Store.open(path, "read") as opened:
        yield opened


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.tsv"
    lines = [f"{term.upper()}\t{category}" for term, categories in LEXICON.items() for category in sorted(categories)]
    path.write_text("term\tcategory\n" + "\n".join(lines), "utf-8")
    return str(path)


def spellings(word: Any) -> set[str]:
    return {unicodedata.normalize("NFC", text).lower() for text in (word.form, word.lemma or word.form)}


def by_hand(terms: bool) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """Words with relevance of each category (or term) by class; phrases are looked for at every place."""
    found: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for text in TEXTS:
        known = {word.index: word for word in text.words if word.seen and word.upos != "PUNCT"}
        covered: set[tuple[str, int]] = set()
        for term, categories in LEXICON.items():
            parts = term.split()
            for start in known:
                places = range(start, start + len(parts))
                if all(place in known and part in spellings(known[place]) for place, part in zip(places, parts, strict=True)):
                    covered |= {(name, place) for place in places for name in ([term] if terms else categories)}
        for name, place in covered:
            found[text.explained, name].append((text.document, known[place].relevance))
    return found


def whole(label: str) -> tuple[float, int]:
    """|relevance| and number of all words of a class."""
    words = [word for text in TEXTS if text.explained == label for word in text.words if word.seen and word.upos != "PUNCT"]
    return sum(abs(word.relevance) for word in words), len(words)


@pytest.mark.parametrize("by", ["category", "term"])
def test_categories_are_sums_over_their_words(store: Store, lexicon: str, by: str) -> None:
    expected = by_hand(by == "term")
    found = query(store, "categories", lexicon=lexicon, by=by, resamples=200)
    assert {(row["label"], row["item"]) for row in found.iter_rows(named=True)} == set(expected)
    assert ("political", "denied" if by == "category" else "not good") in expected
    for row in found.iter_rows(named=True):
        words = expected[row["label"], row["item"]]
        size, count = sum(abs(value) for _, value in words), len(words)
        all_size, all_count = whole(row["label"])
        assert row["share"] == pytest.approx(size / all_size, abs=1e-6)
        assert row["lift"] == pytest.approx(size / all_size / (count / all_count), abs=1e-5)
        assert row["mean"] == pytest.approx(sum(value for _, value in words) / count, abs=1e-6)
        assert (row["documents"], row["occurrences"]) == (len({name for name, _ in words}), count)
        assert row["share_low"] <= row["share"] <= row["share_high"]
    if by == "term":
        assert found.filter(item="café")["category"][0] == "place, value"


def test_a_category_leads_to_its_words(store: Store, lexicon: str) -> None:
    found = answer(store, "categories", lexicon=lexicon, resamples=2)
    row = found.frame.row(0, named=True)
    lead = found.lead(1)
    assert len(store.sql(lead.rows)) == row["occurrences"]
    assert len(store.sql(lead.documents)) == row["documents"]
    assert len(store.sql(sql_of("categories", lexicon=lexicon))) > len(found.frame)


def test_entities_by_type_and_as_mentioned(store: Store) -> None:
    found = query(store, "entities", resamples=20)
    assert set(found["item"]) == {"PER"}
    words = [word for text in TEXTS if text.explained == "political" for word in text.words if word.seen and word.entity]
    row = found.filter(label="political").row(0, named=True)
    assert row["occurrences"] == len(words)
    assert row["share"] == pytest.approx(sum(abs(word.relevance) for word in words) / whole("political")[0], abs=1e-6)
    mentions = query(store, "entities", by="mention", resamples=2)
    assert set(mentions["category"]) == {"PER"}
    assert mentions.filter(label="political")["occurrences"].sum() == len(words)
    assert mentions["item"].str.contains(" ").any(), "names of several words"


def test_what_finds_nothing_says_so(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").write_text("nowhere\tplace\n", "utf-8")
    with pytest.raises(InputError, match="none of its 1 terms"):
        query(store, "categories", lexicon=str(tmp_path / "empty.tsv"))
    with pytest.raises(StoreError, match="no value for lexicon"):
        query(store, "categories")
    with Store.open(tmp_path / "flat.duckdb", "write") as flat:
        flat.append(synthetic.batch(["one", "two"]), 1)
        with pytest.raises(StoreError, match="without a named entity"):
            query(flat, "entities")
        with pytest.raises(StoreError, match="terms with relevance in enough documents"):
            clusters(flat, minimum_documents=3)
    with pytest.raises(InputError, match="relevance 'much'"):
        clusters(store, relevance="much")


def planted(names: list[str], seed: int = 0) -> np.ndarray:
    """Vectors of two groups far apart, by whether a term has an o in it."""
    random = np.random.default_rng(seed)
    centres = {True: np.eye(8)[0], False: np.eye(8)[1]}
    vectors = np.stack([centres["o" in name] + 0.05 * random.normal(size=8) for name in names])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def groups(store: Store) -> Clusters:
    return clusters(store, lambda terms: planted(list(terms)), form="form", relevance="either", minimum_documents=1, resamples=100)


def test_groups_are_those_of_the_vectors(store: Store, groups: Clusters) -> None:
    by_group = groups.lexicon.group_by("category").agg(pl.col("term"))
    assert len(by_group) >= 2
    for terms in by_group["term"]:
        assert len({"o" in term for term in terms}) == 1, "no group has terms of both"
    assert groups.grouped == len(groups.lexicon) <= groups.terms
    assert (groups.answer.frame["cohesion"] > 0.9).all()
    for row in groups.answer.frame.iter_rows(named=True):
        terms = set(groups.lexicon.filter(category=row["item"])["term"])
        words = [
            word.relevance for text in TEXTS if text.explained == row["label"]
            for word in text.words if word.seen and unicodedata.normalize("NFC", word.form) in terms
        ]  # fmt: skip
        assert row["share"] == pytest.approx(sum(map(abs, words)) / whole(row["label"])[0], abs=1e-6)
        assert row["terms"] == len(terms)
        assert row["item"].split(", ")[0] in terms


def test_groups_are_a_lexicon_for_other_questions(store: Store, groups: Clusters, tmp_path: Path) -> None:
    path = tmp_path / "groups.tsv"
    groups.lexicon.select("term", "category").write_csv(path, separator="\t")
    again = query(store, "categories", lexicon=str(path), resamples=2)
    assert set(again["item"]) == set(groups.lexicon["category"])
    lead = groups.answer.lead(1)
    assert len(store.sql(lead.rows)) == groups.answer.frame["occurrences"][0]


def test_words_of_like_company_lie_near(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    kinds = {"fruit": ("apple", "pear", "plum", "ripe", "sweet"), "metal": ("iron", "zinc", "lead", "hard", "heavy")}
    texts = corpus.corpus(2, 40, labels=1)
    for number, text in enumerate(texts):
        chosen = kinds["fruit" if number % 2 else "metal"]
        for word in text.words:
            word.form = word.lemma = str(random.choice(chosen))
            word.sentence, word.upos = 0, "NOUN"
    with corpus.store(tmp_path / "company.duckdb", texts) as opened:
        names = [*kinds["fruit"], *kinds["metal"]]
        vectors = corpus_vectors(opened, names)
    cosines = vectors @ vectors.T
    same = np.equal.outer(np.arange(10) < 5, np.arange(10) < 5) & ~np.eye(10, dtype=bool)
    assert cosines[same].min() > cosines[~np.equal.outer(np.arange(10) < 5, np.arange(10) < 5)].max()


def test_the_command_writes_a_lexicon(path: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.tsv"
    given = ["clusters", "--vectors", "corpus", "--minimum-documents", "1", "--store", str(path), "--save", str(saved), "--format", "table"]
    found = CliRunner().invoke(app, given, catch_exceptions=False)
    assert found.exit_code == 0
    assert "groups of terms that mean the like" in found.output
    assert "association, not cause" in found.output
    assert saved.read_text("utf-8").startswith("term\tcategory\n")
