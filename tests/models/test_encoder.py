"""Sentence encoders load unmodified from their own layout; anything else is one clear error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from workbench.attribution.factors import factors
from workbench.errors import ModelError
from workbench.models.encode import encode
from workbench.models.encoder import load_encoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "heart", "beats", "slowly", "stops"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny sentence encoder as `SentenceTransformer.save` leaves it."""
    place = tmp_path_factory.mktemp("encoder")
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=16
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=16
    )
    BertModel(config).save_pretrained(place / "bert")
    tokenizer.save_pretrained(place / "bert")
    SentenceTransformer(modules=[Transformer(str(place / "bert")), Pooling(32), Normalize()]).save(str(place / "saved"))
    return place / "saved"


def test_an_encoder_gives_its_own_embedding_and_factors_that_sum_to_it(folder: Path) -> None:
    encoder = load_encoder(str(folder))
    assert (encoder.name, encoder.window, encoder.dimension) == ("saved", 16, 32)
    texts = ["the heart beats slowly", "the heart stops"]
    found = factors(encoder.module, [encode(encoder.tokenizer, text, encoder.window) for text in texts])
    own = SentenceTransformer(str(folder), device="cpu").encode(texts)
    for one, embedding in zip(found, own, strict=True):
        assert one.gap < 1e-5
        assert one.embedding == pytest.approx(embedding, abs=1e-6)
    assert encoder.fingerprint == load_encoder(str(folder)).fingerprint


def test_other_layouts_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no modules\.json"):
        load_encoder(str(folder.parent / "bert"))
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "modules.json").write_text("[{}]", "utf-8")
    with pytest.raises(ModelError, match=r"modules\.json that cannot be read"):
        load_encoder(str(broken))
    lost = Path(shutil.copytree(folder, tmp_path / "lost"))
    parts = json.loads((lost / "modules.json").read_text("utf-8"))
    shutil.rmtree(lost / next(part["path"] for part in parts if "Pooling" in part["type"]))
    with pytest.raises(ModelError, match="no folder 1_Pooling"):
        load_encoder(str(lost))
    with pytest.raises(ModelError, match="choose one of float32"):
        load_encoder(str(folder), precision="float8")
    with pytest.raises(ModelError, match="no such folder"):
        load_encoder("./nowhere")
