"""Queries, passages and judgements: what is declared, what is put together, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from workbench.corpora import Declaration, collection, read
from workbench.errors import InputError

Write = Callable[..., Declaration]
PASSAGES = [
    {"doc_id": "10", "title": "Owls.", "abstract": ["Owls hunt at night.", "They see well."]},
    {"doc_id": "11", "title": "Hens.", "abstract": ["Hens sleep at night."]},
    {"doc_id": "12", "title": "Mice.", "abstract": ["Mice are small."]},
]


def claim(name: str, cited: object, evidence: object) -> dict[str, object]:
    return {"id": name, "claim": f"claim {name}", "cited_doc_ids": cited, "evidence": evidence}


CLAIMS = [
    claim("1", ["10", "11"], {"10": [{"sentences": [0, 1], "label": "SUPPORT"}, {"sentences": [1], "label": "SUPPORT"}]}),
    claim("2", ["11", "11"], {}),
]


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def claims(corpus: Write, rows: list[dict[str, object]], **more: object) -> Declaration:
    fields = {"segments": {"query": "claim"}, "identifier": "id", "metadata": ["judgements"]}
    return corpus({"claims.jsonl": lines(rows)}, "judged_claims", fields, "questions", **{"passages": "barn", **more})


@pytest.fixture
def barn(corpus: Write) -> Declaration:
    fields = {"segments": {"passage": "text"}, "identifier": "doc_id", "metadata": ["title", "sentences"]}
    options = {"sentences": "abstract", "title": "title"}
    return corpus({"corpus.jsonl": lines(PASSAGES)}, "sentence_lists", fields, "barn", options=options)  # type: ignore[arg-type]


def test_passages_are_title_and_sentences(barn: Declaration) -> None:
    first = next(iter(read(barn)))
    text = first.segments["passage"]
    assert text == "Owls.\nOwls hunt at night. They see well."
    spans = first.metadata["sentences"]
    assert isinstance(spans, list)
    assert [text[slice(*span)] for span in spans] == PASSAGES[0]["abstract"]  # type: ignore[misc]


def test_passages_without_a_title_or_sentences(corpus: Write) -> None:
    rows: list[dict[str, object]] = [
        {"sentences": ["One.", "Two."]},
        {"sentences": []},
        {"sentences": ["One.", " "]},
        {"sentences": "One."},
    ]
    reading = read(corpus({"a.jsonl": lines(rows)}, "sentence_lists", {"segments": {"passage": "text"}}))
    assert [document.segments["passage"] for document in reading] == ["One. Two."]
    assert [item.reason.partition(": ")[2] for item in reading.report.rejected] == ["no list of sentences in 'sentences'"] * 3


def test_a_collection_puts_queries_passages_and_judgements_together(corpus: Write, barn: Declaration) -> None:
    found = collection(claims(corpus, CLAIMS))
    assert [query.segments["query"] for query in found.queries] == ["claim 1", "claim 2"]
    assert [passage.identifier for passage in found.passages] == ["10", "11", "12"]
    assert [(item.query, item.passage, item.verdict) for item in found.judgements] == [
        ("1", "10", "SUPPORT"),
        ("1", "11", None),
        ("2", "11", None),
    ]
    text = found.passages[0].segments["passage"]
    shown = [[text[start:end] for start, end in rationale] for rationale in found.judgements[0].rationales]
    assert shown == [["Owls hunt at night.", "They see well."], ["They see well."]]
    assert found.relevant("1") == {"10", "11"}
    assert found.relevant("unknown") == frozenset()


def test_a_smaller_collection_keeps_all_judged_passages(corpus: Write, barn: Declaration) -> None:
    declared = claims(corpus, CLAIMS[1:])
    assert [passage.identifier for passage in collection(declared, passages=2).passages] == ["10", "11"]
    assert [passage.identifier for passage in collection(declared, passages=0).passages] == ["11"]
    assert len(collection(declared, limit=0).judgements) == 0


def test_a_passage_cited_twice_counts_once(corpus: Write) -> None:
    reading = read(claims(corpus, CLAIMS))
    second = list(reading)[1]
    assert second.metadata["judgements"] == [{"passage": "11", "verdict": None, "rationales": []}]
    assert reading.report.traps == {"passage cited twice by one claim": 1}


@pytest.mark.parametrize(
    ("cited", "evidence", "said"),
    [
        ("10", {}, "no list of passages in 'cited_doc_ids'"),
        (["10"], {"11": [{"sentences": [0], "label": "SUPPORT"}]}, "from a passage that is not cited"),
        (["10"], {"10": [{"sentences": [], "label": "SUPPORT"}]}, "not sentence numbers with one verdict"),
        (["10"], {"10": [{"sentences": [0], "label": "SUPPORT"}, {"sentences": [1], "label": "CONTRADICT"}]}, "with one verdict"),
        (["10"], {"10": []}, "not sentence numbers with one verdict"),
    ],
)
def test_a_claim_that_contradicts_itself_is_refused_alone(cited: object, evidence: object, said: str, corpus: Write) -> None:
    reading = read(claims(corpus, [claim("0", cited, evidence), CLAIMS[0]]))
    assert [document.identifier for document in reading] == ["1"]
    assert said in reading.report.rejected[0].reason


def test_collections_that_cannot_be_put_together(corpus: Write, barn: Declaration) -> None:
    with pytest.raises(InputError, match="names no corpus of passages"):
        collection("barn")
    with pytest.raises(InputError, match="the passage '99', which is not there"):
        collection(claims(corpus, [claim("1", ["99"], {})]))
    with pytest.raises(InputError, match="sentence 5 of the passage '10', which has 2"):
        collection(claims(corpus, [claim("1", ["10"], {"10": [{"sentences": [5], "label": "SUPPORT"}]})]))
    with pytest.raises(InputError, match="read questions as passage texts"):
        collection(claims(corpus, CLAIMS, passages="questions"))
    with pytest.raises(InputError, match="find the corpus 'stable'"):
        collection(claims(corpus, CLAIMS, passages="stable"))
