"""Readers of pairs on lines, of aligned words and of aligned chunks: spans lead back to the words, contradictions are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpora import Declaration, read
from workbench.corpora.spans import joined_spans, token_spans
from workbench.document import Document
from workbench.errors import InputError
from workbench.fingerprint import Json

Write = Callable[..., Declaration]
PAIR = {"text_a": "text_a", "text_b": "text_b"}
ALIGNED = {"segments": PAIR, "metadata": ["interactions"]}


def words(text: str, spans: Json) -> list[str]:
    assert isinstance(spans, Sequence)
    return [text[slice(*span)] for span in spans]  # type: ignore[misc]


def interactions(document: Document) -> list[tuple[list[str], list[str], Json]]:
    found = document.metadata["interactions"]
    assert isinstance(found, list)
    first, second = document.segments["text_a"], document.segments["text_b"]
    return [(words(first, item["a"]), words(second, item["b"]), item["type"]) for item in found if isinstance(item, dict)]


@given(st.lists(st.text("abü😀", min_size=1, max_size=4), min_size=1, max_size=9), st.data())
def test_spans_hold_exactly_the_chosen_tokens(tokens: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(tokens) - 1)))
    text = " ".join(tokens)
    assert [text[start:end] for start, end in token_spans(tokens)] == tokens
    assert [word for start, end in joined_spans(tokens, chosen) for word in text[start:end].split()] == [
        tokens[place] for place in sorted(chosen)
    ]


def test_chosen_tokens_that_are_not_there() -> None:
    for number in (-1, 2):
        with pytest.raises(IndexError, match=str(number)):
            joined_spans(["a", "b"], [number])


def test_pairs_on_alternating_lines(corpus: Write) -> None:
    declared = corpus(
        {"a.txt": "\ufeffit flies .\nit does not fly .\n\nit is new .\nit is old .", "b.txt": "one\ntwo\nhalf\n"},
        "line_pairs",
        {"segments": PAIR, "label": "contrast"},
        declared=[{"path": "a.txt", "split": "antonym"}, {"path": "b.txt", "split": "negation"}],
    )
    reading = read(declared)
    assert [(document.identifier, document.label, *document.segments.values()) for document in reading] == [
        ("antonym-00001", "antonym", "it flies .", "it does not fly ."),
        ("antonym-00002", "antonym", "it is new .", "it is old ."),
        ("negation-00001", "negation", "one", "two"),
    ]
    assert [(item.identifier, item.reason) for item in reading.report.rejected] == [
        ("negation-00002", "b.txt line 3: half a pair at the end of the file")
    ]
    assert reading.report.traps == {"blank line": 1}


def link(name: str, sure: str, source: str = "the big owl", target: str = "an owl") -> dict[str, str]:
    return {"id": name, "source": source, "target": target, "sureAlign": sure, "possibleAlign": ""}


def test_aligned_words(corpus: Write) -> None:
    sure = [link("a", "2-1"), link("b", "9-0"), link("c", "2:1"), link("d", ""), {"id": "e"}]
    wider = [link("a", "0-0 2-1"), link("b", "9-0"), link("c", "2:1"), link("other", ""), link("e", "")]
    declared = corpus(
        {"sure.json": json.dumps(sure), "wide.json": json.dumps(wider)},
        "aligned_words",
        {**ALIGNED, "identifier": "id"},
        declared=[{"path": "sure.json", "split": "train"}, {"path": "wide.json", "split": "train", "part": "possible"}],
    )
    reading = read(declared)
    (document,) = reading
    assert document.identifier == "a"
    assert interactions(document) == [(["the"], ["an"], "possible"), (["owl"], ["owl"], "sure")]
    assert [item.reason.partition(": ")[2] for item in reading.report.rejected] == [
        "a link to the word 9, which is not there",
        "a link that is not written as two numbers with a hyphen",
        "another pair at the same place in the file with possible links",
        "no object with the texts id, source, target, sureAlign",
    ]


def test_aligned_words_without_possible_links(corpus: Write) -> None:
    (document,) = read(corpus({"a.json": json.dumps([link("a", "1-0 2-1")])}, "aligned_words", ALIGNED))
    assert interactions(document) == [(["big"], ["an"], "sure"), (["owl"], ["owl"], "sure")]


def test_files_of_words_that_do_not_fit(corpus: Write) -> None:
    declared = [{"path": "a.json", "split": "train"}, {"path": "b.json", "split": "train", "part": "possible"}]
    files = {"a.json": json.dumps([link("a", "")]), "b.json": json.dumps([link("a", ""), link("b", "")])}
    with pytest.raises(InputError, match=r"a\.json has 1 pairs, b\.json has 2"):
        list(read(corpus(files, "aligned_words", ALIGNED, declared=declared)))
    for content, said in (("{}", "no list of pairs"), ("[", "no JSON that can be read")):
        with pytest.raises(InputError, match=said):
            list(read(corpus({"a.json": content}, "aligned_words", ALIGNED)))


CHUNKS = """<sentence id="7" status="">
// Old owl dead at 9
// The owl , old , dies
<source>
1 Old :\x20
2 owl :\x20
3 dead :\x20
4 at :\x20
5 9:
</source>
<translation>
1 The :\x20
2 owl :\x20
3 , :\x20
4 old :\x20
5 , :\x20
6 dies :\x20
</translation>
<alignment>
1 2 <==> 1 2 4 // SPE1_FACT // 3 // Old owl <==> The owl old
3 <==> 6 // EQUI // 5 // dead <==> dies
4 5 <==> 0 // NOALI // NIL // at 9 <==> -not aligned-
</alignment>
</sentence>


"""


def test_aligned_chunks(corpus: Write) -> None:
    reading = read(corpus({"a.wa": CHUNKS}, "aligned_chunks", {**ALIGNED, "identifier": "id"}))
    (document,) = reading
    assert (document.identifier, document.segments["text_a"], document.segments["text_b"]) == (
        "7",
        "Old owl dead at 9",
        "The owl , old , dies",
    )
    assert interactions(document) == [
        (["Old owl"], ["The owl", "old"], "SPE1"),
        (["dead"], ["dies"], "EQUI"),
        (["at 9"], [], "NOALI"),
    ]
    found = document.metadata["interactions"]
    assert isinstance(found, list)
    assert [(item["mark"], item["score"]) for item in found if isinstance(item, dict)] == [("FACT", 3.0), (None, 5.0), (None, None)]
    assert reading.report.traps == {}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("3 <==> 6 //", "3 <==> 8 //", "an alignment of a word 8 among 6"),
        ("// EQUI // 5 //", "EQUI 5", "an alignment that is not written as"),
        ("3 dead :", "4 dead :", "a word that is not written as number, word, colon, in order: '4 dead :'"),
        ("</sentence>", "", "a pair that is cut off"),
    ],
)
def test_a_damaged_pair_of_chunks_is_refused_alone(before: str, after: str, said: str, corpus: Write) -> None:
    reading = read(corpus({"a.wa": CHUNKS + CHUNKS.replace(before, after)}, "aligned_chunks", ALIGNED))
    assert [document.identifier for document in reading] == ["a-00001"]
    assert len(reading.report.rejected) == 1
    assert said in reading.report.rejected[0].reason


def test_chunks_whose_sentences_differ_from_their_words(corpus: Write) -> None:
    reading = read(corpus({"a.wa": CHUNKS.replace("// Old owl dead at 9", "// Old owl died")}, "aligned_chunks", ALIGNED))
    assert [document.segments["text_a"] for document in reading] == ["Old owl dead at 9"]
    assert reading.report.traps == {"pair whose sentences differ from their words": 1}
    with pytest.raises(InputError, match="no line <sentence id"):
        list(read(corpus({"a.wa": "text\n"}, "aligned_chunks", ALIGNED)))
