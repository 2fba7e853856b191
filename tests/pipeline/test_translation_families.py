"""Every family of translation models from corpus to store, with its own tokenizer: codes of languages, instructions, prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from pydantic import ValidationError

from tests.models import sentencepiece_repositories as repositories
from tests.pipeline import tiny_translations as tiny
from workbench.errors import ModelError
from workbench.models.model import load_model
from workbench.models.translation import limit, load_translator, translate
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.run import Summary, run
from workbench.pipeline.translation.prompt import Prompt
from workbench.store import Store, verify

ROWS = tiny.sentences(4)
LETTERS = "abcdefghijklmnopqrstuvwxyz.:"
PLAIN = {"vocab": {piece: place for place, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS])}, "merges": []}
SCORED = [(piece, 0.0 if place < 3 else -1.0 - place / 100) for place, piece in enumerate(["<pad>", "</s>", "<unk>", "▁", *LETTERS])]
SEQ2SEQ: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "init_std": 0.5, "max_position_embeddings": 96, "bos_token_id": 0, "pad_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 2,
}  # fmt: skip
T5: dict[str, Any] = {
    "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 0, "initializer_factor": 0.5,
}  # fmt: skip
MULTILINGUAL = {"codes": {"fr": "fra_Latn", "en": "eng_Latn"}}
FIFTY = {"codes": {"fr": "fr_XX", "en": "en_XX"}}
INSTRUCTED = {"prompt": "translate {from} to {into}: {source}", "codes": {"fr": "french", "en": "english"}}
CONTINUED = {"prompt": "le: {source} the:"}


def nllb(place: Path) -> None:
    tokenizer = hf.NllbTokenizer(**PLAIN, model_max_length=96)
    hf.M2M100ForConditionalGeneration(hf.M2M100Config(vocab_size=len(tokenizer), scale_embedding=True, **SEQ2SEQ)).save_pretrained(place)
    tokenizer.save_pretrained(place)


def mbart(place: Path) -> None:
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), *((letter, -2.0) for letter in LETTERS)]
    tokenizer = hf.MBart50Tokenizer(vocab=pieces, model_max_length=96)
    hf.MBartForConditionalGeneration(hf.MBartConfig(vocab_size=len(tokenizer), scale_embedding=True, **SEQ2SEQ)).save_pretrained(place)
    tokenizer.save_pretrained(place)


def t5(place: Path, model: type[Any] = hf.T5ForConditionalGeneration, **config: Any) -> None:
    tokenizer = hf.T5Tokenizer(vocab=SCORED, extra_ids=0, model_max_length=96)
    kind = model.config_class
    model(kind(vocab_size=len(tokenizer), **T5, **config)).save_pretrained(place)
    tokenizer.save_pretrained(place)


def mt5(place: Path) -> None:
    t5(place, hf.MT5ForConditionalGeneration, feed_forward_proj="gated-gelu", tie_word_embeddings=False)


def several(place: Path) -> None:
    repositories.save_marian(place, codes=("fra", "eng"))


def m2m(place: Path) -> None:
    repositories.save_m2m(place)


def llama(place: Path) -> None:
    tokenizer = tiny.tokenizer(":")
    config = hf.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, initializer_range=0.5,
        max_position_embeddings=64, eos_token_id=0, pad_token_id=2, bos_token_id=0,
    )  # fmt: skip
    hf.LlamaForCausalLM(config).save_pretrained(place)
    tokenizer.save_pretrained(place)


FAMILIES: dict[str, tuple[Callable[[Path], None], dict[str, Any], str]] = {
    "NLLB": (nllb, MULTILINGUAL, "NLLB/fra_Latn-eng_Latn"),
    "mBART": (mbart, FIFTY, "mBART/fr_XX-en_XX"),
    "T5": (t5, INSTRUCTED, "T5/fr-en"),
    "mT5": (mt5, INSTRUCTED, "mT5/fr-en"),
    "opus": (several, {"codes": {"en": "eng"}}, "opus/fr-eng"),
    "M2M": (m2m, {}, "M2M/fr-en"),
    "Llama": (llama, CONTINUED, "Llama"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("families")


def place_of(folder: Path, family: str) -> Path:
    """A tiny random model of the family as `save_pretrained` leaves it, made once."""
    place = folder / family
    if not place.is_dir():
        torch.manual_seed(7)
        FAMILIES[family][0](place)
    return place


def declared(place: Path, **choice: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "family",
            "corpus": {"name": "tiny-sentences"},
            "model": {"name": str(place)},
            "translation": {"beams": 2, "prefix": ["output", "reference"], **choice},
            "annotation": {"pipeline": "blank:xx"},
        }
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny.save_corpus(tmp_path / "corpora", ROWS)))
    return tmp_path / "t.duckdb"


def ran(folder: Path, family: str, store: Path, **choice: Any) -> Summary:
    return run(declared(place_of(folder, family), **FAMILIES[family][1] | choice), store)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_from_corpus_to_store(family: str, folder: Path, store: Path) -> None:
    summary = ran(folder, family, store)
    assert (summary.explained, summary.failed, summary.open_ledgers) == (4, 0, 0)
    assert verify(store).clean, str(verify(store))
    with Store.open(store) as opened:
        found = opened.sql("SELECT DISTINCT model, role FROM translations ORDER BY role")
        name = FAMILIES[family][2]
        assert found.rows() == [(name, f"hypothesis:{name}"), (name, "reference")]
        assert opened.sql("SELECT max(value) FROM qualities WHERE metric = 'logit_difference'").item() < 1e-4
        read = opened.sql(
            """SELECT s.role, s.text, string_agg(s.text[t.char_start + 1 : t.char_end], '' ORDER BY t.token) AS read
               FROM segments s JOIN tokens t USING (document, role)
               WHERE s.role IN ('source', 'reference') AND t.piece <> '▁' GROUP BY ALL"""
        )
        assert len(read) == 8
        assert all(text.replace(" ", "") == tokens for _, text, tokens in read.iter_rows())
        sums = opened.sql("SELECT target_value, source + prefix + beginning + positions + biases + softmax + nonlinear AS parts FROM steps")
        assert ((sums["target_value"] - sums["parts"]).abs() / sums["target_value"].abs().clip(lower_bound=1)).max() < 1e-4


def test_what_a_multilingual_model_says_is_in_the_language_asked_for(folder: Path, store: Path) -> None:
    ran(folder, "NLLB", store)
    own = load_translator(str(place_of(folder, "NLLB")), source_language="fra_Latn", target_language="eng_Latn")
    with Store.open(store) as opened:
        said = opened.sql("SELECT text FROM translations WHERE role <> 'reference' ORDER BY identifier")["text"].to_list()
        assert said == [text.strip() for text in translate(own, [source for source, _ in ROWS], beams=2)]
        begins = opened.sql("SELECT piece FROM tokens WHERE role = 'reference' AND token = 0")["piece"].unique().to_list()
        assert begins == ["▁"]  # the language's code is given, and no step


def test_a_language_without_a_code_is_recorded(folder: Path, store: Path) -> None:
    summary = ran(folder, "NLLB", store, codes={"en": "eng_Latn"}, prefix="output")
    assert (summary.explained, summary.failed) == (0, 4)
    with Store.open(store) as opened:
        (error,) = opened.sql("SELECT DISTINCT error FROM kept.failure")["error"].to_list()
    assert "no code for fr among the model's" in error
    assert '[translation.codes]: fr = "…"' in error


def test_tokens_of_an_instruction_are_special(folder: Path, store: Path) -> None:
    ran(folder, "T5", store, prefix="output")
    with Store.open(store) as opened:
        tokens = opened.sql("SELECT piece, special FROM tokens WHERE role = 'source' AND document = 1 ORDER BY token")
    instruction = "".join(tokens.filter(tokens["special"])["piece"]).replace("▁", " ").strip()
    assert instruction == "translate french to english:</s>"


def test_a_decoder_goes_on_from_its_prompt_as_the_library_lets_it(folder: Path, store: Path) -> None:
    ran(folder, "Llama", store, prefix="output")
    model = load_model(str(place_of(folder, "Llama")))
    with Store.open(store) as opened:
        found = opened.sql("SELECT source_text, text FROM translations")
        for source, text in found.iter_rows():
            ids = model.tokenizer(Prompt(CONTINUED["prompt"]).around(source)[0])["input_ids"][:-1]  # without the end
            made = model.module.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                num_beams=2,
                do_sample=False,
                max_new_tokens=limit(len(source.split())),
            )[0, len(ids) :]
            assert text == model.tokenizer.decode(made, skip_special_tokens=True).strip()
        beginning = opened.sql("SELECT max(abs(beginning)) FROM steps").item()
        assert beginning > 0  # the prompt's own words


def test_a_decoder_alone_needs_a_prompt(folder: Path, store: Path) -> None:
    with pytest.raises(ModelError, match="with a prompt"):
        run(declared(place_of(folder, "Llama")), store)
    with pytest.raises(ValidationError, match=r"needs \{source\} once"):
        declared(place_of(folder, "Llama"), prompt="{source} {source}")
