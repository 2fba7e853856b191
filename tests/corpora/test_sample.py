"""The posts that came with the workbench."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
import regex

from workbench.corpora import find, read
from workbench.document import Document


@pytest.fixture
def posts() -> list[Document]:
    return list(read(find("bengali-hate-sample")))


def test_at_least_sixty_of_each_class_in_three_splits(posts: list[Document]) -> None:
    assert len(posts) >= 240
    assert set(Counter(post.label for post in posts)) == {"Personal", "Political", "Religious", "Geopolitical"}
    assert min(Counter(post.label for post in posts).values()) >= 60
    assert min(Counter((post.split, post.label) for post in posts).values()) >= 12
    assert len({(post.split, post.label) for post in posts}) == 12


def test_no_post_twice_and_none_refused() -> None:
    reading = read(find("bengali-hate-sample"))
    assert all(document.metadata == {"clean": True} for document in reading)
    assert reading.report.rejected == []


def test_lengths_vary_from_three_to_about_forty_words(posts: list[Document]) -> None:
    lengths = [len(post.segments["text"].split()) for post in posts]
    assert min(lengths) >= 3
    assert 35 < max(lengths) <= 45
    assert len(set(lengths)) > 20


@pytest.mark.parametrize(
    ("what", "at_least"),
    [
        (r"\p{Extended_Pictographic}", 20),
        (r"[০-৯]", 8),
        (r"[0-9]", 3),
        (r"[A-Za-z]{3}", 6),
        (r"#\p{L}", 4),
        (r"।", 35),
        (r"\p{L}\u09cd\p{L}", 150),
        (r"\u200c", 4),
        (r"\u200d", 1),
        (r"[\u09dc\u09dd\u09df]", 40),
        (r"[\u09a1\u09a2\u09af]\u09bc", 100),
    ],
)
def test_the_posts_hold_what_real_ones_hold(what: str, at_least: int, posts: list[Document]) -> None:
    assert sum(regex.search(what, post.segments["text"]) is not None for post in posts) >= at_least


def test_the_encoding_tells_nothing_of_the_class(posts: list[Document]) -> None:
    odd = Counter(post.label for post in posts if not unicodedata.is_normalized("NFC", post.segments["text"]))
    assert min(odd.values()) >= 8
    assert max(odd.values()) <= 18


def test_the_posts_are_bengali(posts: list[Document]) -> None:
    for post in posts:
        letters = regex.findall(r"\p{L}", post.segments["text"])
        assert len(regex.findall(r"\p{Bengali}", "".join(letters))) / len(letters) > 0.5
