"""The embedded multilingual encoder: small, closest between translations, explained exactly, and as good as its card says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from workbench.attribution.factors import factors
from workbench.corpora import find, read
from workbench.models.encode import encode
from workbench.models.encoder import Encoder, load_encoder
from workbench.models.places import EMBEDDED

FOLDER = EMBEDDED / "multilingual-similarity"
FIGURES = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("multilingual-similarity")


def embeddings(encoder: Encoder, texts: list[str]) -> NDArray[np.float32]:
    module: Any = encoder.module
    found: NDArray[np.float32] = module.encode(texts, batch_size=64, show_progress_bar=False)
    return found


def sides(name: str, split: str | None, languages: str) -> tuple[list[str], list[str], list[float]]:
    documents = list(read(find(name), split, languages=languages))
    first, second = ([document.segments[role] for document in documents] for role in ("text_a", "text_b"))
    return first, second, [float(str(document.metadata["similarity"] or 0)) for document in documents]


def test_it_loads_in_float32_from_at_most_sixteen_megabytes(encoder: Encoder) -> None:
    assert (encoder.name, encoder.dimension, encoder.window) == ("multilingual-similarity", 384, 128)
    assert {parameter.dtype for parameter in encoder.module.parameters()} == {torch.float32}
    assert sum(parameter.numel() for parameter in encoder.module.parameters()) == FIGURES["shape"]["parameters"]
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 16_000_000
    assert encoder.fingerprint == load_encoder(str(FOLDER)).fingerprint


@pytest.mark.parametrize("languages", ["en=de", "en=fr", "en=es"])
def test_translations_are_closer_than_unrelated_texts(encoder: Encoder, languages: str) -> None:
    english, other, _ = sides("similarity-multilingual-sample", None, languages)
    cosines = embeddings(encoder, english) @ embeddings(encoder, other).T
    own = np.diag(cosines)
    assert own.mean() > cosines.mean() + 0.4
    # the two texts of a row are much alike: a text's translation is among the five closest of about 130
    rank = (cosines > own[:, None]).sum(axis=1)
    assert (rank < 5).mean() > 0.85


@pytest.mark.parametrize("rules", ["bilrp.v1", "attnlrp.v1"])
def test_factors_sum_to_the_embedding(encoder: Encoder, rules: str) -> None:
    texts = ["The dog sleeps.", "Der Hund schläft heute im Garten, weil es regnet.", "Le chien dort.", "El perro duerme en el jardín."]
    found = factors(encoder.module, [encode(encoder.tokenizer, text, encoder.window) for text in texts], rules)
    for one, embedding in zip(found, embeddings(encoder, texts), strict=True):
        assert one.gap < 1e-5
        assert one.embedding == pytest.approx(embedding, abs=1e-5)


def test_accents_stay_and_offsets_lead_back_to_the_text(encoder: Encoder) -> None:
    text = "Die schöne Frau, où êtes-vous, señor?"
    encoding = encode(encoder.tokenizer, text, encoder.window)
    assert "".join(text[start:end] for start, end in encoding.spans) == text.replace(" ", "")
    assert encoder.tokenizer.unk_token_id not in encoding.ids
    assert encoding.ids != encode(encoder.tokenizer, "Die schone Frau, ou etes-vous, senor?", encoder.window).ids


def test_the_card_states_the_figures() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    for row in FIGURES["test"].values():
        assert f"| {row['en']:.1f} | {row['de']:.1f} | {row['fr']:.1f} | {row['es']:.1f} | {row['en-de']:.1f} |" in card
    student, plain = FIGURES["test"]["student"], FIGURES["test"]["bag of the student"]
    assert student["en"] > 70
    assert student["en-de"] > 60
    assert all(student[name] > plain[name] for name in ("en", "de", "fr", "es", "en-de"))


@pytest.mark.slow
def test_the_benchmark_figures_are_reproduced(encoder: Encoder, mirror: Path) -> None:
    if not (mirror / "similarity" / "stsb-multi-mt").is_dir():
        pytest.skip("the mirror of real corpora has no STS-B")
    first, second, gold = sides("stsb-multilingual", "test", "en")
    _, german, _ = sides("stsb-multilingual", "test", "en-de")
    left = embeddings(encoder, first)
    for languages, others in (("en", second), ("en-de", german)):
        cosines = (left * embeddings(encoder, others)).sum(axis=1)
        assert 100 * spearmanr(cosines, gold).statistic == pytest.approx(FIGURES["test"]["student"][languages], abs=0.5)
