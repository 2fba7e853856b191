"""Queries whose hits are those of the slow matcher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.patterns import corpus
from tests.patterns.brute import Constraint, Part, Spans, Text, Words, capture, either, equal, feature, hits, less, sequence, times, word
from workbench.patterns import Hits, find
from workbench.store import Store

TEXTS = corpus.corpus(6, 60)
ANY = word()
NOUN, VERB, ADJ, DET = (word(lambda w, upos=upos: equal(w.upos, upos)) for upos in ("NOUN", "VERB", "ADJ", "DET"))
STRONG = word(lambda w: w.relevance > np.float32(0.1))
WALK = re.compile("walk(ed|s)?")


def form(text: str) -> Part:
    return word(lambda w: w.form == text)


def full(pattern: str, value: str | None, flags: int = 0) -> bool:
    return value is not None and re.fullmatch(pattern, value, flags) is not None


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("patterns") / "store.duckdb", TEXTS) as opened:
        yield opened


def found(answer: Hits) -> dict[tuple[Any, ...], float]:
    """Hits in the form of the slow matcher's."""
    rows = {}
    for row in answer.frame.iter_rows(named=True):
        spans = [(name, (row[f"{name}_start"], row[f"{name}_end"])) for name in answer.captures if row[f"{name}_start"] is not None]
        key = (row["identifier"], row["role"], row["explained"], row["match_start"], row["match_end"], *sorted(spans))
        assert key not in rows, f"twice: {key}"
        rows[key] = row["relevance"]
    return rows


def agree(answer: Hits, expected: dict[tuple[Any, ...], float]) -> None:
    mine = found(answer)
    assert mine.keys() == expected.keys()
    assert answer.total == len(expected)
    assert [mine[key] for key in expected] == pytest.approx(list(expected.values()), abs=1e-6)


def relevance(words: Words, spans: Spans, name: str) -> float | None:
    if name not in spans:
        return None
    start, end = spans[name]
    return sum(word.relevance for word in words[start : end + 1] if word.seen)


def single(words: Words, spans: Spans, name: str, attribute: str) -> Any:
    return getattr(words[spans[name][0]], attribute) if name in spans else None


def total(words: Words, start: int, end: int) -> float:
    return sum(word.relevance for word in words[start : end + 1] if word.seen)


SIMPLE: dict[str, Part] = {
    '"walk"': form("walk"),
    "'walk'": form("walk"),
    '[word="walk"]': form("walk"),
    '[form="walk"]': form("walk"),
    '[lemma="walk"]': word(lambda w: equal(w.lemma, "walk")),
    '[upos="NOUN"]': NOUN,
    '[pos="NOUN"]': NOUN,
    '[upos!="NOUN"]': word(lambda w: w.upos != "NOUN"),
    '![upos="NOUN"]': word(lambda w: w.upos != "NOUN"),
    '[!(upos="NOUN" | upos="VERB")]': word(lambda w: w.upos not in ("NOUN", "VERB")),
    '[upos="NOUN|VERB"]': word(lambda w: w.upos in ("NOUN", "VERB")),
    '[form="walk(ed|s)?"]': word(lambda w: full("walk(ed|s)?", w.form)),
    '[form!="walk(ed|s)?"]': word(lambda w: not full("walk(ed|s)?", w.form)),
    '"walk.*"': word(lambda w: full("walk.*", w.form)),
    '"good"%c': word(lambda w: w.form.lower() == "good"),
    '"GO+D" %c': word(lambda w: full("GO+D", w.form, re.IGNORECASE)),
    '"café"': form("cafe\u0301"),
    '"cafe"%d': form("cafe\u0301"),
    '"caf."': form("cafe\u0301"),
    '"ভালো"': form("ভালো"),
    '"x-1"': form("x-1"),
    '"x.1"%l': word(lambda w: False),
    '"it\'s"': form("it's"),
    "'it\\'s'": form("it's"),
    '[lemma]': word(lambda w: w.lemma is not None),
    '[!lemma]': word(lambda w: w.lemma is None),
    '[!head]': word(lambda w: w.head is None),
    '[entity]': word(lambda w: w.entity is not None),
    '[entity="PER" & upos="NOUN"]': word(lambda w: w.entity == "PER" and w.upos == "NOUN"),
    '[form=lemma]': word(lambda w: equal(w.form, w.lemma)),
    '[form!=lemma]': word(lambda w: not equal(w.form, w.lemma)),
    '[xpos="NO"]': word(lambda w: equal(w.xpos, "NO")),
    '[relation="nsubj.*"]': word(lambda w: full("nsubj.*", w.relation)),
    '[relation="nsubj:pass"]': word(lambda w: equal(w.relation, "nsubj:pass")),
    '[Number="Plur"]': word(lambda w: feature(w, "Number") == "Plur"),
    '[Number!="Plur"]': word(lambda w: feature(w, "Number") != "Plur"),
    '[Number[psor]="Plur"]': word(lambda w: feature(w, "Number[psor]") == "Plur"),
    '[Number="Si.*" & Case]': word(lambda w: full("Si.*", feature(w, "Number")) and feature(w, "Case") is not None),
    r'[features="Case=Nom\|.*"]': word(lambda w: full(r"Case=Nom\|.*", w.features)),
    '[relevance>0.1]': STRONG,
    '[relevance>=0.1]': word(lambda w: w.relevance >= np.float32(0.1)),
    '[0.1 < relevance]': STRONG,
    '[relevance=-0.3]': word(lambda w: w.relevance == np.float32(-0.3)),
    '[relevance!=-0.3]': word(lambda w: w.relevance != np.float32(-0.3)),
    '[relevance<-.2 | relevance>2e-1]': word(lambda w: w.relevance < np.float32(-0.2) or w.relevance > np.float32(0.2)),
    '[abs(relevance)>0.2]': word(lambda w: abs(w.relevance) > np.float32(0.2)),
    '[!(relevance>0.1)]': word(lambda w: not w.relevance > np.float32(0.1)),
    '[relevance > 2*sensitivity + 0.05]': word(lambda w: w.relevance > 2 * np.float32(w.sensitivity) + 0.05),
    '[relevance / sensitivity > 3]': word(lambda w: w.sensitivity != 0 and w.relevance / float(np.float32(w.sensitivity)) > 3),
    '[place<0.4]': word(lambda w: w.place < 0.4),
    '[place=peak]': word(lambda w: w.place == w.peak),
    '[words>=5 & abs(share)*words<1]': word(lambda w: w.words >= 5 and w.share is not None and abs(w.share) * w.words < 1 - 1e-9),
    '[index=0]': word(lambda w: w.index == 0),
    '[index>=2 & sentence<1]': word(lambda w: w.index >= 2 and w.sentence < 1),
    '[head=0]': word(lambda w: equal(w.head, 0)),
    '[head>index-2]': word(lambda w: w.head is not None and w.head > w.index - 2),
    '[!(head>1)]': word(lambda w: not (w.head is not None and w.head > 1)),
    '[upos="NOUN" & label="political"]': word(lambda w: equal(w.upos, "NOUN") and w.label == "political"),
    '[upos="NOUN" & explained="personal" & label!=explained]': word(
        lambda w: equal(w.upos, "NOUN") and w.explained == "personal" and w.label != w.explained
    ),
    '[split="test" & corpus="news"]': word(lambda w: w.split == "test" and w.corpus == "news"),
    '[language!="en" & identifier="d0.*"]': word(lambda w: w.language != "en" and full("d0.*", w.identifier)),
    '[role="text" & upos="DET"]': word(lambda w: equal(w.upos, "DET")),
    '[upos="ADJ" & relevance>0.1] [upos="NOUN"]': sequence(
        word(lambda w: equal(w.upos, "ADJ") and w.relevance > np.float32(0.1)), NOUN
    ),
    '[upos="ADJ"] [] [upos="NOUN"]': sequence(ADJ, ANY, NOUN),
    '[upos="ADJ"] []{0,3} [upos="NOUN"]': sequence(ADJ, times(ANY, 0, 3), NOUN),
    '[upos="ADJ"] []{2} [upos="NOUN"]': sequence(ADJ, ANY, ANY, NOUN),
    '[upos="ADJ"] []{0,1} [upos="NOUN"] []{0,2} [upos="VERB"]': sequence(ADJ, times(ANY, 0, 1), NOUN, times(ANY, 0, 2), VERB),
    '[upos="ADJ"]? [upos="NOUN"]': sequence(times(ADJ, 0, 1), NOUN),
    '[upos="ADJ"]{1,2} [upos="NOUN"]{,2} [upos="VERB"]': sequence(times(ADJ, 1, 2), times(NOUN, 0, 2), VERB),
    '[upos="ADJ"]{2}': sequence(ADJ, ADJ),
    '[] [upos="NOUN"]': sequence(ANY, NOUN),
    '[upos="NOUN"] []': sequence(NOUN, ANY),
    '[]{1,2} [upos="NOUN"] []{0,2}': sequence(times(ANY, 1, 2), NOUN, times(ANY, 0, 2)),
    '([upos="ADJ"] | [upos="DET"] [upos="NOUN"])': either(ADJ, sequence(DET, NOUN)),
    '[upos="ADJ"] | [upos="DET"] [upos="NOUN"]': either(ADJ, sequence(DET, NOUN)),
    '([upos="ADJ"] | [upos="ADJ"] []?)': either(ADJ, sequence(ADJ, times(ANY, 0, 1))),
    '([upos="ADJ"] | [upos="DET"] [upos="NOUN"]){1,3} [upos="VERB"]': sequence(times(either(ADJ, sequence(DET, NOUN)), 1, 3), VERB),
    '([upos="ADJ"]? [upos="NOUN"]?){1,2} [relevance>0.1]': sequence(times(sequence(times(ADJ, 0, 1), times(NOUN, 0, 1)), 1, 2), STRONG),
    '([upos="NOUN"] []{0,1} [upos="VERB"]){1,2}': times(sequence(NOUN, times(ANY, 0, 1), VERB), 1, 2),
    '[upos="NOUN"] ("walk" | []) [upos="VERB"]': sequence(NOUN, either(form("walk"), ANY), VERB),
    'a:[upos="ADJ"] b:[upos="NOUN"]': sequence(capture("a", ADJ), capture("b", NOUN)),
    'a:[upos="ADJ"]? b:[upos="NOUN"]': sequence(capture("a", times(ADJ, 0, 1)), capture("b", NOUN)),
    'a:([upos="ADJ"]? [upos="NOUN"]) [upos="VERB"]': sequence(capture("a", sequence(times(ADJ, 0, 1), NOUN)), VERB),
    '[upos="ADJ"] a:[]{0,2} [upos="NOUN"]': sequence(ADJ, capture("a", times(word(captured=True), 0, 2)), NOUN),
    '(a:[upos="ADJ"] | a:[upos="DET"] []) [upos="NOUN"]': sequence(either(capture("a", ADJ), sequence(capture("a", DET), ANY)), NOUN),
    'a:[upos="NOUN"]{1,3} b:[upos="NOUN"]{1,3}': sequence(capture("a", times(NOUN, 1, 3)), capture("b", times(NOUN, 1, 3))),
    '[upos="ADJ"] [upos="NOUN"] within document': sequence(ADJ, NOUN),
}  # fmt: skip

IN_SENTENCE: dict[str, Part] = {
    '[upos="ADJ"] [upos="NOUN"] within sentence': sequence(ADJ, NOUN),
    '[upos="ADJ"] [upos="NOUN"] within <s/>': sequence(ADJ, NOUN),
    '[upos="NOUN"] []{0,3} [upos="VERB"] within s': sequence(NOUN, times(ANY, 0, 3), VERB),
    '[] [upos="NOUN"] []? within sentence': sequence(ANY, NOUN, times(ANY, 0, 1)),
    '[upos="NOUN"]+ [upos="VERB"]': sequence(times(NOUN, 1, None), VERB),
    '[upos="DET"]* [upos="NOUN"]': sequence(times(DET, 0, None), NOUN),
    '[upos="NOUN"] []* [upos="VERB"]': sequence(NOUN, times(ANY, 0, None), VERB),
    "[relevance>-1]{2,}": times(word(lambda w: w.relevance > -1), 2, None),
    '([upos="NOUN"] | [upos="ADJ"])+': times(either(NOUN, ADJ), 1, None),
}

CONSTRAINED: dict[str, tuple[Part, Constraint]] = {
    "a:[] b:[] :: a.relevance > b.relevance": (
        sequence(capture("a", word(captured=True)), capture("b", word(captured=True))),
        lambda w, s, e, c: relevance(w, c, "a") > relevance(w, c, "b"),
    ),
    'a:[upos="ADJ"] b:[upos="NOUN"] :: a.relevance > b.relevance + 0.1': (
        sequence(capture("a", ADJ), capture("b", NOUN)),
        lambda w, s, e, c: relevance(w, c, "a") > relevance(w, c, "b") + 0.1,
    ),
    "a:[] []{0,3} b:[] :: a.lemma = b.lemma": (
        sequence(capture("a", word(captured=True)), times(ANY, 0, 3), capture("b", word(captured=True))),
        lambda w, s, e, c: equal(single(w, c, "a", "lemma"), single(w, c, "b", "lemma")),
    ),
    "a:[] b:[] :: a.lemma = b.lemma & a.relevance != b.relevance": (
        sequence(capture("a", word(captured=True)), capture("b", word(captured=True))),
        lambda w, s, e, c: equal(single(w, c, "a", "lemma"), single(w, c, "b", "lemma")) and relevance(w, c, "a") != relevance(w, c, "b"),
    ),
    'a:[upos="NOUN"] []{0,4} b:[upos="VERB"] :: a.head = b.index | b.head = a.index': (
        sequence(capture("a", NOUN), times(ANY, 0, 4), capture("b", VERB)),
        lambda w, s, e, c: equal(single(w, c, "a", "head"), c["b"][0]) or equal(single(w, c, "b", "head"), c["a"][0]),
    ),
    'a:[upos="ADJ"]? b:[upos="NOUN"] :: a.relevance > b.relevance': (
        sequence(capture("a", times(ADJ, 0, 1)), capture("b", NOUN)),
        lambda w, s, e, c: less(relevance(w, c, "b"), relevance(w, c, "a")),
    ),
    'a:[upos="ADJ"]? b:[upos="NOUN"] :: !(a.relevance > b.relevance)': (
        sequence(capture("a", times(ADJ, 0, 1)), capture("b", NOUN)),
        lambda w, s, e, c: not less(relevance(w, c, "b"), relevance(w, c, "a")),
    ),
    'a:[upos="NOUN"]{1,3} [upos="VERB"] :: a.relevance > -0.15 & a.length >= 2': (
        sequence(capture("a", times(NOUN, 1, 3)), VERB),
        lambda w, s, e, c: relevance(w, c, "a") > -0.15 and c["a"][1] > c["a"][0],
    ),
    'a:[upos="NOUN"] []{0,3} b:[upos="VERB"] :: distance(a, b) = 2': (
        sequence(capture("a", NOUN), times(ANY, 0, 3), capture("b", VERB)),
        lambda w, s, e, c: c["b"][0] - c["a"][0] == 2,
    ),
    '[upos="NOUN"] [] [upos="VERB"] :: match.length = 3 & label="political"': (
        sequence(NOUN, word(captured=True), VERB),
        lambda w, s, e, c: w[s].label == "political",
    ),
    '[upos="NOUN"] [upos="NOUN"] :: match.relevance > 0.25': (
        sequence(NOUN, NOUN),
        lambda w, s, e, c: total(w, s, e) > 0.25,
    ),
    "a:[] b:[] :: a.Number = b.Number & abs(a.relevance - b.relevance) < 0.15": (
        sequence(capture("a", word(captured=True)), capture("b", word(captured=True))),
        lambda w, s, e, c: equal(feature(w[s], "Number"), feature(w[e], "Number")) and abs(w[s].relevance - w[e].relevance) < 0.15,
    ),
    'a:[] [upos="VERB"] :: a.upos="NOUN" & a.form="walk.*" & explained="personal"': (
        sequence(capture("a", word(captured=True)), VERB),
        lambda w, s, e, c: equal(w[s].upos, "NOUN") and full("walk.*", w[s].form) and w[s].explained == "personal",
    ),
}


def test_there_are_enough_queries() -> None:
    assert len(SIMPLE) + len(IN_SENTENCE) + len(CONSTRAINED) >= 100


@pytest.mark.parametrize("query", SIMPLE)
def test_a_query_finds_what_the_slow_matcher_finds(store: Store, query: str) -> None:
    agree(find(store, query, limit=None, order="document"), hits(TEXTS, SIMPLE[query]))


@pytest.mark.parametrize("query", IN_SENTENCE)
def test_within_a_sentence(store: Store, query: str) -> None:
    agree(find(store, query, limit=None, order="document"), hits(TEXTS, IN_SENTENCE[query], sentence=True))


@pytest.mark.parametrize("query", CONSTRAINED)
def test_constraints_between_captures(store: Store, query: str) -> None:
    part, constraint = CONSTRAINED[query]
    agree(find(store, query, limit=None, order="document"), hits(TEXTS, part, constraint=constraint))


def test_most_queries_have_hits() -> None:
    silent = [query for query, part in SIMPLE.items() if not hits(TEXTS, part)]
    assert silent == ['"x.1"%l']
    assert all(hits(TEXTS, part, constraint=constraint) for part, constraint in CONSTRAINED.values())


def test_the_texts_have_unseen_words() -> None:
    assert any(not w.seen for text in TEXTS for w in text.words[1:-1])
    assert isinstance(TEXTS[0], Text)
