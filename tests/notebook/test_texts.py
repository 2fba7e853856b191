from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

import workbench
from workbench.errors import InputError
from workbench.models.ensemble import Ensemble
from workbench.notebook import Explained

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "on", "a", "mat"]
TEXTS = ["the cat sat on a mat", "a cat sat", "the mat !"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """Two small classifiers with weights by chance, as an ensemble in a folder."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]")
    fast.model_max_length = 32
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        config = BertConfig(vocab_size=len(VOCABULARY), max_position_embeddings=32, id2label={0: "home", 1: "away"}, **shape)
        BertForSequenceClassification(config).save_pretrained(folder / name)
        fast.save_pretrained(folder / name)
    (folder / "ensemble.json").write_text('{"name": "pair", "members": ["one", "two"], "labels": ["home", "away"]}', encoding="utf-8")
    return workbench.load(str(folder))


@pytest.fixture(scope="module")
def explained(model: Ensemble) -> list[Explained]:
    return workbench.explain(model, TEXTS)


def test_relevance_of_words_sums_to_the_tokens_of_the_ledger(explained: list[Explained]) -> None:
    assert [one.document.segments["text"] for one in explained] == TEXTS
    for one in explained:
        assert one.words["relevance"].sum() == pytest.approx(one.ledger.accounts["tokens"], abs=1e-5)
        assert one.ledger.relative_gap < 1e-4
        assert one.label in ("home", "away")


def test_words_have_their_place_in_the_text(explained: list[Explained]) -> None:
    words = explained[1].words.filter(kind="word")
    assert words["form"].to_list() == ["a", "cat", "sat"]
    assert [TEXTS[1][start:end] for start, end in words.select("char_start", "char_end").rows()] == ["a", "cat", "sat"]


def test_together_is_as_alone(model: Ensemble, explained: list[Explained]) -> None:
    alone = workbench.explain(model, [TEXTS[0]])[0]
    assert alone.words["relevance"].to_list() == pytest.approx(explained[0].words["relevance"].to_list(), abs=1e-6)


def test_an_explanation_shows_itself(explained: list[Explained]) -> None:
    page = workbench.heatmap(explained[0])
    assert page.startswith('<div class="workbench">')
    assert "cat" in page
    assert page._repr_html_() == explained[0]._repr_html_() == str(page)


def test_nothing_gives_nothing_and_a_text_without_words_is_refused(model: Ensemble) -> None:
    assert workbench.explain(model, []) == []
    with pytest.raises(InputError, match="no token"):
        workbench.explain(model, [" "])


def test_a_corpus_is_read_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    (tmp_path / "own.csv").write_text("text,label\nthe cat sat,home\n", encoding="utf-8")
    workbench.corpora.add(tmp_path / "own.csv", "own")
    (document,) = workbench.read("own")
    assert (document.segments["text"], document.label) == ("the cat sat", "home")
