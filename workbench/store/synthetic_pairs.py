"""Small batches of pairs of texts from a seed: words, factors whose products are the cells, and ledgers that close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.store.synthetic import UPOS, VOCABULARY, frames

MODEL = "encoder"
ROLES = ("text_a", "text_b")
DIMENSION = 8


def pairs(identifiers: Sequence[str], *, version: int = 0, corpus: str = "pairs", model: str = MODEL) -> Batch:
    """Pairs named by `identifiers`; the content depends on name, version and model alone. Each word is one token."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for local, identifier in enumerate(identifiers):
        pair(tables, local, identifier, version, corpus, model)
    return frames(tables)


def pair(tables: dict[str, list[dict[str, Any]]], local: int, identifier: str, version: int, corpus: str, model: str) -> None:
    """Rows of one pair."""
    random = np.random.default_rng(int(fingerprint.of_json([identifier, version, model])[:8], 16))
    chosen = [[int(index) for index in random.integers(0, len(VOCABULARY), size=int(random.integers(2, 6)))] for _ in ROLES]
    texts = {role: " ".join(VOCABULARY[index] for index in words) for role, words in zip(ROLES, chosen, strict=True)}
    tables["document"].append(
        {"document": local, "corpus": corpus, "identifier": identifier, "fingerprint": fingerprint.of_json(texts), "label": "paraphrase",
         "split": "test", "language": "bn", "metadata": '{"similarity": 3.5}'}
    )  # fmt: skip
    rows = []
    for role, words in zip(ROLES, chosen, strict=True):
        tables["segment"].append({"document": local, "role": role, "text": texts[role]})
        place = 0
        for word, index in enumerate(words):
            form, end = VOCABULARY[index], place + len(VOCABULARY[index])
            annotation = {"form": form, "lemma": form[:2], "upos": UPOS[index], "relation": "dep"}
            span = {"char_start": place, "char_end": end}
            tables["word"].append(
                {"document": local, "role": role, "annotator": "blank", "word": word, **annotation, **span, "sentence": 0}
            )
            tables["token"].append(
                {"document": local, "role": role, "tokenizer": model, "token": word, "piece": form, "special": False, **span}
            )
            place = end + 1
        rows.append(random.normal(size=(len(words) + 1, DIMENSION)).astype(np.float16).astype(np.float64))
    explained(tables, local, chosen, rows, fingerprint.of_json([texts, model]), model)


def explained(
    tables: dict[str, list[dict[str, Any]]], local: int, chosen: list[list[int]], rows: list[NDArray[np.float64]], name: str, model: str
) -> None:
    """The pair's explanation with its cells, and those of its texts with their tokens and factors."""
    cells = rows[0] @ rows[1].T
    number = len(tables["explanation"])
    tables["explanation"].append(ledger(number, local, name, "~".join(ROLES), model, cells, float(cells[:-1, :-1].sum())))
    for left, row in enumerate(cells):
        for right, value in enumerate(row):
            one, other = ends("left", chosen[0], left), ends("right", chosen[1], right)
            matched = None
            if one["left_kind"] == other["right_kind"] == "word":
                matched = "identical" if one["left_form"] == other["right_form"] else "other"
            tables["interaction"].append({"explanation": number, **one, **other, "relevance": float(value), "matched": matched})
    for side, (role, words) in enumerate(zip(ROLES, chosen, strict=True)):
        own = cells.sum(1 - side)
        number = len(tables["explanation"])
        tables["explanation"].append(ledger(number, local, f"{name}/{role}", role, model, cells, float(own[:-1].sum())))
        for word in range(len(words) + 1):
            kind, index = ("word", word) if word < len(words) else ("bias", None)
            vector = rows[side][word].astype("<f2").tobytes()
            tables["factor"].append({"explanation": number, "kind": kind, "word": index, "precision": "float16", "vector": vector})
            if index is not None:
                tables["token_relevance"].append({"explanation": number, "token": word, "relevance": float(own[word])})


def ends(side: str, words: list[int], place: int) -> dict[str, Any]:
    """One end of a cell: a word with its annotation, or the biases."""
    if place == len(words):
        return {f"{side}_kind": "bias", f"{side}_word": None}
    form = VOCABULARY[words[place]]
    annotation = {f"{side}_form": form, f"{side}_lemma": form[:2], f"{side}_upos": UPOS[words[place]], f"{side}_relation": "dep"}
    return {f"{side}_kind": "word", f"{side}_word": place, **annotation}


def ledger(number: int, local: int, name: str, role: str, model: str, cells: NDArray[np.float64], tokens: float) -> dict[str, Any]:
    """One row of explanations whose ledger is closed: what is not of tokens is of biases."""
    total = float(cells.sum())
    return {
        "explanation": number, "fingerprint": name, "document": local, "role": role, "model": model, "composite": "bilrp.v1",
        "target": "cosine", "target_value": total, "tokens": tokens, "token_types": 0.0, "positions": 0.0, "decoder_inputs": 0.0,
        "biases": total - tokens, "softmax": 0.0, "nonlinear": 0.0, "epsilon": 0.0, "gap": 0.0, "precision": "float32", "coverage": 1.0,
    }  # fmt: skip
