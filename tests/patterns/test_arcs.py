"""Dependency arcs against a plain search over all words of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from tests.patterns import corpus
from tests.patterns.brute import equal
from workbench.patterns import find
from workbench.store import Store

TEXTS = corpus.corpus(9, 50)
Check = Callable[..., bool]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("arcs") / "store.duckdb", TEXTS) as opened:
        yield opened


def arc(head: Any, dependent: Any, *relations: str) -> bool:
    return equal(dependent.head, head.index) and (not relations or dependent.relation in relations)


def expected(count: int, check: Check, none: Callable[..., bool] | None = None) -> list[tuple[Any, ...]]:
    """All choices of different seen words that fit; `none` must hold for no further seen word."""
    found = []
    for text in TEXTS:
        seen = [word for word in text.words if word.seen]
        for words in permutations(seen, count):
            if not check(*words) or (none is not None and any(none(*words, other) for other in seen)):
                continue
            places = [word.index for word in words]
            found.append((text.document, text.explained, *places, round(sum(word.relevance for word in words), 5)))
    return sorted(found)


QUERIES: dict[str, tuple[int, Check, Callable[..., bool] | None]] = {
    "a:_ -amod-> b:[relevance<0]": (2, lambda a, b: arc(a, b, "amod") and b.relevance < 0, None),
    'a:[upos="VERB"] -nsubj-> b:[]': (2, lambda a, b: equal(a.upos, "VERB") and arc(a, b, "nsubj"), None),
    'b:[] <-nsubj- a:[upos="VERB"]': (2, lambda b, a: equal(a.upos, "VERB") and arc(a, b, "nsubj"), None),
    'a:[upos="NOUN"] --> b:[upos="NOUN"]': (2, lambda a, b: a.upos == b.upos == "NOUN" and arc(a, b), None),
    "a:[] -nsubj|obj-> b:[]": (2, lambda a, b: arc(a, b, "nsubj", "obj"), None),
    'a:[] -"nsubj.*"-> b:[]': (2, lambda a, b: arc(a, b, "nsubj", "nsubj:pass"), None),
    "a:[] -nsubj:pass-> b:[]": (2, lambda a, b: arc(a, b, "nsubj:pass"), None),
    "a:[] -obj-> b:[] -amod-> c:[]": (3, lambda a, b, c: arc(a, b, "obj") and arc(b, c, "amod"), None),
    "a:[] -nsubj-> b:[] ; -obj-> c:[]": (3, lambda a, b, c: arc(a, b, "nsubj") and arc(a, c, "obj"), None),
    "a:[] --> b:[] ; --> c:[relevance>0.1]": (3, lambda a, b, c: arc(a, b) and arc(a, c) and c.relevance > np.float32(0.1), None),
    'a:[upos="VERB"] !-nsubj-> _': (1, lambda a: equal(a.upos, "VERB"), lambda a, x: arc(a, x, "nsubj")),
    'a:[upos="VERB"] !-nsubj-> [upos="NOUN"] ; -obj-> b:[]': (
        2,
        lambda a, b: equal(a.upos, "VERB") and arc(a, b, "obj"),
        lambda a, b, x: arc(a, x, "nsubj") and equal(x.upos, "NOUN"),
    ),
    'a:[relation="amod"] !<-- [upos="NOUN"]': (
        1,
        lambda a: equal(a.relation, "amod"),
        lambda a, x: arc(x, a) and equal(x.upos, "NOUN"),
    ),
    "a:[] -amod-> b:[] :: a.relevance > b.relevance + 0.1": (
        2,
        lambda a, b: arc(a, b, "amod") and a.relevance > b.relevance + 0.1,
        None,
    ),
    "a:[] --> b:[] :: distance(a, b) > 2 & a.lemma != b.lemma": (
        2,
        lambda a, b: arc(a, b) and abs(a.index - b.index) > 2 and not equal(a.lemma, b.lemma),
        None,
    ),
    'a:[] -amod-> b:[] :: match.relevance > 0.2 & label = "political"': (
        2,
        lambda a, b: arc(a, b, "amod") and a.relevance + b.relevance > 0.2 and a.label == "political",
        None,
    ),
    'a:[Number="Sing" & xpos="NO"] --> b:[entity="PER"]': (
        2,
        lambda a, b: arc(a, b) and "Number=Sing" in (a.features or "").split("|") and a.xpos == "NO" and b.entity == "PER",
        None,
    ),
}


@pytest.mark.parametrize("query", QUERIES)
def test_arcs_are_those_of_a_plain_search(store: Store, query: str) -> None:
    count, check, none = QUERIES[query]
    wanted = expected(count, check, none)
    assert wanted, "a query that tests nothing"
    answer = find(store, query, limit=None)
    names = [f"{name}_start" for name in answer.captures]
    rows = [
        (row["identifier"], row["explained"], *(row[name] for name in names), round(row["relevance"], 5))
        for row in answer.frame.iter_rows(named=True)
    ]
    assert sorted(rows) == pytest.approx(wanted) if not rows else sorted(rows) == wanted
    assert answer.total == len(wanted)


def test_the_span_of_an_arc_reaches_from_its_first_word_to_its_last(store: Store) -> None:
    frame = find(store, "a:[] -amod-> b:[]", limit=None).frame
    for row in frame.iter_rows(named=True):
        assert (row["match_start"], row["match_end"]) == tuple(sorted((row["a_start"], row["b_start"])))
        assert row["match"].split(" ")[0] in (row["a"], row["b"])
