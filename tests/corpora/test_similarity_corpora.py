"""The corpora for similarity: the samples that came with the workbench, and the numbers of those in the mirror."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import regex

from workbench.corpora import collection, find, language_of, read
from workbench.document import Document
from workbench.fingerprint import Json

SAMPLE = "similarity-multilingual-sample"
LANGUAGES = ("en", "de", "fr", "es")


def listed(value: Json) -> Sequence[Json]:
    assert isinstance(value, list)
    return value


def test_the_multilingual_sample_has_all_languages_and_contrasts() -> None:
    reading = read(find(SAMPLE))
    documents = list(reading)
    assert reading.report.rejected == []
    assert Counter(document.language for document in documents) == {"en": 66, "de": 66, "fr": 66, "es": 66, "bn": 36}
    english = [document for document in documents if document.language == "en"]
    contrasts = Counter(document.metadata["contrast"] for document in english)
    assert set(contrasts) == {"negation", "passive", "order", "roles", "synonym", "number", "paraphrase", "related", "unrelated"}
    assert min(contrasts.values()) >= 5
    for document in documents:
        for text in document.segments.values():
            assert unicodedata.is_normalized("NFC", text)
            assert text == text.strip()
            assert regex.search(r"[.।]$", text)


@pytest.mark.parametrize(
    ("languages", "count"), [("en-de", 66), ("es-fr", 66), ("en-bn", 36), ("bn-de", 36), ("en=fr", 132), ("en=bn", 72)]
)
def test_the_multilingual_sample_in_two_languages(languages: str, count: int) -> None:
    reading = read(find(SAMPLE), languages=languages)
    documents = list(reading)
    assert len(documents) == count
    assert reading.report.rejected == []
    first, second = regex.split("[-=]", languages)
    assert all((language_of(document, "text_a"), language_of(document, "text_b")) == (first, second) for document in documents)
    assert all((document.metadata["similarity"] is None) == ("=" in languages) for document in documents)


def test_bengali_is_written_in_bengali_and_the_others_are_not() -> None:
    for document in read(find(SAMPLE)):
        for text in document.segments.values():
            letters = regex.findall(r"\p{L}", text)
            assert all(regex.match(r"\p{Bengali}" if document.language == "bn" else r"\p{Latin}", letter) for letter in letters)


def test_similarities_fit_their_contrast() -> None:
    for document in read(find(SAMPLE), languages="en"):
        similarity = document.metadata["similarity"]
        assert isinstance(similarity, float)
        low, high = {
            "negation": (2, 3), "roles": (2, 3), "passive": (5, 5), "order": (5, 5), "synonym": (4.5, 5),
            "number": (3, 4), "paraphrase": (4, 5), "related": (1, 2.5), "unrelated": (0, 0),
        }[str(document.label)]  # fmt: skip
        assert low <= similarity <= high


def test_the_biomedical_sample() -> None:
    reading = read(find("similarity-biomedical-sample"))
    documents = list(reading)
    assert reading.report.rejected == []
    assert Counter(document.metadata["contrast"] for document in documents) == {"none": 27, "antonym": 12, "negation": 10}
    assert Counter(document.metadata["relation"] for document in documents) == {
        "opposite": 22,
        "paraphrase": 12,
        "related": 9,
        "unrelated": 6,
    }
    assert len({text for document in documents for text in document.segments.values()}) == 98
    for document in documents:
        if document.metadata["contrast"] != "none":
            assert shared(document) >= 0.5


def shared(document: Document) -> float:
    """How many of the words of the shorter text stand in the other one too."""
    first, second = (set(text.rstrip(".").split()) for text in document.segments.values())
    return len(first & second) / min(len(first), len(second))


@pytest.fixture
def here(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("similarity", "biomed", "alignment"):
        if not (mirror / folder).is_dir():
            pytest.skip(f"the mirror {mirror} does not hold {folder}")
    monkeypatch.setenv("WORKBENCH_MIRROR", str(mirror))


def test_sts_benchmark_in_four_languages(here: None) -> None:
    declared = find("stsb-multilingual")
    assert declared.languages == LANGUAGES
    by_language = {language: list(read(declared, "test", languages=language)) for language in LANGUAGES}
    assert {language: len(documents) for language, documents in by_language.items()} == dict.fromkeys(LANGUAGES, 1_379)
    grades = {tuple(document.metadata["similarity"] for document in documents) for documents in by_language.values()}  # type: ignore[misc]
    assert len(grades) == 1
    reading = read(declared, "test", languages="en-de")
    for one, other, joined in zip(by_language["en"], by_language["de"], reading, strict=True):
        assert joined.segments == {"text_a": one.segments["text_a"], "text_b": other.segments["text_b"]}
        assert joined.metadata["row"] == one.metadata["row"] == other.metadata["row"]
    assert reading.report.rejected == []
    assert reading.report.documents == 1_379


@pytest.mark.parametrize(("split", "count"), [("train", 5_749), ("dev", 1_500)])
def test_other_splits_of_the_sts_benchmark_are_aligned(split: str, count: int, here: None) -> None:
    for languages in ("en-de", "fr-es"):
        reading = read(find("stsb-multilingual"), split, languages=languages)
        assert len(list(reading)) == count
        assert reading.report.rejected == []


def test_sick(here: None) -> None:
    documents = list(reading := read(find("sick")))
    assert reading.report.rejected == []
    assert Counter(document.split for document in documents) == {"train": 4_500, "trial": 500, "test": 4_927}
    test = [document for document in documents if document.split == "test"]
    assert Counter(document.label for document in test) == {"NEUTRAL": 2_793, "ENTAILMENT": 1_414, "CONTRADICTION": 720}
    assert sum(not document.metadata["clean"] for document in test) == 52


def test_biosses_and_its_contradictions(here: None) -> None:
    documents = list(reading := read(find("biosses")))
    assert len(documents) == 100
    assert reading.report.rejected == []
    for document in documents:
        grades = [document.metadata[annotator] for annotator in "abcde"]
        assert document.metadata["similarity"] == pytest.approx(sum(float(str(grade)) for grade in grades) / 5, abs=1e-3)
    flipped = list(reading := read(find("biosses-contradiction")))
    assert Counter(document.metadata["contrast"] for document in flipped) == {"negation": 13, "antonym": 7}
    assert reading.report.rejected == []
    assert all(shared(document) >= 0.5 for document in flipped)


def test_scifact(here: None) -> None:
    found = collection("scifact-claims", "dev")
    assert (len(found.queries), len(found.passages), len(found.judgements)) == (300, 5_183, 339)
    assert Counter(judgement.verdict for judgement in found.judgements) == {"SUPPORT": 138, "CONTRADICT": 71, None: 130}
    assert sum(len(judgement.rationales) for judgement in found.judgements) == 338
    passages = {document.identifier: document for document in found.passages}
    for judgement in found.judgements:
        sentences = listed(passages[judgement.passage].metadata["sentences"])
        assert all(list(span) in sentences for rationale in judgement.rationales for span in rationale)
    assert sum(len(listed(document.metadata["sentences"])) for document in found.passages) == 45_952


def test_gold_interactions(here: None) -> None:
    pairs = list(reading := read(find("edinburgh-alignments")))
    assert len(pairs) == 714
    assert reading.report.rejected == []
    kinds = Counter(item["type"] for pair in pairs for item in listed(pair.metadata["interactions"]) if isinstance(item, dict))
    assert kinds == {"sure": 13_314, "possible": 2_532}
    chunks = list(reading := read(find("ists-alignments")))
    assert Counter(pair.split for pair in chunks) == {"headlines": 756, "images": 750, "answers-students": 330}
    assert reading.report.rejected == []
    types = Counter(item["type"] for pair in chunks for item in listed(pair.metadata["interactions"]) if isinstance(item, dict))
    assert types["OPPO"] == 61
    assert types.total() == 10_632
