"""Pairs of texts from words written out (form/lemma/UPOS/relation) and factors given by hand, as batches of a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.store.synthetic import frames

ANNOTATION = ("form", "lemma", "upos", "relation")


@dataclass(frozen=True)
class Side:
    """One text: its words, the factors of each, and those of biases and of special tokens."""

    words: str
    rows: Sequence[Sequence[float]]
    bias: Sequence[float]
    special: Sequence[float] | None = None

    @property
    def annotation(self) -> list[dict[str, str]]:
        return [dict(zip(ANNOTATION, word.split("/"), strict=True)) for word in self.words.split()]

    @property
    def text(self) -> str:
        return " ".join(word["form"] for word in self.annotation)

    @property
    def units(self) -> tuple[list[str], list[int | None], np.ndarray]:
        count = len(self.annotation)
        extra = [("special", self.special)] if self.special is not None else []
        extra.append(("bias", self.bias))
        rows = np.array([*self.rows, *(vector for _, vector in extra)], dtype=np.float64)
        return ["word"] * count + [kind for kind, _ in extra], [*range(count), *(None for _ in extra)], rows


@dataclass(frozen=True)
class Pair:
    """Two texts and what is known of them; `strongest` cells are kept, 0 for all."""

    identifier: str
    left: Side
    right: Side
    label: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    language: str = "en"
    strongest: int = 0
    corpus: str = "pairs"
    roles: tuple[str, str] = ("text_a", "text_b")


def match(one: dict[str, str], other: dict[str, str]) -> str:
    if one["form"].lower() == other["form"].lower():
        return "identical"
    return "lemma" if one["lemma"].lower() == other["lemma"].lower() else "other"


def batch(pairs: Sequence[Pair], model: str = "encoder", precision: str = "float32") -> Batch:
    """The batch that a similarity pipeline would make of these pairs."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for local, pair in enumerate(pairs):
        sides = dict(zip(pair.roles, (pair.left, pair.right), strict=True))
        tables["document"].append(
            {"document": local, "corpus": pair.corpus, "identifier": pair.identifier, "label": pair.label, "split": "test",
             "fingerprint": fingerprint.of_json({role: side.text for role, side in sides.items()}), "language": pair.language,
             "metadata": json.dumps(pair.metadata)}
        )  # fmt: skip
        for role, side in sides.items():
            written(tables, local, role, side, model)
        explained(tables, local, pair, model, precision)
    return frames(tables)


def written(tables: dict[str, list[dict[str, Any]]], local: int, role: str, side: Side, model: str) -> None:
    tables["segment"].append({"document": local, "role": role, "text": side.text})
    place = 0
    for number, word in enumerate(side.annotation):
        span = {"document": local, "role": role, "char_start": place, "char_end": place + len(word["form"])}
        tables["word"].append({**span, "annotator": "hand", "word": number, "sentence": 0, **word})
        tables["token"].append({**span, "tokenizer": model, "token": number, "piece": word["form"], "special": False})
        place += len(word["form"]) + 1


def explained(tables: dict[str, list[dict[str, Any]]], local: int, pair: Pair, model: str, precision: str) -> None:
    (left_kinds, left_words, left), (right_kinds, right_words, right) = pair.left.units, pair.right.units
    cells = left @ right.T
    bias = np.array([[("bias" in (one, other)) for other in right_kinds] for one in left_kinds])
    ledger: dict[str, Any] = dict.fromkeys(("token_types", "positions", "decoder_inputs", "softmax", "nonlinear", "epsilon", "gap"), 0.0)
    ledger |= {"document": local, "model": model, "composite": "bilrp.v1", "target": "cosine", "precision": "float32", "coverage": 1.0}
    ledger |= {"target_value": cells.sum(), "tokens": cells[~bias].sum(), "biases": cells[bias].sum()}
    name = fingerprint.of_json([pair.corpus, pair.identifier, model, pair.left.text, pair.right.text])
    number = len(tables["explanation"])
    tables["explanation"].append({**ledger, "explanation": number, "fingerprint": name, "role": "~".join(pair.roles)})
    order = sorted(range(cells.size), key=lambda cell: -abs(cells.ravel()[cell]))
    kept = sorted(order[: pair.strongest] if pair.strongest else order)
    ours, theirs = pair.left.annotation, pair.right.annotation
    for cell in kept:
        row, column = divmod(cell, cells.shape[1])
        one, other = (ours[row] if row < len(ours) else None), (theirs[column] if column < len(theirs) else None)
        found: dict[str, Any] = {"left_kind": left_kinds[row], "left_word": left_words[row], "right_kind": right_kinds[column]}
        found |= {
            "right_word": right_words[column],
            "relevance": cells[row, column],
            "matched": match(one, other) if one and other else None,
        }
        for side, word in (("left", one), ("right", other)):
            found |= {f"{side}_{key}": word[key] if word else None for key in ANNOTATION}
        tables["interaction"].append({"explanation": number, **found})
    if len(kept) < cells.size:
        rest = float(cells.sum() - cells.ravel()[kept].sum())
        tables["interaction"].append({"explanation": number, "left_kind": "rest", "right_kind": "rest", "relevance": rest})
    for role, (kinds, words, rows), sums in zip(pair.roles, (pair.left.units, pair.right.units), (cells.sum(1), cells.sum(0)), strict=True):
        number = len(tables["explanation"])
        own = {"tokens": float(sums[:-1].sum()), "biases": float(sums[-1])}
        tables["explanation"].append({**ledger, **own, "explanation": number, "fingerprint": f"{name}/{role}", "role": role})
        for kind, word, row in zip(kinds, words, rows, strict=True):
            vector = row.astype("<f2" if precision == "float16" else "<f4").tobytes()
            tables["factor"].append({"explanation": number, "kind": kind, "word": word, "precision": precision, "vector": vector})
        tables["token_relevance"] += [
            {"explanation": number, "token": word, "relevance": float(sums[word])} for word in words if word is not None
        ]


def by_another(first: Batch, model: str) -> Batch:
    """The same texts with the same relevance, as another model's."""
    owned = {name: frame for name, frame in first.frames.items() if {"model", "tokenizer"} & set(frame.columns)}
    renamed = {
        name: frame.with_columns(pl.lit(model).alias(column) for column in ("model", "tokenizer") if column in frame.columns)
        for name, frame in owned.items()
    }
    again = renamed["explanation"].with_columns(pl.col("fingerprint") + f"/{model}")
    return Batch({**first.frames, **renamed, "explanation": again})
