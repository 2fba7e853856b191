"""Translation models: unmodified encoder-decoders load, translate in batches as they do one by one, and are refused in one clear error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    NllbTokenizer,
    PreTrainedTokenizerFast,
)

from workbench.errors import InputError, ModelError
from workbench.models.translation import Translator, generate, load_translator, source_of, target_of, translate

WORDS = ["</s>", "<unk>", "<pad>", "le", "chat", "dort", "the", "cat", "sleeps", "noir", "black", "."]
SIZES = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
WIDE = {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "d_model": 16}


def tokenizer_of(words: list[str]) -> PreTrainedTokenizerFast:
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    marks = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=plain, model_max_length=12, source_lang="fr", target_lang="en", **marks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Marian as `save_pretrained` leaves it."""
    place = tmp_path_factory.mktemp("translation") / "tiny"
    torch.manual_seed(3)
    special = {"eos_token_id": 0, "forced_eos_token_id": 0, "pad_token_id": 2, "decoder_start_token_id": 2}
    config = MarianConfig(vocab_size=len(WORDS), max_position_embeddings=16, scale_embedding=True, init_std=0.5, **SIZES, **WIDE, **special)
    MarianMTModel(config).save_pretrained(place)
    tokenizer_of(WORDS).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Translator:
    return load_translator(str(folder))


def test_a_folder_loads_as_it_is(folder: Path, tiny: Translator) -> None:
    assert type(tiny.module) is MarianMTModel
    assert (tiny.name, tiny.window, tiny.source_language, tiny.target_language, tiny.forced) == ("tiny", 12, "fr", "en", ())
    assert tiny.tokenizer_name.startswith("tiny@")
    assert tiny.module.config.scale_embedding
    assert not tiny.module.training
    again = load_translator(str(folder), source_language="fr", target_language="en")
    assert again.fingerprint == tiny.fingerprint
    assert load_translator(str(folder), precision="float64").fingerprint != tiny.fingerprint


@pytest.mark.parametrize("beams", [1, 4])
def test_sentences_are_translated_together_as_alone(tiny: Translator, beams: int) -> None:
    texts = ["le chat dort .", "chat", "le chat noir dort", "noir chat", "dort ."]
    told: list[tuple[int, int]] = []
    sources = [source_of(tiny, text) for text in texts]
    together = generate(tiny, sources, beams=beams, batch=3, progress=lambda done, total: told.append((done, total)))
    assert together == [generate(tiny, [source], beams=beams)[0] for source in sources]
    assert told == [(3, 5), (5, 5)]
    assert all(2 not in ids for ids in together)
    assert translate(tiny, texts, beams=beams) == tiny.tokenizer.batch_decode([list(ids) for ids in together], skip_special_tokens=True)
    assert translate(tiny, []) == []


def test_greedy_search_takes_the_likeliest_token(tiny: Translator) -> None:
    source = source_of(tiny, "le chat dort .")
    (ids,) = generate(tiny, [source], beams=1)
    decoder = torch.tensor([[2, *ids[:-1]]])
    logits = tiny.module(input_ids=torch.tensor([source.ids]), decoder_input_ids=decoder).logits[0]
    logits[:, 2] = -torch.inf  # padding is never generated
    assert logits.argmax(dim=-1).tolist()[: len(ids) - 1] == list(ids[:-1])


def test_what_cannot_be_translated_is_refused(tiny: Translator) -> None:
    for empty in ("", "  \n"):
        with pytest.raises(InputError, match="no token"):
            translate(tiny, ["le chat", empty])
    with pytest.raises(InputError, match="13 tokens, the model allows 12"):
        source_of(tiny, "le chat " * 6)
    with pytest.raises(InputError, match="encode a target for tiny"):
        target_of(tiny, "the cat " * 6)
    assert len(source_of(tiny, "le chat " * 5 + "dort")) == 12


def test_other_models_are_refused(folder: Path, tmp_path: Path) -> None:
    bert = tmp_path / "bert"
    small = BertConfig(vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    BertForMaskedLM(small).save_pretrained(bert)
    tokenizer_of(WORDS).save_pretrained(bert)
    with pytest.raises(ModelError, match="the architecture bert"):
        load_translator(str(bert))
    bare = Path(shutil.copytree(folder, tmp_path / "bare"))
    for path in bare.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError) as refused:
        load_translator(str(bare))
    assert "\n" not in refused.value.found
    classifier = tmp_path / "classifier"
    BartForSequenceClassification(BartConfig(vocab_size=12, max_position_embeddings=16, **SIZES, **WIDE)).save_pretrained(classifier)
    tokenizer_of(WORDS).save_pretrained(classifier)
    config = json.loads((classifier / "config.json").read_text("utf-8"))
    (classifier / "config.json").write_text(json.dumps(config | {"d_model": 24}), "utf-8")
    with pytest.raises(ModelError, match="weights of another shape"):
        load_translator(str(classifier))
    with pytest.raises(ModelError, match="choose one of float32"):
        load_translator(str(folder), precision="float8")
    with pytest.raises(ModelError, match="no such folder"):
        load_translator("./nowhere")
    with pytest.raises(ModelError, match="language 'de', the model translates fr to en"):
        load_translator(str(folder), source_language="de")


def test_more_pieces_than_embeddings_are_refused(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    tokenizer_of([*WORDS, "dog"]).save_pretrained(other)
    with pytest.raises(ModelError, match="a tokenizer of 13 pieces for 12 embeddings"):
        load_translator(str(other))


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model of many languages, with the codes of NLLB."""
    place = tmp_path_factory.mktemp("translation") / "many"
    letters = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"acehltops"]
    tokenizer = NllbTokenizer(vocab={piece: index for index, piece in enumerate(letters)}, merges=[], model_max_length=32)
    torch.manual_seed(0)
    special = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    config = M2M100Config(
        vocab_size=len(tokenizer), max_position_embeddings=32, scale_embedding=True, init_std=0.5, **SIZES, **WIDE, **special
    )
    M2M100ForConditionalGeneration(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def test_a_multilingual_model_wants_both_its_languages(multilingual: Path) -> None:
    with pytest.raises(ModelError, match="no source language"):
        load_translator(str(multilingual))
    with pytest.raises(ModelError, match="no target language"):
        load_translator(str(multilingual), source_language="fra_Latn")
    with pytest.raises(ModelError, match="the target language 'english'"):
        load_translator(str(multilingual), source_language="fra_Latn", target_language="english")


def test_a_multilingual_model_begins_with_the_target_language(multilingual: Path) -> None:
    many = load_translator(str(multilingual), source_language="fra_Latn", target_language="eng_Latn")
    code = many.tokenizer.convert_tokens_to_ids
    assert many.forced == (code("eng_Latn"),)
    source = source_of(many, "le chat")
    assert source.ids[0] == code("fra_Latn")
    target = target_of(many, "the cat")
    assert target.tokens[0] == "▁"
    assert target.tokens[-1] == "</s>"
    assert source_of(many, "le chat") == source  # the tokenizer reads sources again
    (ids,) = generate(many, [source], beams=2)
    assert ids[0] != code("eng_Latn")
    german = load_translator(str(multilingual), source_language="deu_Latn", target_language="eng_Latn")
    french = load_translator(str(multilingual), source_language="fra_Latn", target_language="deu_Latn")
    assert len({many.fingerprint, german.fingerprint, french.fingerprint}) == 3
