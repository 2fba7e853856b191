"""The real Bengali hate speech corpus: its published numbers, its traps, its clean part. Needs the mirror."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from workbench.corpora import Declaration, Reading, find, read
from workbench.document import Document


@pytest.fixture
def bengali_hate(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Declaration:
    if not (mirror / "bengali" / "deephate" / "train.csv").exists():
        pytest.skip(f"the mirror {mirror} does not hold bengali/deephate")
    monkeypatch.setenv("WORKBENCH_MIRROR", str(mirror))
    return find("bengali-hate")


def everything(declaration: Declaration, split: str | None = None) -> tuple[list[Document], Reading]:
    reading = read(declaration, split)
    return list(reading), reading


def test_published_and_clean_splits(bengali_hate: Declaration) -> None:
    documents, reading = everything(bengali_hate)
    assert reading.report.rejected == []
    assert Counter(document.split for document in documents) == {"train": 5_887, "validation": 1_000, "test": 1_200}
    assert Counter(document.label for document in documents) == {
        "Personal": 3_513,
        "Geopolitical": 2_364,
        "Religious": 1_211,
        "Political": 999,
    }
    clean = Counter(document.split for document in documents if document.metadata["clean"])
    assert clean == {"train": 5_887, "validation": 840, "test": 986}
    assert sum("repeats" not in document.metadata for document in documents) == 7_185
    assert len({document.identifier for document in documents}) == 8_087


def test_every_trap_is_counted(bengali_hate: Declaration) -> None:
    _, reading = everything(bengali_hate)
    assert dict(reading.report.traps) == {
        "record broken over two lines": 1,
        "target with a blank": 1,
        "nukta letter as one code point": 795,
        "nukta letter as two code points": 5_132,
        "both nukta encodings in one text": 18,
        "text not in canonical composition": 796,
        "zero-width joiner or non-joiner": 17,
        "debris of a font conversion (¦ or ^)": 9,
        "text that stands more than once (encoding, punctuation, spacing and case ignored)": 900,
        "document that repeats an earlier text": 902,
        "text with contradicting labels": 4,
        "validation text that stands in an earlier split": 160,
        "test text that stands in an earlier split": 214,
    }


def test_the_clean_test_split(bengali_hate: Declaration) -> None:
    documents, reading = everything(bengali_hate, "test:clean")
    assert len(documents) == reading.report.documents == 986
    assert reading.report.traps["left out of the clean part"] == 214
    whole, _ = everything(bengali_hate, "test")
    leaked_from_train = sum(str(document.metadata.get("repeats", "")).startswith("train") for document in whole)
    assert leaked_from_train == 168


def test_texts_are_the_bytes_of_the_file(bengali_hate: Declaration, mirror: Path) -> None:
    published = (mirror / "bengali" / "deephate" / "train.csv").read_text(encoding="utf-8")
    documents, _ = everything(bengali_hate, "train")
    plain = [document.segments["text"] for document in documents if '"' not in document.segments["text"]]
    assert len(plain) > 5_500
    assert all(text in published for text in plain)
    assert "\n" in documents[2_360].segments["text"]
    assert documents[2_360].label == "Political"
