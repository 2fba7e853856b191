"""The embedded Bengali pipeline: loads in silence, says what its card says, and is small."""

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.annotation import annotator
from workbench.annotation.pipelines import EMBEDDED, embedded

FOLDER = EMBEDDED / "bengali"
TRAINING = Path(__file__).parents[2] / "pipelines" / "training" / "bengali_tagger"


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_MIRROR", raising=False)


@pytest.mark.usefixtures("no_mirror")
def test_words_tags_and_lemmas() -> None:
    annotation = annotator("bengali")
    assert annotation.name == "bengali"
    words, signs = annotation.annotate(["সরকারের লোকেরা কাজ করছে না।", "😂 https://a.com/b @user ২৫ %"])
    assert [(word.form, word.upos) for word in words[:1] + words[-3:]] == [
        ("সরকারের", "NOUN"),
        ("করছে", "VERB"),
        ("না", "PART"),
        ("।", "PUNCT"),
    ]
    assert [word.lemma for word in words if word.form in {"সরকারের", "করছে"}] == ["সরকার", "করা"]
    assert words[0].features == "Case=Gen"
    assert all(word.lemma and word.upos and word.xpos for word in words)
    assert [word.upos for word in signs] == ["SYM", "X", "PROPN", "NUM", "PUNCT"]


@pytest.mark.usefixtures("no_mirror")
def test_every_embedded_pipeline_loads_with_one_fingerprint() -> None:
    assert "bengali" in embedded()
    assert annotator("bengali").fingerprint == annotator("bengali").fingerprint


def test_either_nukta_encoding_gives_one_annotation() -> None:
    precomposed = "মেয়েটি বাড়ি যায়নি।".replace("য\u09bc", "\u09df").replace("ড\u09bc", "\u09dc")
    decomposed = precomposed.replace("\u09df", "য\u09bc").replace("\u09dc", "ড\u09bc")
    first, second = annotator("bengali").annotate([precomposed, decomposed])
    assert [(word.lemma, word.upos, word.xpos) for word in first] == [(word.lemma, word.upos, word.xpos) for word in second]


def test_it_is_small_and_carries_no_training_text() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8 * 2**20
    strings = json.loads((FOLDER / "vocab" / "strings.json").read_text(encoding="utf-8"))
    assert len(strings) < 2500
    assert not {"পুরসভার", "সার্জেন্ট", "রপ্তানি", "মহানন্দ", "চাকলাপাড়ার"} & set(strings)


def test_the_card_states_the_figures() -> None:
    figures = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    for name in ("xpos", "upos", "features"):
        assert f"{100 * figures['held-out'][name]['accuracy']:.1f}" in card
    assert figures["held-out"]["xpos"]["accuracy"] > figures["held-out"]["baseline_xpos"]["accuracy"] + 0.03


def test_the_stated_accuracy_is_measured_again(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TRAINING))
    measure: Any = __import__("measure")
    loaded = [name for name in ("sources", "examples", "tagset", "measure", "train") if name in sys.modules]
    try:
        if not (mirror / "bengali" / "pos_bnlp").is_dir():
            pytest.skip("the mirror has no Bengali part-of-speech data")
        nlp = measure.spacy.load(FOLDER)
        sentences = measure.part_of_speech(mirror / "bengali")
        parts = {part: [sentence for sentence in sentences if sentence.part == part] for part in ("train", "development", "held-out")}
        keys = {part: {sentence.key for sentence in found} for part, found in parts.items()}
        assert not keys["held-out"] & (keys["train"] | keys["development"])
        known = measure.usual(parts["train"], lambda token: token.tag)
        found = measure.tags(nlp, [sentence.tokens for sentence in parts["held-out"]], known)
        lemmas = measure.lemma_figures(nlp, mirror / "bengali")
        measure.as_posts_are(parts["held-out"][0].tokens, random.Random(0))
    finally:
        for name in loaded:
            sys.modules.pop(name, None)
    figures = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
    for name, value in figures["held-out"].items():
        assert found[name]["accuracy"] == pytest.approx(value["accuracy"], abs=0.002)
    assert lemmas["lemma"]["accuracy"] == pytest.approx(figures["isi test"]["lemma"]["accuracy"], abs=0.002)
