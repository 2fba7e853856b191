"""The embedded English classifier: small float16 weights, float32 answers, true offsets, a card with its figures."""

from __future__ import annotations

import json

import pytest
import torch

from workbench.models.classifier import load
from workbench.models.encode import encode
from workbench.models.places import EMBEDDED

FOLDER = EMBEDDED / "english-toxic"
FIGURES = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))


def test_it_loads_in_float32_from_small_float16_weights() -> None:
    classifier = load("english-toxic")
    assert classifier.labels == ("normal", "toxic")
    assert classifier.window == 256
    parameters = sum(parameter.numel() for parameter in classifier.module.parameters())
    assert parameters == FIGURES["shape"]["parameters"]
    weights = FOLDER / "model.safetensors"
    assert 2 * parameters <= weights.stat().st_size < min(2 * parameters + 20_000, 16_000_000)
    assert {parameter.dtype for parameter in classifier.module.parameters()} == {torch.float32}


def test_offsets_lead_back_to_the_text_and_case_does_not_matter() -> None:
    classifier = load("english-toxic")
    text = "  The CATS\n\nsleep, <user> … naïvely!"
    encoding = encode(classifier.tokenizer, text, classifier.window)
    covered = {place for start, end in encoding.spans for place in range(start, end)}
    assert {place for place, character in enumerate(text) if not character.isspace()} <= covered
    assert encoding.ids == encode(classifier.tokenizer, text.lower(), classifier.window).ids
    assert classifier.tokenizer.unk_token_id not in encode(classifier.tokenizer, "the cat sleeps", 256).ids


@pytest.mark.parametrize("part", ["hatexplain", "toxic_spans"])
def test_the_card_states_the_figures(part: str) -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    for name in ("classifier", "baseline", "baseline_hatexplain"):
        row = FIGURES[name][part]
        stated = f"| {row['macro_f1']:.3f} | {row['f1_normal']:.3f} / {row['f1_toxic']:.3f} | {row['accuracy']:.3f} |"
        assert stated in card
    assert "no tool for moderation" in card
    assert FIGURES["classifier"][part]["macro_f1"] > FIGURES["baseline"][part]["macro_f1"]
