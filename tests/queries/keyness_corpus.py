"""Documents of two classes with planted keys, and the same numbers by plain loops."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

from tests.patterns.brute import Text
from tests.patterns.corpus import store as stored
from workbench.store import Store

WORDS = tuple(f"w{number}" for number in range(30))
UPOS = ("NOUN", "VERB", "ADJ")


def texts(seed: int, documents: int, *, planted: bool = True) -> list[Text]:
    """Every second document is of class a. There `zap` decides, `the` is everywhere and idle, `of` is more frequent and as idle."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(documents):
        label = "ab"[number % 2]
        length = int(random.integers(6, 16)) * (2 if label == "a" else 1)
        forms = [WORDS[min(int(random.exponential(8)), 29)] for _ in range(length)]
        forms += ["the", "The"] + (["of", "of"] if label == "a" and planted else ["of"])
        if planted and random.random() < (0.8 if label == "a" else 0.1):
            forms.insert(int(random.integers(len(forms))), "zap")
        words = []
        for index, form in enumerate(forms):
            size = 4.0 if form == "zap" and label == "a" else 0.02 if form.lower() in ("the", "of") else 0.5
            words.append(
                SimpleNamespace(
                    index=index, seen=True, form=form, lemma=None if form == "w1" else form, sentence=index // 7, upos=UPOS[index % 3],
                    xpos="X", features="Number=Plur|Case=Nom" if index % 4 == 0 else None, head=None, relation="amod", entity=None,
                    relevance=float(np.float32(size * random.normal(0.4, 1))), sensitivity=0.0, identifier=f"d{number:03}", label=label,
                    split=("train", "test")[number % 3 == 0], language="en", corpus="posts", role="text", explained=label,
                )
            )  # fmt: skip
        found.append(Text(f"d{number:03}", "text", label, words))
    return found


def store(path: Path, found: list[Text]) -> Store:
    """Their store."""
    return stored(path, found)


def sums(found: list[Text], side: str) -> tuple[dict[str, list[float]], dict[str, int], float, int]:
    """By lemma without case: positive relevance of each document of a class, occurrences; all relevance and words of the class."""
    mass: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(found))
    count: dict[str, int] = defaultdict(int)
    total, words = 0.0, 0
    for place, text in enumerate(found):
        for word in text.words:
            if word.label == side:
                lemma = (word.lemma or word.form).lower()
                mass[lemma][place] += max(word.relevance, 0.0)
                count[lemma] += 1
                total += max(word.relevance, 0.0)
                words += 1
    return dict(mass), dict(count), total, words


def frame(found: list[Text]) -> pl.DataFrame:
    """One row a word."""
    return pl.DataFrame([vars(word) for text in found for word in text.words])


def collocations(seed: int, documents: int) -> list[Text]:
    """Texts in which `spark` decides where it stands at most two words behind `node`; each word hangs on the one before."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(documents):
        forms = [WORDS[int(random.integers(12))] for _ in range(int(random.integers(20, 30)))]
        size = [0.5] * len(forms)
        for place in random.choice(np.arange(0, len(forms) - 4, 4), size=2, replace=False):
            forms[place], forms[place + 1 + int(random.integers(2))] = "node", "spark"
        forms[-1] = "spark"
        for place, form in enumerate(forms):
            if form == "spark":
                size[place] = 3.0 if "node" in forms[max(0, place - 2) : place] else 0.1
        words = [
            SimpleNamespace(
                index=index, seen=True, form=form, lemma=form, sentence=index // 12, upos="NOUN", xpos="X", features=None,
                head=index - 1 if index else None, relation=("amod", "nsubj")[index % 2], entity=None,
                relevance=float(np.float32(size[index] * random.normal(0.6, 0.5))), sensitivity=0.0, identifier=f"d{number:03}",
                label="a", split="test", language="en", corpus="posts", role="text", explained="a",
            )
            for index, form in enumerate(forms)
        ]  # fmt: skip
        found.append(Text(f"d{number:03}", "text", "a", words))
    return found
