"""A tiny random Marian over a dozen words, that translates nothing but is asked like any other."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast

from workbench.models.translation import Translator, load_translator

WORDS = ["</s>", "<unk>", "<pad>", "le", "chat", "dort", "the", "cat", "sleeps", "noir", "black", "."]


def tiny_translator(folder: Path, window: int = 8) -> Translator:
    """The model, kept in and loaded from `folder`."""
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    torch.manual_seed(0)
    config = MarianConfig(
        vocab_size=len(WORDS), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=2 * window, scale_embedding=True, pad_token_id=2, eos_token_id=0,
        decoder_start_token_id=2, forced_eos_token_id=0,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    marks = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(tokenizer_object=plain, model_max_length=window, **marks).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return load_translator(str(folder))
