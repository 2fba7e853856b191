"""Running words of real posts whose label is computed from the words themselves: a known truth in texts that nobody edited.

1. The posts are those of the embedded Bengali sample; training texts and held-out texts come from different posts.
2. A text is posts in random order, as they stand, until it is full. Words met once in the training posts are one unknown word.
3. The label is whether a negation (the words না and নাই) stands in the text; about half of the texts have one.

The idea is that of imaging studies which choose a target with a known place instead of altering the image.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from unicodedata import normalize

import numpy as np
import regex
from numpy.typing import NDArray

from workbench import corpora

CORPUS = "bengali-hate-sample"
NEGATIONS = frozenset(("না", "নাই"))
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@cache
def posts(held_out: bool) -> tuple[tuple[str, ...], ...]:
    """The words of every post: those of the training split, or those of the two others."""
    declared = corpora.find(CORPUS)
    documents = [document for document in corpora.read(declared) if (document.split != "train") == held_out]
    return tuple(tuple(WORD.findall(normalize("NFC", document.segments["text"]))) for document in documents)


@cache
def lexicon() -> tuple[str, ...]:
    """Words that stand at least twice in the training posts, most frequent first; word i has the number i + 1, all others 0."""
    counts = Counter(word for post in posts(held_out=False) for word in post)
    return tuple(sorted((word for word, count in counts.items() if count > 1), key=lambda word: (-counts[word], word)))


@cache
def _numbered(held_out: bool) -> tuple[tuple[tuple[int, ...], tuple[bool, ...]], ...]:
    numbers = {word: index + 1 for index, word in enumerate(lexicon())}
    return tuple((tuple(numbers.get(word, 0) for word in post), tuple(word in NEGATIONS for word in post)) for post in posts(held_out))


def windows(
    labels: NDArray[np.int64], length: int, random: np.random.Generator, *, held_out: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each label a text of `length` word numbers that has it, and where its negations stand: both `(text, word)`."""
    material = _numbered(held_out)
    texts, marks = [], []
    for label in labels.tolist():
        while True:
            words: list[int] = []
            negated: list[bool] = []
            while len(words) < length:
                post, where = material[int(random.integers(len(material)))]
                words.extend(post)
                negated.extend(where)
            if any(negated[:length]) == bool(label):
                break
        texts.append(words[:length])
        marks.append(negated[:length])
    return np.array(texts, dtype=np.int64), np.array(marks)


def other_words(count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Random word numbers, as frequent as in the training posts, none a negation."""
    pool = [number for words, marks in _numbered(held_out=False) for number, negated in zip(words, marks, strict=True) if not negated]
    return random.choice(np.array(pool, dtype=np.int64), count)
