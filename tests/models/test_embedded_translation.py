"""The embedded translation models: unmodified, small, with the quality their cards state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from sacrebleu import corpus_bleu
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, MarianMTModel

from workbench.models.places import EMBEDDED
from workbench.models.translation import Translator, load_translator, source_of, translate

NAMES = sorted(folder.name for folder in EMBEDDED.glob("translation-*"))
each = pytest.mark.parametrize("name", NAMES)


def figures_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EMBEDDED / name / "figures.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def loaded() -> dict[str, Translator]:
    return {name: load_translator(name) for name in NAMES}


def test_there_is_one_for_each_direction_and_level_of_supervision() -> None:
    levels = ("translation-fr-en", "translation-fr-en-tenth", "translation-fr-en-backtranslated")
    assert {"translation-en-fr", "translation-gu-en", "translation-kk-en", *levels} <= set(NAMES)


@each
def test_weights_are_small_halves_computed_in_whole(name: str, loaded: dict[str, Translator]) -> None:
    path = EMBEDDED / name / "model.safetensors"
    assert path.stat().st_size == figures_of(name)["bytes"] < 16_000_000
    assert {value.dtype for value in load_file(path).values()} == {torch.float16}
    assert {value.dtype for value in loaded[name].module.parameters()} == {torch.float32}


@each
def test_the_library_alone_loads_them(name: str, loaded: dict[str, Translator]) -> None:
    translator, folder = loaded[name], EMBEDDED / name
    module, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert type(module) is type(translator.module) is MarianMTModel
    assert module.config.scale_embedding
    assert tokenizer.is_fast
    assert (translator.source_language, translator.target_language) == tuple(name.removeprefix("translation-").split("-")[:2])
    assert translator.window == 256
    example = figures_of(name)["tests"]
    source, _, output = next(iter(example.values()))["examples"][0]
    found = module.generate(**tokenizer([source], return_tensors="pt"), max_length=100)
    assert tokenizer.decode(found[0], skip_special_tokens=True) == translate(translator, [source])[0] == output


@each
def test_offsets_lead_back_to_the_text(name: str, loaded: dict[str, Translator]) -> None:
    for source, target, _ in next(iter(figures_of(name)["tests"].values()))["examples"]:
        for text in (source, target):
            encoding = source_of(loaded[name], f"  {text}\n")
            covered = {place - 2 for start, end in encoding.spans for place in range(start, end)}
            assert {place for place, character in enumerate(text) if not character.isspace()} == covered


@each
def test_the_card_states_the_figures(name: str) -> None:
    figures, card = figures_of(name), (EMBEDDED / name / "CARD.md").read_text("utf-8")
    for title, row in figures["tests"].items():
        assert f"| {title} | {row['sentences']:,} | {row['bleu']:.1f} | {row['chrf']:.1f} |" in card
        assert row["bleu_signature"] in card
        assert row["chrf_signature"] in card
    assert "It is no tool for translation" in card
    assert "Licence:" in card


def test_captions_are_translated_as_the_card_says(mirror: Path, loaded: dict[str, Translator]) -> None:
    folder = mirror / "nmt" / "multi30k"
    french, english = ((folder / f"test_2016_flickr.{code}").read_text("utf-8").split("\n")[:60] for code in ("fr", "en"))
    bleu = corpus_bleu(translate(loaded["translation-fr-en"], french), [english]).score
    assert abs(bleu - figures_of("translation-fr-en")["tests"]["Multi30k test 2016"]["bleu"]) < 12  # sixty sentences: two standard errors
