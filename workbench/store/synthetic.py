"""Small batches from a seed with all that a store keeps: two members and their ensemble, two classes, special and uncovered tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch

MODELS = ("first", "second")
LABELS = ("political", "personal")
COMPONENTS = {"residual": 1, "heads": 2, "neurons": 4}
VOCABULARY = ("আমি", "ভাত", "খাই", "নেতা", "খারাপ", "দল", "ভোট", "মিথ্যা", "ঘর", "দেশ")
UPOS = ("PRON", "NOUN", "VERB", "NOUN", "ADJ", "NOUN", "NOUN", "ADJ", "NOUN", "NOUN")


def wanted(batch: Batch) -> pl.DataFrame:
    """The work that a batch answers, as `Store.missing` takes it."""
    return batch["explanation"].join(batch["document"].select("document", "corpus", "identifier"), on="document")


def frames(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Batch:
    """A batch from rows."""
    return Batch({name: pl.DataFrame(list(rows), schema=dict(SCHEMAS[name]), orient="row") for name, rows in tables.items()})


def batch(identifiers: Sequence[str], *, version: int = 0, annotator: str = "blank", corpus: str = "posts") -> Batch:
    """Documents named by `identifiers`; the content depends on name and version alone."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for local, identifier in enumerate(identifiers):
        document(tables, local, identifier, version, annotator, corpus)
    return frames(tables)


def document(tables: dict[str, list[dict[str, Any]]], local: int, identifier: str, version: int, annotator: str, corpus: str) -> None:
    """Rows of one document."""
    seed = int(fingerprint.of_json([identifier, version])[:8], 16)
    random = np.random.default_rng(seed)
    chosen = [int(index) for index in random.integers(0, len(VOCABULARY), size=int(random.integers(2, 8)))]
    text = " ".join(VOCABULARY[index] for index in chosen) + " 😀"
    print_of_text = fingerprint.of_json({"text": text})
    tables["document"].append(
        {"document": local, "corpus": corpus, "identifier": identifier, "fingerprint": print_of_text, "label": LABELS[seed % 2],
         "split": "test", "language": "bn", "metadata": "{}"}
    )  # fmt: skip
    tables["segment"].append({"document": local, "role": "text", "text": text})
    place = 0
    for word, index in enumerate(chosen):
        form = VOCABULARY[index]
        tables["word"].append(
            {"document": local, "role": "text", "annotator": annotator, "word": word, "char_start": place, "char_end": place + len(form),
             "form": form, "lemma": form if annotator == "blank" else form[:2], "upos": UPOS[index], "sentence": 0}
        )  # fmt: skip
        place += len(form) + 1
    for model in MODELS:
        tokens(tables, local, model, text)
    explanations(tables, local, print_of_text, random)


def tokens(tables: dict[str, list[dict[str, Any]]], local: int, model: str, text: str) -> None:
    """Pieces of two or three characters that ignore word borders, between two special tokens."""
    width = 2 if model == "first" else 3
    pieces = [(0, 0, True)] + [(start, min(start + width, len(text)), False) for start in range(0, len(text), width)] + [(0, 0, True)]
    for token, (start, end, special) in enumerate(pieces):
        tables["token"].append(
            {"document": local, "role": "text", "tokenizer": model, "token": token, "char_start": start, "char_end": end,
             "piece": text[start:end] or "[S]", "special": special}
        )  # fmt: skip


def explanations(tables: dict[str, list[dict[str, Any]]], local: int, text_fingerprint: str, random: np.random.Generator) -> None:
    """An explanation by each model for each class, and the ensemble's."""
    for label in LABELS:
        ensemble = len(tables["explanation"])
        tables["explanation"].append(explanation(ensemble, local, text_fingerprint, "ensemble", label, None, [0.0]))
        totals = []
        for model in MODELS:
            count = sum(row["document"] == local and row["tokenizer"] == model for row in tables["token"])
            values = random.normal(size=count).astype(np.float32)
            number = len(tables["explanation"])
            tables["explanation"].append(explanation(number, local, text_fingerprint, model, label, ensemble, values))
            totals.append(float(values.sum(dtype=np.float64)))
            for token, value in enumerate(values):
                tables["token_relevance"].append(
                    {"explanation": number, "token": token, "relevance": float(value), "position": 0.25, "sensitivity": float(value) ** 2}
                )
            parts(tables, number, count, 1 + MODELS.index(model) + 2 * LABELS.index(label))
        tables["explanation"][ensemble]["tokens"] = float(np.mean(totals))
        tables["explanation"][ensemble]["target_value"] = float(np.mean(totals)) + 0.5
        tables["prediction"].append(
            {"document": local, "role": "text", "model": "ensemble", "label": label, "logit": float(random.normal()),
             "probability": 0.5, "votes": 1}
        )  # fmt: skip


def parts(tables: dict[str, list[dict[str, Any]]], number: int, tokens: int, weight: int) -> None:
    """Softmax by layer (it sums to the account), positions of two kinds, and components of every kind in two layers."""
    for layer, value in ((-1, 0.02), (0, 0.05), (1, 0.03)):
        tables["layer_relevance"].append({"explanation": number, "account": "softmax", "layer": layer, "relevance": value})
    for kind, layer, first in (("absolute", -1, 0), ("relative", 0, 1 - tokens), ("relative", 1, 1 - tokens)):
        for position in range(first, tokens):
            value = weight / (1 + abs(position)) / 100
            tables["position_relevance"].append(
                {"explanation": number, "kind": kind, "layer": layer, "position": position, "relevance": value}
            )
    for kind, units in COMPONENTS.items():
        for layer in range(2):
            place = {"explanation": number, "kind": kind, "layer": layer}
            for token in range(0, tokens, 2):
                value = (-1) ** (token // 2) * (1 + token) / (2 + weight)
                tables["component_relevance"].append({**place, "token": token, "unit": (token // 2 + layer) % units, "relevance": value})
            tables["component_relevance"].append({**place, "token": -1, "unit": -1, "relevance": 0.125})


def explanation(number: int, local: int, text_fingerprint: str, model: str, label: str, owner: int | None, values: Any) -> dict[str, Any]:
    """One row of explanations whose ledger is closed."""
    total = float(np.sum(values, dtype=np.float64))
    return {
        "explanation": number, "fingerprint": fingerprint.of_json([text_fingerprint, model, label]), "document": local, "role": "text",
        "model": model, "member_of": owner, "composite": "attnlrp.v1", "target": "logit", "label": label, "target_value": total + 0.5,
        "tokens": total, "token_types": 0.1, "positions": 0.1, "decoder_inputs": 0.05, "biases": 0.15, "softmax": 0.1,
        "nonlinear": 0.0, "epsilon": 0.0, "gap": 0.0, "precision": "float32", "coverage": 1.0,
    }  # fmt: skip


def failing(identifier: str, *, corpus: str = "posts") -> Batch:
    """A document that could not be explained."""
    row = {
        "corpus": corpus, "identifier": identifier, "fingerprint": fingerprint.of_json([identifier]), "stage": "explain",
        "error": "too long", "retryable": False, "content": fingerprint.of_json({"text": identifier}),
    }  # fmt: skip
    return frames({"failure": [row]})


def scores(identifiers: Sequence[str], *, corpus: str = "posts") -> pl.DataFrame:
    """Faithfulness of documents, as `Store.append_scores` takes it."""
    rows = [
        {"corpus": corpus, "identifier": name, "role": "text", "model": "ensemble", "method": "attnlrp", "ordering": "signed",
         "metric": "comprehensiveness", "value": len(name) / 7}
        for name in identifiers
    ]  # fmt: skip
    return pl.DataFrame(rows)
