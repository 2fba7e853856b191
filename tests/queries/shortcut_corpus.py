"""Posts with a planted shortcut: a tag that decides the model's answer and says nothing of the label."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tests.patterns.brute import Text

DOCUMENTS = 160


def texts(seed: int, documents: int = DOCUMENTS, *, planted: bool = True) -> list[Text]:
    """A model mostly answers what posts are labelled, but b wherever @news stands, which says nothing of the label; whip goes with a."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(documents):
        label = "ab"[number % 2]
        answer = label if random.random() < 0.75 else "ab"[int(random.integers(2))]
        forms = [f"w{int(random.integers(12))}" for _ in range(int(random.integers(5, 15)))] + ["!"] * int(random.integers(2))
        sizes = [abs(random.normal(0.3, 0.2)) for _ in forms]
        if planted and label == "a" and random.random() < 0.8:
            forms.append("whip")
            sizes.append(1.0)
        if random.random() < 0.4:
            answer = "b" if planted else answer
            place = int(random.integers(len(forms) + 1))
            forms.insert(place, "@News")
            sizes.insert(place, 2.0 if planted else 0.3)
        words = [
            SimpleNamespace(
                index=index, seen=True, form=form, lemma=form, sentence=0, upos="PUNCT" if form == "!" else "NOUN", xpos="X",
                features=None, head=None, relation="amod", entity=None, relevance=float(np.float32(size)), sensitivity=0.0,
                identifier=f"d{number:03}", label=label, split=("train", "test")[number % 3 == 0], language="en", corpus="posts",
                role="text", explained=answer,
            )
            for index, (form, size) in enumerate(zip(forms, sizes, strict=True))
        ]  # fmt: skip
        found.append(Text(f"d{number:03}", "text", answer, words))
    return found
