"""The embedded ensemble: it loads by the hub's library alone, keeps Bengali whole, and is as accurate as its card says."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import regex
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import workbench.models.pooled  # registers the architecture

FOLDER = Path(workbench.models.pooled.__file__).parent / "embedded" / "bengali-hate"
ENSEMBLE = json.loads((FOLDER / "ensemble.json").read_text(encoding="utf-8"))
FIGURES = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
LABELS = ["Personal", "Political", "Religious", "Geopolitical"]
WORDS = ["মহারানী", "বাচ্চা", "সংগঠন", "শুয়োরের"]
AKSHARAS = {"মহারানী": ["ম", "হা", "রা", "নী"], "বাচ্চা": ["বা", "চ্চা"], "সংগঠন": ["সং", "গ", "ঠ", "ন"], "মন্ত্রী": ["ম", "ন্ত্রী"]}

each_member = pytest.mark.parametrize("member", ENSEMBLE["members"])


def load(member: str) -> tuple[Any, Any]:
    model = AutoModelForSequenceClassification.from_pretrained(FOLDER / member)
    return model.train(False), AutoTokenizer.from_pretrained(FOLDER / member)


def test_ensemble_has_three_members_and_the_four_labels() -> None:
    assert ENSEMBLE["name"] == "bengali-hate"
    assert ENSEMBLE["members"] == ["wordpiece", "unigram", "akshara"]
    assert ENSEMBLE["labels"] == LABELS


@each_member
def test_member_loads_in_float32_with_its_labels_from_small_float16_weights(member: str) -> None:
    model, tokenizer = load(member)
    assert model.dtype == torch.float32
    assert [model.config.id2label[index] for index in range(4)] == LABELS
    assert tokenizer.is_fast
    assert tokenizer.model_max_length == model.config.max_position_embeddings
    weights = FOLDER / member / "model.safetensors"
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert 2 * parameters <= weights.stat().st_size < 2 * parameters + 20_000  # two bytes a number
    assert weights.stat().st_size < 16_000_000
    assert not [path for path in (FOLDER / member).iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]


@each_member
def test_padding_does_not_change_the_logits(member: str) -> None:
    model, tokenizer = load(member)
    texts = ["রাজাকারদের মন্ত্রী বানানোর দায়ে", "ঢাকাতে মসজিদ ভেঙ্গে খেলার মাঠ করায় কঠিন হুংকার।", "বাচ্চা"]
    with torch.no_grad():
        together = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits
        alone = torch.cat([model(tokenizer(text, return_tensors="pt")["input_ids"]).logits for text in texts])
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=0)


@each_member
@pytest.mark.parametrize("word", WORDS)
def test_tokens_cover_every_sign_of_a_word(member: str, word: str) -> None:
    _, tokenizer = load(member)
    encoded = tokenizer(word, return_offsets_mapping=True)
    assert tokenizer.unk_token_id not in encoded["input_ids"]
    covered = "".join(word[start:end] for start, end in encoded["offset_mapping"])
    assert covered == word
    assert tokenizer.decode(encoded["input_ids"], skip_special_tokens=True) == word


@each_member
def test_offsets_lead_back_to_the_text_as_it_was_written(member: str) -> None:
    _, tokenizer = load(member)
    text = "  শু\u09dfোর,\t\tক\u200dষ  দায়ে\nবাচ্চা। "  # a precomposed letter, a joiner, tab and line break
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    covered = {place for start, end in offsets for place in range(start, end)}
    assert {place for place, character in enumerate(text) if not character.isspace()} <= covered
    # A letter that NFC takes apart belongs to each of its parts, so neighbours may share it, but none goes back.
    assert all(before[0] <= after[0] for before, after in itertools.pairwise(offsets[1:-1]))


@pytest.mark.skipif("akshara" not in ENSEMBLE["members"], reason="the syllable member is not embedded")
@pytest.mark.parametrize("word", AKSHARAS)
def test_syllables_keep_conjuncts_whole(word: str) -> None:
    _, tokenizer = load("akshara")
    assert tokenizer.convert_ids_to_tokens(tokenizer(word, add_special_tokens=False)["input_ids"]) == AKSHARAS[word]


def test_card_states_the_figures_and_the_missing_class() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    rows = [*FIGURES["members"].values(), *FIGURES["ensemble"].values(), FIGURES["baseline"]]
    for part in ("published", "clean"):
        table = regex.search(rf"\| {part} test \|.*?\n\n", card, regex.DOTALL)
        assert table is not None
        stated = regex.findall(r"\| (\d\.\d{3}) \| (\d\.\d{3}) / (\d\.\d{3}) / (\d\.\d{3}) / (\d\.\d{3}) \| (\d\.\d{3}) \|", table[0])
        names = ["macro_f1", *[f"f1_{label}" for label in LABELS], "accuracy"]
        assert stated == [tuple(f"{row[part][name]:.3f}" for name in names) for row in rows]
    assert 'There is no "not hate" class' in card
    assert "only for research purposes" in card


@pytest.mark.parametrize("part", ["published", "clean"])
@pytest.mark.parametrize("vote", ["majority", "mean_probability"])
def test_ensemble_beats_the_baseline(part: str, vote: str) -> None:
    assert FIGURES["ensemble"][vote][part]["macro_f1"] > FIGURES["baseline"][part]["macro_f1"]


def test_stated_accuracy_is_found_on_test_posts(mirror: Path) -> None:
    """Every fifth test post: within four standard errors of the stated accuracy, for each member and the mean probability."""
    from pipelines.training.bengali_hate.assembly import predicted
    from pipelines.training.bengali_hate.figures import mean_probability
    from pipelines.training.bengali_hate.posts import read_split

    posts = read_split(mirror, "test")
    assert len(posts) == FIGURES["posts"]["test"]
    some = posts[::5]
    answers = {member: predicted(FOLDER / member, some) for member in ENSEMBLE["members"]}
    truth = torch.tensor([post.label for post in some])
    found = {member: answer.argmax(axis=1) for member, answer in answers.items()}
    found["mean_probability"] = mean_probability(list(answers.values()))
    for name, labels in found.items():
        stated = {**FIGURES["members"], **FIGURES["ensemble"]}[name]["published"]["accuracy"]
        error = (stated * (1 - stated) / len(some)) ** 0.5
        assert abs(float((torch.from_numpy(labels) == truth).float().mean()) - stated) < 4 * error, name
