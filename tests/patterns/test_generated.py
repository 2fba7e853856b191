"""Patterns and corpora made by hypothesis: the compiled SQL and the slow matcher agree on all of them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.patterns import corpus
from tests.patterns.brute import Part, Test, capture, either, equal, feature, hits, sequence, times, word
from tests.patterns.test_hits import agree, relevance, single, total
from workbench.errors import InputError
from workbench.patterns import find, sql_of
from workbench.store import Store

TEXTS = corpus.corpus(77, 30)
CALM = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

#: A pattern as text and as functions; a condition likewise.
Made = tuple[str, Part]
Condition = tuple[str, Test]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("generated") / "store.duckdb", TEXTS) as opened:
        yield opened


def number(attribute: str, sign: str, value: float) -> Condition:
    real = attribute in ("relevance", "sensitivity")
    limit = float(np.float32(value)) if real else value

    def test(w: Any) -> bool:
        mine = getattr(w, attribute)
        if mine is None:
            return sign == "!="
        mine = float(np.float32(mine)) if real else mine
        return {"<": mine < limit, "<=": mine <= limit, ">": mine > limit, ">=": mine >= limit, "=": mine == limit, "!=": mine != limit}[
            sign
        ]

    return f"{attribute} {sign} {value}", test


def text(attribute: str, sign: str, value: str) -> Condition:
    def test(w: Any) -> bool:
        mine = feature(w, attribute) if attribute[0].isupper() else getattr(w, attribute)
        return (mine is not None and re.fullmatch(value, mine) is not None) == (sign == "=")

    return f'{attribute}{sign}"{value}"', test


signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
comparisons = st.one_of(
    st.builds(number, st.just("relevance"), signs, st.sampled_from([-0.3, -0.1, 0, 0.1, 0.2, 0.45])),
    st.builds(number, st.sampled_from(["index", "sentence", "head"]), signs, st.sampled_from([0, 1, 2, 1.5])),
    st.builds(text, st.just("upos"), st.sampled_from(["=", "!="]), st.sampled_from(["NOUN", "VERB", "NOUN|ADJ", "N.*", "[AD].*"])),
    st.builds(text, st.sampled_from(["form", "lemma"]), st.sampled_from(["=", "!="]),
              st.sampled_from(["walk", "walk(ed|s)?", "[Gg]ood|not"])),
    st.builds(text, st.sampled_from(["Number", "Case", "entity", "label", "explained"]), st.sampled_from(["=", "!="]),
              st.sampled_from(["Plur", "Sing", "PER", "political"])),
)  # fmt: skip


def combined(children: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def both(one: Condition, other: Condition) -> Condition:
        return f"({one[0]} & {other[0]})", lambda w: one[1](w) and other[1](w)

    def any_of(one: Condition, other: Condition) -> Condition:
        return f"({one[0]} | {other[0]})", lambda w: one[1](w) or other[1](w)

    def negated(one: Condition) -> Condition:
        return f"!({one[0]})", lambda w: not one[1](w)

    return st.one_of(st.builds(both, children, children), st.builds(any_of, children, children), st.builds(negated, children))


conditions = st.recursive(comparisons, combined, max_leaves=3)
constrained = st.builds(lambda c: (f"[{c[0]}]", word(c[1])), conditions)
words = st.one_of(constrained, constrained, constrained, st.just(("[]", word())), st.just(('"walk"', word(lambda w: w.form == "walk"))))


def larger(children: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    def row(parts: list[Made]) -> Made:
        return "(" + " ".join(part[0] for part in parts) + ")", sequence(*(part[1] for part in parts))

    def choice(parts: list[Made]) -> Made:
        return "(" + " | ".join(part[0] for part in parts) + ")", either(*(part[1] for part in parts))

    def repeated(part: Made, least: int, more: int) -> Made:
        most = max(1, least + more)
        return f"{part[0]}{{{least},{most}}}", times(part[1], least, most)

    def optional(part: Made) -> Made:
        return f"{part[0]}?", times(part[1], 0, 1)

    lists = st.lists(children, min_size=2, max_size=3)
    return st.one_of(
        st.builds(row, lists), st.builds(choice, lists), st.builds(optional, children),
        st.builds(repeated, children, st.integers(0, 2), st.integers(0, 2)),
    )  # fmt: skip


def unquantified(made: Made) -> Made:
    """Parentheses around what already repeats, so that it can be repeated again."""
    return (f"({made[0]})", made[1]) if made[0][-1] in "?}" else made


patterns = st.recursive(words, lambda children: larger(children.map(unquantified)), max_leaves=5)


@CALM
@given(made=patterns, anchor=constrained, sentence=st.booleans(), first=st.booleans())
def test_both_agree_on_generated_patterns(store: Store, made: Made, anchor: Made, sentence: bool, first: bool) -> None:
    parts = [anchor, unquantified(made)] if first else [unquantified(made), anchor]
    query = " ".join(part[0] for part in parts) + (" within sentence" if sentence else "")
    agree(find(store, query, limit=None, order="document"), hits(TEXTS, sequence(*(part[1] for part in parts)), sentence=sentence))


def says_nothing(query: str) -> bool:
    """Whether some alternative of a pattern is of gaps alone, which is refused."""
    try:
        sql_of(query)
    except InputError as error:
        return "matches every word" in error.found
    return False


CONSTRAINTS = {
    "a.relevance > b.relevance": lambda w, s, e, c: compare(relevance(w, c, "a"), relevance(w, c, "b")),
    "a.relevance > b.relevance + 0.1": lambda w, s, e, c: compare(relevance(w, c, "a"), plus(relevance(w, c, "b"), 0.1)),
    "!(a.relevance > b.relevance)": lambda w, s, e, c: not compare(relevance(w, c, "a"), relevance(w, c, "b")),
    "a.sentence = b.sentence & distance(a, b) < 3": lambda w, s, e, c: (
        equal(single(w, c, "a", "sentence"), single(w, c, "b", "sentence")) and abs(c["a"][0] - c["b"][0]) < 3
    ),
    "match.relevance > 0.25 | a.length > 1": lambda w, s, e, c: total(w, s, e) > 0.25 or ("a" in c and c["a"][1] > c["a"][0]),
    'label = explained & match.length < 4 & match.relevance != 5': lambda w, s, e, c: w[s].label == w[s].explained and e - s < 3,
}  # fmt: skip


def compare(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one > other


def plus(one: float | None, other: float) -> float | None:
    return None if one is None else one + other


seen_words = st.one_of(constrained, constrained, st.just(("[]", word(captured=True))))
bodies = st.recursive(seen_words, lambda children: larger(children.map(unquantified)), max_leaves=3)


@CALM
@given(one=bodies, other=bodies, gap=st.integers(0, 2), constraint=st.sampled_from(sorted(CONSTRAINTS)), sentence=st.booleans())
def test_both_agree_on_captures_and_constraints(store: Store, one: Made, other: Made, gap: int, constraint: str, sentence: bool) -> None:
    one, other = unquantified(one), unquantified(other)
    whole = "match.relevance" in constraint  # then every word of the match counts, and must have been seen
    between = times(word(captured=whole), 0, gap) if gap else sequence()
    query = f"a:{one[0]} {f'[]{{0,{gap}}}' if gap else ''} b:{other[0]} {'within sentence' if sentence else ''} :: {constraint}"
    part = sequence(capture("a", one[1]), between, capture("b", other[1]))
    if says_nothing(query):
        reject()
    agree(find(store, query, limit=None, order="document"), hits(TEXTS, part, sentence=sentence, constraint=CONSTRAINTS[constraint]))


@settings(CALM, max_examples=6)
@given(seed=st.integers(0, 2**32), documents=st.integers(1, 6), made=st.lists(st.tuples(constrained, patterns), min_size=3, max_size=3))
def test_both_agree_on_generated_corpora(seed: int, documents: int, made: list[tuple[Made, Made]]) -> None:
    texts = corpus.corpus(seed, documents, labels=1, roles=("text_a", "text_b"), longest=12)
    with tempfile.TemporaryDirectory() as folder, corpus.store(Path(folder) / "store.duckdb", texts) as opened:
        for anchor, part in made:
            query = f"{anchor[0]} {unquantified(part)[0]}"
            agree(find(opened, query, limit=None, order="document"), hits(texts, sequence(anchor[1], part[1])))
