"""Readers of marked texts: spans lead back to the marked words, contradictions are refused; the real corpora's numbers."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpora import Declaration, find, read
from workbench.corpora.readers.marked_characters import runs
from workbench.corpora.readers.marked_tokens import marked_spans, part_of
from workbench.document import Document
from workbench.errors import InputError

Write = Callable[..., Declaration]
TOKENS = {
    "segments": {"text": "text"},
    "label": "majority",
    "identifier": "post_id",
    "split": "part",
    "metadata": ["rationale", "rationales"],
}
SPANS = {"label": "marked", "metadata": ["rationale"]}


def post(name: str, tokens: object, *masks: object) -> str:
    return json.dumps({"post_id": name, "majority": "animal", "post_tokens": tokens, "rationales": list(masks)}) + "\n"


def marked_words(document: Document) -> list[str]:
    spans = document.metadata["rationale"]
    assert isinstance(spans, list)
    return [document.segments["text"][slice(*span)] for span in spans]  # type: ignore[misc]


def test_marked_tokens_are_spans_of_the_joined_text(corpus: Write) -> None:
    tokens = ["the", "big", "owl", "saw", "a", "mouse"]
    lines = post("a", tokens, [0, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 1]) + post("b", ["hens", "run"]) + post("c", ["hens"], [1])
    reading = read(corpus({"a.jsonl": lines}, "marked_tokens", TOKENS, options={"parts": "one 0.5, two 0.5"}))
    first, second, third = reading
    assert first.segments["text"] == "the big owl saw a mouse"
    assert marked_words(first) == ["big owl", "mouse"]
    assert first.metadata["rationales"] == [[[4, 7], [18, 23]], [[8, 11], [18, 23]]]
    assert second.metadata["rationale"] == []
    assert marked_words(third) == ["hens"]
    assert reading.report.traps == {"rationale that is the whole text": 1}
    assert [document.identifier for document in reading] == ["a", "b", "c"]
    assert {document.split for document in reading} <= {"one", "two"}


def test_records_that_contradict_themselves_are_refused_alone(corpus: Write) -> None:
    wrong = [post("a", ["hen"], [1, 0]), post("b", []), post("c", ["big hen"], [1]), post("d", ["hen"], [2]), post("e", ["hen"], "1")]
    declared = corpus({"a.jsonl": "".join([*wrong, post("f", ["hen"], [0])])}, "marked_tokens", {**TOKENS, "split": "majority"})
    reading = read(declared)
    assert [document.identifier for document in reading] == ["f"]
    said = [item.reason.partition(": ")[2] for item in reading.report.rejected]
    assert [reason.split()[0:3] for reason in said] == [
        ["a", "mask", "of"],
        ["no", "list", "of"],
        ["a", "token", "that"],
        ["a", "mask", "with"],
        ["no", "list", "of"],
    ]


@pytest.mark.parametrize("parts", ["one 0.5", "one", "one 1, two 0", "one x"])
def test_shares_must_sum_to_one(corpus: Write, parts: str) -> None:
    with pytest.raises(InputError, match="shares that sum to 1"):
        list(read(corpus({"a.jsonl": post("a", ["hen"])}, "marked_tokens", TOKENS, options={"parts": parts})))


@given(st.lists(st.tuples(st.text("abü😀", min_size=1, max_size=4), st.booleans()), min_size=1, max_size=12))
def test_spans_hold_exactly_the_marked_tokens(pairs: list[tuple[str, bool]]) -> None:
    tokens, mask = [token for token, _ in pairs], [marked for _, marked in pairs]
    text = " ".join(tokens)
    spans = marked_spans(tokens, mask)
    assert [word for start, end in spans for word in text[start:end].split()] == [token for token, marked in pairs if marked]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_parts_do_not_depend_on_order_and_keep_their_shares() -> None:
    found = Counter(part_of(f"post-{number}", {"train": 0.6, "validation": 0.1, "test": 0.3}) for number in range(3000))
    assert found["train"] / 3000 == pytest.approx(0.6, abs=0.04)
    assert found["validation"] / 3000 == pytest.approx(0.1, abs=0.03)
    assert part_of("post-1", {"train": 0.6, "test": 0.4}) == part_of("post-1", {"train": 0.6, "test": 0.4})


REVIEW = {"label": "classification", "identifier": "annotation_id", "split": "part", "metadata": ["rationale"]}


def review(name: str, *evidence: tuple[int, int, str]) -> str:
    spans = [[{"docid": name, "start_token": start, "end_token": end, "text": text}] for start, end, text in evidence]
    return json.dumps({"annotation_id": name, "classification": "POS", "docids": None, "evidences": spans, "query": "?"}) + "\n"


def eraser(folder: Path) -> Path:
    """A corpus as ERASER lays it out."""
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "a.txt").write_text("a film that is\nvery fine .\n", "utf-8")
    (folder / "docs" / "b.txt").write_text("dull .", "utf-8")
    (folder / "train.jsonl").write_text(review("b.txt"), "utf-8")
    wrong = [review("a.txt", (5, 8, "fine .")), review("c.txt"), review("../a.txt"), review("a.txt", (2, 2, ""))]
    (folder / "test.jsonl").write_text(
        review("a.txt", (4, 6, "very fine"), (0, 2, "a movie"), (1, 3, "film that")) + "".join(wrong), "utf-8"
    )
    return folder


def test_documents_with_evidence_are_read_as_eraser_lays_them_out(corpus: Write, tmp_path: Path) -> None:
    declared = corpus({}, "marked_documents", REVIEW, declared=[{"path": str(eraser(tmp_path / "movies"))}])
    reading = read(declared)
    first, second = sorted(reading, key=lambda document: document.identifier)
    assert (first.segments["text"], first.label, first.split) == ("a film that is very fine .", "POS", "test")
    assert marked_words(first) == ["a film that", "very fine"]  # evidence that overlaps or touches is one span
    assert (second.identifier, second.split, second.metadata["rationale"]) == ("b.txt", "train", [])
    assert reading.report.traps["evidence whose text is not that of its tokens"] == 1
    said = " ".join(item.reason for item in reading.report.rejected)
    for part in ("from token 5 to 8", "no document c.txt", "no name of a document", "from token 2 to 2"):
        assert part in said
    with pytest.raises(InputError, match="unpack a corpus of ERASER"):
        list(read(corpus({}, "marked_documents", REVIEW, declared=[{"path": str(tmp_path)}])))


@given(st.sets(st.integers(0, 60)))
def test_runs_hold_exactly_the_offsets(offsets: set[int]) -> None:
    spans = runs(sorted(offsets))
    assert {place for start, end in spans for place in range(start, end)} == offsets
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_marked_characters_are_spans_of_the_text(corpus: Write) -> None:
    wrong = '"[99]",a hen\n"[2, 1]",a hen\n"[1.5]",a hen\nx,a hen\n'
    reading = read(corpus({"a.csv": f'spans,text\n"[4, 5, 6, 11]","the owl, a 🐁"\n[],a hen\n{wrong}'}, "marked_characters", SPANS))
    first, second = reading
    assert marked_words(first) == ["owl", "🐁"]
    assert (first.label, second.label, second.metadata["rationale"]) == ("marked", "unmarked", [])
    said = [item.reason for item in reading.report.rejected]
    for reason, part in zip(
        said, ["outside of the 5", "do not ascend", "no list of whole numbers", "no list of whole numbers"], strict=True
    ):
        assert part in reason


@pytest.fixture
def here(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (mirror / "rationales").is_dir():
        pytest.skip(f"the mirror {mirror} does not hold rationales")
    monkeypatch.setenv("WORKBENCH_MIRROR", str(mirror))


def test_hatexplain_validation_part(here: None) -> None:
    documents = list(reading := read(find("hatexplain-validation")))
    assert reading.report.rejected == []
    assert Counter(document.label for document in documents) == {"normal": 781, "hatespeech": 593, "offensive": 548}
    assert Counter(document.split for document in documents) == {"train": 1_156, "validation": 205, "test": 561}
    assert all(document.metadata["clean"] for document in documents)
    assert sum(bool(document.metadata["rationale"]) for document in documents) == 1_141
    assert all(bool(document.metadata["rationale"]) == (document.label != "normal") for document in documents)


def test_toxic_spans(here: None) -> None:
    documents = list(reading := read(find("toxic-spans")))
    assert reading.report.rejected == []
    assert Counter((document.split, document.label) for document in documents) == {
        ("train", "marked"): 7_454,
        ("train", "unmarked"): 485,
        ("trial", "marked"): 647,
        ("trial", "unmarked"): 43,
    }
    assert sum(not document.metadata["clean"] for document in documents) == 14
