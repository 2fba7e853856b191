"""Small batches of explained translations from a seed: two systems, what every step took from where, and ledgers that close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import fingerprint
from workbench.batch import SCHEMAS, Batch
from workbench.store.synthetic import frames

MODELS = ("strong", "weak")
SOURCE = (("le", "DET"), ("chat", "NOUN"), ("dort", "VERB"), ("noir", "ADJ"), ("petit", "ADJ"), ("chien", "NOUN"), ("mange", "VERB"))
TARGET = (("the", "DET"), ("cat", "NOUN"), ("sleeps", "VERB"), ("black", "ADJ"), ("small", "ADJ"), ("dog", "NOUN"), ("eats", "VERB"))
END = "</s>"
#: What a step takes from the source word that it translates, by system; everything else is a small fraction of it.
STRENGTH = {"strong": 3.0, "weak": 1.5}


def translations(
    identifiers: Sequence[str], *, model: str = MODELS[0], version: int = 0, corpus: str = "sentences", composite: str = "attnlrp.v1",
    references: bool = False,
) -> Batch:  # fmt: skip
    """Word-by-word translations of documents named by `identifiers`; `version` changes what the model says, not the document.

    With `references` the model explains them as well. Words of five letters and more are two tokens.
    """
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for local, identifier in enumerate(identifiers):
        translation(tables, local, identifier, model, version, corpus, composite, references)
    return frames(tables)


def translation(
    tables: dict[str, list[dict[str, Any]]], local: int, identifier: str, model: str, version: int, corpus: str, composite: str,
    references: bool,
) -> None:  # fmt: skip
    """Rows of one document, its translation by one system, and where each step took how much from."""
    random = np.random.default_rng(int(fingerprint.of_json([identifier])[:8], 16))
    words = [int(index) for index in random.integers(0, len(SOURCE), size=int(random.integers(3, 9)))]
    made = words if version == 0 else words[::-1]
    role = f"hypothesis:{model}"
    segments = {"source": [SOURCE[index] for index in words], "reference": [TARGET[index] for index in words]}
    texts = {name: " ".join(form for form, _ in side) for name, side in segments.items()}
    tables["document"].append(
        {"document": local, "corpus": corpus, "identifier": identifier, "fingerprint": fingerprint.of_json(texts), "split": "test",
         "metadata": '{"languages": {"source": "fr", "reference": "en"}}'}
    )  # fmt: skip
    segments[role] = [TARGET[index] for index in made]
    for name, side in segments.items():
        text(tables, local, name, side, model)
    order = list(range(len(words))) if version == 0 else list(range(len(words)))[::-1]
    for spoken, places in ((role, order), *([("reference", list(range(len(words))))] if references else [])):
        noise = np.random.default_rng(int(fingerprint.of_json([identifier, model, version, spoken])[:8], 16))
        source, prefix = taken(noise, segments["source"], segments[spoken], places, STRENGTH[model])
        name = fingerprint.of_json([texts, model, version, composite, spoken])
        explained(tables, local, spoken, model, composite, source, prefix, name)
    score = {"document": local, "role": role, "model": model, "method": "quality", "ordering": ""}
    agreement = 100.0 * float(np.mean([one == other for one, other in zip(made, words, strict=True)]))
    for metric, value in (("chrf", agreement), ("similarity_to_source", agreement / 200), ("similarity_to_reference", agreement / 100)):
        tables["score"].append({**score, "metric": metric, "value": value})


def pieces(form: str) -> list[str]:
    """The tokens of a word."""
    return [form[:3], form[3:]] if len(form) > 4 else [form]


def taken(
    noise: np.random.Generator, source: Sequence[tuple[str, str]], made: Sequence[tuple[str, str]], places: Sequence[int], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each step takes from each token of the source (its word's translation, the end for the end) and of the prefix."""
    owners = [[place for place, (form, _) in enumerate(side) for _ in pieces(form)] + [len(side)] for side in (source, made)]
    goals = [*places, len(source)]
    found = noise.uniform(0, 0.2, (len(owners[1]), len(owners[0])))
    for step, word in enumerate(owners[1]):
        for token in (token for token, owner in enumerate(owners[0]) if owner == goals[word]):
            found[step, token] += strength / owners[0].count(goals[word])
    return found, np.tril(noise.uniform(-0.3, 0.6, (len(owners[1]), len(owners[1]))), -1)


def text(tables: dict[str, list[dict[str, Any]]], local: int, role: str, side: Sequence[tuple[str, str]], model: str) -> None:
    """One text with its words and their tokens; an end token follows."""
    whole = " ".join(form for form, _ in side)
    tables["segment"].append({"document": local, "role": role, "text": whole})
    place, token = 0, 0
    for number, (form, upos) in enumerate(side):
        here = {"document": local, "role": role, "char_start": place, "char_end": place + len(form)}
        tables["word"].append({**here, "annotator": "blank", "word": number, "form": form, "lemma": form, "upos": upos, "sentence": 0})
        for piece in pieces(form):
            span = {"char_start": place, "char_end": place + len(piece)}
            tables["token"].append({**here, **span, "tokenizer": model, "token": token, "piece": piece, "special": False})
            place, token = place + len(piece), token + 1
        place += 1
    end = {"document": local, "role": role, "tokenizer": model, "token": token, "piece": END, "special": True}
    tables["token"].append({**end, "char_start": len(whole), "char_end": len(whole)})


def explained(
    tables: dict[str, list[dict[str, Any]]], local: int, role: str, model: str, composite: str, source: NDArray[np.float64],
    prefix: NDArray[np.float64], name: str,
) -> None:  # fmt: skip
    """The explanation of the target's steps, and that of the source's tokens."""
    source, prefix = source.astype(np.float32).astype(np.float64), prefix.astype(np.float32).astype(np.float64)
    beginning = 0.5 * np.ones(len(source))
    target, own = ledgers(source, prefix, beginning)
    common = {"document": local, "model": model, "composite": composite, "target": "argmax", "precision": "float32", "coverage": 1.0}
    number = len(tables["explanation"])
    tables["explanation"].append({**common, **target, "explanation": number, "fingerprint": name, "role": role})
    for token, value in enumerate(prefix.sum(0)):
        tables["token_relevance"].append({"explanation": number, "token": token, "relevance": float(value)})
    for step in range(len(source)):
        sizes = {"source_size": float(source[step].sum()), "prefix_size": float(np.abs(prefix[step]).sum())}
        tables["step"].append(
            {"explanation": number, "step": step, "target_value": float(source[step].sum() + prefix[step].sum() + 0.5),
             "log_probability": -0.1 * (step + 1), "source": float(source[step].sum()), "prefix": float(prefix[step].sum()),
             "beginning": 0.5, "positions": 0.0, "biases": 0.0, "softmax": 0.0, "nonlinear": 0.0, "gap": 0.0, **sizes,
             "source_entropy": entropy(source[step]), "prefix_entropy": entropy(prefix[step])}
        )  # fmt: skip
        for side, row in (("source", source[step]), ("prefix", prefix[step, :step])):
            for token, value in enumerate(row):
                tables["contribution"].append(
                    {"explanation": number, "step": step, "side": side, "token": token, "relevance": float(value)}
                )
    tables["explanation"].append(
        {**common, **own, "explanation": number + 1, "fingerprint": f"{name}/source", "role": "source", "label": role}
    )
    for token, value in enumerate(source.sum(0)):
        tables["token_relevance"].append({"explanation": number + 1, "token": token, "relevance": float(value)})


def ledgers(
    source: NDArray[np.float64], prefix: NDArray[np.float64], beginning: NDArray[np.float64]
) -> tuple[dict[str, float], dict[str, float]]:
    """The ledger as the target's tokens see it, and as the source's do."""
    parts = [float(part.sum()) for part in (source, prefix, beginning)]
    rest = dict.fromkeys(("token_types", "positions", "biases", "softmax", "nonlinear", "epsilon", "gap"), 0.0) | {
        "target_value": sum(parts)
    }
    target = {**rest, "tokens": parts[1], "decoder_inputs": parts[0] + parts[2]}
    return target, {**rest, "tokens": parts[0], "decoder_inputs": parts[1] + parts[2]}


def entropy(row: NDArray[np.float64]) -> float | None:
    """Entropy in nats of the sizes as shares; None where nothing has a size."""
    sizes = np.abs(row[row != 0])
    if not len(sizes):
        return None
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())
