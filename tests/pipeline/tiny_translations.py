"""A tiny Marian with random weights and a small parallel corpus: translated, explained and kept in a second."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast

FRENCH = ("le", "chat", "dort", "noir", "petit", "chien", "mange", "est", "un", "pas")
ENGLISH = ("the", "cat", "sleeps", "black", "small", "dog", "eats", "is", "a", "not")
PIECES = ("</s>", "<unk>", "<pad>", *FRENCH, *ENGLISH, ".")


def save_translator(folder: Path, *, seed: int = 3, source: str = "fr", target: str = "en", window: int = 16) -> Path:
    """A random Marian as `save_pretrained` leaves it."""
    torch.manual_seed(seed)
    config = MarianConfig(
        vocab_size=len(PIECES), max_position_embeddings=window, scale_embedding=True, init_std=0.6, d_model=16, encoder_layers=1,
        decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, eos_token_id=0,
        forced_eos_token_id=0, pad_token_id=2, decoder_start_token_id=2,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    tokenizer(source=source, target=target, window=window).save_pretrained(folder)
    return folder


def tokenizer(*more: str, source: str = "fr", target: str = "en", window: int = 64) -> PreTrainedTokenizerFast:
    """Words of both languages, and further pieces."""
    plain = Tokenizer(models.WordLevel({word: place for place, word in enumerate((*PIECES, *more))}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    marks = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=plain, model_max_length=window, source_lang=source, target_lang=target, **marks)


def sentences(count: int) -> list[tuple[str, str]]:
    """French sentences and their English words, of different lengths, seeded."""
    generator = torch.Generator().manual_seed(count)
    chosen = [
        torch.randint(0, len(FRENCH), (int(length),), generator=generator).tolist()
        for length in torch.randint(2, 8, (count,), generator=generator)
    ]
    return [(" ".join([*(FRENCH[word] for word in words), "."]), " ".join([*(ENGLISH[word] for word in words), "."])) for words in chosen]


def save_corpus(folder: Path, rows: list[tuple[str, str]], *, source: str = "fr", name: str = "tiny-sentences") -> Path:
    """A corpus of two files, one sentence a line."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    for language, side in ((source, 0), ("en", 1)):
        (place / f"lines.{language}").write_text("".join(f"{row[side]}\n" for row in rows), "utf-8")
    declared = f"""
name = "{name}"
title = "tiny"
language = "mul"
licence = "CC0-1.0"
reader = "parallel_languages"
[source]
text = "made up"
[[source.files]]
path = "lines.{source}"
language = "{source}"
[[source.files]]
path = "lines.en"
language = "en"
[fields]
segments = {{ source = "source", reference = "reference" }}
metadata = ["languages"]
"""
    (place / "corpus.toml").write_text(declared, "utf-8")
    return folder
