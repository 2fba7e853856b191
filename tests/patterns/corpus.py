"""Small corpora from a seed: as lists of words for the slow matcher, and as a store."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.patterns.brute import Text
from workbench import fingerprint
from workbench.store import Store
from workbench.store.synthetic import explanation, frames

FORMS = ("walk", "walks", "walked", "good", "Good", "not", "cafe\u0301", "ভালো", "x-1", "it's")
LEMMAS = {"walks": "walk", "walked": "walk", "Good": "good", "it's": None}
UPOS = ("NOUN", "VERB", "ADJ", "DET", None)
RELATIONS = ("amod", "nsubj", "obj", "nsubj:pass", None)
FEATURES = (None, "Number=Plur", "Case=Nom|Number=Sing", "Number[psor]=Plur|Number=Sing")
LABELS = ("political", "personal")


def corpus(seed: int, documents: int, *, labels: int = 2, roles: tuple[str, ...] = ("text",), longest: int = 9) -> list[Text]:
    """Texts of random words; some words have no relevance (the model did not see them)."""
    random = np.random.default_rng(seed)
    texts = []
    for number in range(documents):
        attributes = {
            "identifier": f"d{number:03}", "label": LABELS[number % 2], "split": ("train", "test")[number % 3 == 0],
            "language": ("en", None)[number % 4 == 3], "corpus": ("posts", "news")[number % 5 == 0],
        }  # fmt: skip
        for role in roles:
            base = words(random, int(random.integers(1, longest)))
            for label in LABELS[:labels]:
                explained = []
                for one in base:
                    seen = one["seen"]
                    relevance = float(np.float32(int(random.integers(-5, 6)) / 10))
                    row = {**one, **attributes, "role": role, "explained": label, "relevance": relevance if seen else None}
                    explained.append(SimpleNamespace(**row, sensitivity=relevance**2 if seen else None))
                of_text(explained)
                texts.append(Text(attributes["identifier"], role, label, explained))
    return texts


def of_text(words: list[SimpleNamespace]) -> None:
    """What is reckoned from all seen words of a text: how many, where each stands, where the strongest stands, and shares."""
    seen = [word for word in words if word.seen]
    total = sum(abs(word.relevance) for word in seen)
    for word in seen:
        first, span = seen[0].index, seen[-1].index - seen[0].index + 1
        strongest = max(seen, key=lambda one: (one.relevance, -one.index)).index
        word.words, word.place, word.peak = len(seen), (word.index - first) / span, (strongest - first) / span
        word.share = word.relevance / total if total else None


def words(random: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Annotated words of one text, in sentences, under one root."""
    found, sentence = [], 0
    for index in range(count):
        form = FORMS[int(random.integers(len(FORMS)))]
        sentence += bool(index and random.random() < 0.25)
        upos = UPOS[int(random.choice(5, p=[0.35, 0.25, 0.25, 0.1, 0.05]))]
        head = None if index == 0 else int(random.integers(index)) if random.random() < 0.7 else 0
        annotation = {"upos": upos, "xpos": upos[:2] if upos else None, "features": FEATURES[int(random.integers(4))], "head": head,
                      "relation": RELATIONS[int(random.integers(5))] if head is not None else "root",
                      "entity": ("PER", None, None)[int(random.integers(3))]}  # fmt: skip
        seen = bool(random.random() > 0.06)
        found.append({"index": index, "seen": seen, "form": form, "lemma": LEMMAS.get(form, form), "sentence": sentence, **annotation})
    return found


def tables(texts: list[Text], model: str = "m", composite: str = "attnlrp.v1") -> dict[str, list[dict[str, Any]]]:
    """Rows of a batch: one token a word where the word is seen, and one special token."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("document", "segment", "word", "token", "explanation", "token_relevance")
    }
    local: dict[str, int] = {}
    done: set[tuple[str, str]] = set()
    for text in texts:
        content = " ".join(word.form for word in text.words)
        first = text.words[0]
        if text.document not in local:
            local[text.document] = len(local)
            content_of_all = [[other.role, [word.form for word in other.words]] for other in texts if other.document == text.document]
            prints = fingerprint.of_json(content_of_all)
            attributes = {name: getattr(first, name) for name in ("corpus", "identifier", "label", "split", "language")}
            rows["document"].append({"document": local[text.document], "fingerprint": prints, "metadata": "{}", **attributes})
        number, places, place = local[text.document], [], 0
        for word in text.words:
            places.append((place, place + len(word.form)))
            place += len(word.form) + 1
        seen = [(word, span) for word, span in zip(text.words, places, strict=True) if word.seen]
        here = {"document": number, "role": text.role}
        if (text.document, text.role) not in done:
            done.add((text.document, text.role))
            rows["token"] += [{**here, "tokenizer": model, "token": token, "char_start": start, "char_end": end, "piece": word.form,
                               "special": False} for token, (word, (start, end)) in enumerate(seen)]  # fmt: skip
            rows["token"].append({**here, "tokenizer": model, "token": len(seen), "char_start": 0, "char_end": 0, "piece": "[S]",
                                  "special": True})  # fmt: skip
            rows["segment"].append({**here, "text": content})
            names = ("form", "lemma", "upos", "xpos", "features", "head", "relation", "entity", "sentence")
            rows["word"] += [{**here, "annotator": "gold", "word": word.index, "char_start": start, "char_end": end,
                              **{name: getattr(word, name) for name in names}}
                             for word, (start, end) in zip(text.words, places, strict=True)]  # fmt: skip
        index = len(rows["explanation"])
        values = [word.relevance for word, _ in seen] + [0.25]
        row = explanation(index, number, fingerprint.of_json([content, text.document, text.role]), model, text.explained, None, values)
        rows["explanation"].append({**row, "role": text.role, "composite": composite})
        rows["token_relevance"] += [{"explanation": index, "token": token, "relevance": value, "sensitivity": value**2}
                                    for token, value in enumerate(values)]  # fmt: skip
    return rows


def store(path: Path, texts: list[Text]) -> Store:
    """A store of the texts, open to write."""
    opened = Store.open(path, "write")
    opened.append(frames(tables(texts)), 1)
    return opened
