"""Splits, clean parts, limits, labels and identifiers: what a reading gives, whatever the format."""

from __future__ import annotations

import json
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from workbench.corpora import Declaration, Rejected, read
from workbench.corpora.comparison import comparable
from workbench.document import Document
from workbench.errors import InputError

Write = Callable[..., Declaration]

SPLITS = {"splits": {"names": ["train", "validation", "test"], "leakage": True}}
FILES = {
    "train.csv": "text,label\nআমি ভাত খাই।,A\nতুমি যাও,B\n",
    "validation.csv": "text,label\nআমি ভাত খাই,A\nনতুন কথা,B\n",
    "test.csv": "text,label\n“তুমি যাও!”,A\nনতুন  কথা,B\nএকেবারে নতুন,A\nএকেবারে নতুন!,A\n",
}
DECLARED = [{"path": f"{split}.csv", "split": split} for split in ("test", "train", "validation")]


@pytest.fixture
def splits(corpus: Write) -> Declaration:
    """Three splits in which texts repeat; declared in another order than they follow each other."""
    return corpus(FILES, "delimited", {"label": "label"}, declared=DECLARED, **SPLITS)


def identifiers(declaration: Declaration, split: str | None = None, limit: int | None = None) -> list[str]:
    return [document.identifier for document in read(declaration, split, limit)]


def test_all_of_a_corpus_comes_split_by_split(splits: Declaration) -> None:
    found = identifiers(splits)
    assert found == ["train-00001", "train-00002", "validation-00001", "validation-00002", *(f"test-0000{row}" for row in (1, 2, 3, 4))]


def test_a_split_and_its_clean_part(splits: Declaration) -> None:
    assert identifiers(splits, "validation") == ["validation-00001", "validation-00002"]
    assert identifiers(splits, "validation:clean") == ["validation-00002"]
    assert identifiers(splits, "test:clean") == ["test-00003", "test-00004"]
    assert identifiers(splits, "train:clean") == identifiers(splits, "train")


def test_repetitions_are_marked_and_counted(splits: Declaration) -> None:
    reading = read(splits)
    metadata = {document.identifier: dict(document.metadata) for document in reading}
    assert metadata["test-00001"] == {"clean": False, "repeats": "train-00002"}
    assert metadata["test-00002"] == {"clean": False, "repeats": "validation-00002"}
    assert metadata["test-00003"] == {"clean": True}
    assert metadata["test-00004"] == {"clean": True, "repeats": "test-00003"}
    traps = reading.report.traps
    assert traps["test text that stands in an earlier split"] == 2
    assert traps["validation text that stands in an earlier split"] == 1
    assert traps["text that stands more than once (encoding, punctuation, spacing and case ignored)"] == 4
    assert traps["document that repeats an earlier text"] == 4
    assert traps["text with contradicting labels"] == 1


def test_a_reading_can_be_read_again_and_counts_anew(splits: Declaration) -> None:
    reading = read(splits, "test:clean")
    assert list(reading) == list(reading)
    assert reading.report.documents == 2
    assert reading.report.traps["left out of the clean part"] == 2


def test_a_limit_counts_documents(splits: Declaration) -> None:
    assert identifiers(splits, "test:clean", 1) == ["test-00003"]
    assert identifiers(splits, limit=0) == []
    with pytest.raises(InputError, match="limit = -1"):
        read(splits, limit=-1)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("tset", "did you mean 'test'?"),
        ("all", "ask for one of these"),
        ("test:dirty", "the part 'dirty'"),
        ("test:", "ask for 'test' or 'test:clean'"),
    ],
)
def test_a_split_that_is_not_there(split: str, said: str, splits: Declaration) -> None:
    with pytest.raises(InputError, match=r"train, validation, test|the part") as caught:
        read(splits, split)
    assert said in str(caught.value)


def test_clean_needs_marked_repetitions(corpus: Write) -> None:
    plain = corpus({"test.csv": "text\na\n"}, "delimited", declared=[{"path": "test.csv", "split": "test"}])
    with pytest.raises(InputError, match="does not mark repeated texts"):
        read(plain, "test:clean")


def test_splits_that_only_the_records_know(corpus: Write) -> None:
    rows = "".join(json.dumps({"text": text, "part": part}) + "\n" for text, part in [("a", "train"), ("b", "test"), ("c", "train")])
    declaration = corpus({"a.jsonl": rows}, fields={"split": "part"})
    assert identifiers(declaration, "train") == ["a-00001", "a-00003"]
    with pytest.raises(InputError, match=r"splits test, train"):
        identifiers(declaration, "validation")


def test_a_refused_record_does_not_move_the_identifiers_of_others(corpus: Write) -> None:
    reading = read(corpus({"a.jsonl": '{"text": "a"}\n{"text": ""}\n\n{"text": "c"}\n'}))
    assert [document.identifier for document in reading] == ["a-00001", "a-00003"]
    assert reading.report.rejected == [Rejected("a-00002", "a.jsonl line 2: an empty text")]


def test_numbered_identifiers_of_several_files_differ(corpus: Write) -> None:
    files = {"a/x.jsonl": '{"text": "a"}\n', "b/x.jsonl": '{"text": "b"}\n', "y.jsonl": '{"text": "c"}\n', "z.jsonl": '{"text": "d"}\n'}
    declared = [{"path": "a/x.jsonl"}, {"path": "b/x.jsonl"}, {"path": "y.jsonl", "split": "s"}, {"path": "z.jsonl", "split": "t"}]
    found = identifiers(corpus(files, declared=declared))
    assert found == ["a/x.jsonl-00001", "b/x.jsonl-00001", "s-00001", "t-00001"]


def test_labels_by_code_with_blanks_and_without(corpus: Write) -> None:
    rows = "text,label\na,0\nb, 1 \nc,\n"
    reading = read(corpus({"a.csv": rows}, "delimited", {"label": "label", "codes": {"0": "Personal", "1": "Political"}}))
    assert [document.label for document in reading] == ["Personal", "Political", None]
    assert reading.report.traps["label with a blank"] == 1
    assert reading.report.traps["document without a label"] == 1


def test_two_texts_and_metadata(corpus: Write) -> None:
    row = {"first": "a", "second": "b", "score": 4.5, "tags": ["x", {"y": None}]}
    fields = {"segments": {"text_a": "first", "text_b": "second"}, "metadata": ["score", "tags"]}
    (document,) = read(corpus({"a.jsonl": json.dumps(row)}, fields=fields))
    assert document.segments == {"text_a": "a", "text_b": "b"}
    assert document.metadata == {"score": 4.5, "tags": ["x", {"y": None}]}
    assert document.language == "bn"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(lambda text: text.strip() != "")


@given(rows=st.lists(texts, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_survives_json_lines(rows: list[str], corpus: Write) -> None:
    content = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in rows)
    reading = read(corpus({"a.jsonl": content}))
    assert [document.segments["text"] for document in reading] == rows
    assert reading.report.rejected == []


@given(rows=st.lists(texts, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_survives_csv(rows: list[str], corpus: Write) -> None:
    content = "text,n\n" + "".join('"' + text.replace('"', '""') + f'",{number}\n' for number, text in enumerate(rows))
    reading = read(corpus({"a.csv": content}, "delimited"))
    assert [document.segments["text"] for document in reading] == rows
    assert reading.report.rejected == []


@given(content=st.binary(max_size=300), reader=st.sampled_from(["jsonl", "delimited", "conllu", "parquet", "parallel", "deephate"]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_give_anything_but_documents_refusals_or_one_clear_error(content: bytes, reader: str, corpus: Write) -> None:
    reading = read(corpus({"a.any": content}, reader))
    said: list[str] = ["asked", "found", "do"]
    documents: list[Document] = []
    try:
        documents = list(reading)
    except InputError as error:
        said = [error.asked, error.found, error.remedy]
    assert all(said)
    assert len(documents) <= reading.report.documents
    for document in documents:
        assert document.segments["text"].encode("utf-8")


@given(text=texts)
def test_comparing_is_stable_and_blind_to_encoding_and_punctuation(text: str) -> None:
    once = comparable(text)
    assert once
    assert comparable(once) == once
