"""Folders with tiny random models of every task, as a person's own would be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from torch import nn

from tests.pipeline import tiny

TEXTS = ("তুমি খুব খারাপ মানুষ।", "নেতা চোর, সব মিথ্যা কথা।")
SIZE = 26  # tokens of the tiny tokenizer
SPECIAL: dict[str, Any] = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
BERT: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "max_position_embeddings": 64,
    "vocab_size": SIZE, **SPECIAL,
}  # fmt: skip
LLAMA: dict[str, Any] = {**BERT, "num_key_value_heads": 1}
GPT2: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "vocab_size": SIZE, **SPECIAL}
BART: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64, "vocab_size": SIZE, "decoder_start_token_id": 2,
    "forced_eos_token_id": None, **SPECIAL,
}  # fmt: skip
T5: dict[str, Any] = {
    "d_model": 32, "d_kv": 16, "num_layers": 2, "num_heads": 2, "d_ff": 48, "vocab_size": SIZE, "decoder_start_token_id": 0,
    "pad_token_id": 0, "eos_token_id": 3,
}  # fmt: skip

#: Name → task, positions, and the model.
MODELS: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "bert": ("classification", "absolute", lambda: hf.BertForSequenceClassification(hf.BertConfig(**BERT, num_labels=3))),
    "tagger": ("token classification", "absolute", lambda: hf.ElectraForTokenClassification(hf.ElectraConfig(**BERT, num_labels=5))),
    "reader": ("question answering", "absolute", lambda: hf.RobertaForQuestionAnswering(hf.RobertaConfig(**BERT))),
    "gaps": ("gap filling", "absolute", lambda: hf.BertForMaskedLM(hf.BertConfig(**BERT))),
    "gpt2": ("continuation", "absolute", lambda: hf.GPT2LMHeadModel(hf.GPT2Config(**GPT2))),
    "llama": ("continuation", "rotary", lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA))),
    "llama-classifier": ("classification", "rotary", lambda: hf.LlamaForSequenceClassification(hf.LlamaConfig(**LLAMA))),
    "mixtral": (
        "continuation", "rotary",
        lambda: hf.MixtralForCausalLM(hf.MixtralConfig(**LLAMA, num_local_experts=4, num_experts_per_tok=2)),
    ),
    "bloom": (
        "continuation", "ALiBi",
        lambda: hf.BloomForCausalLM(hf.BloomConfig(hidden_size=32, n_layer=2, n_head=2, vocab_size=SIZE, **SPECIAL)),
    ),
    "mamba": (
        "continuation", "order of the scan",
        lambda: hf.MambaForCausalLM(hf.MambaConfig(hidden_size=32, num_hidden_layers=2, vocab_size=SIZE, state_size=4, **SPECIAL)),
    ),
    "t5": ("translation", "relative", lambda: hf.T5ForConditionalGeneration(hf.T5Config(**T5))),
    "bart": ("translation", "absolute", lambda: hf.BartForConditionalGeneration(hf.BartConfig(**BART))),
    "marian": ("translation", "sinusoidal", lambda: hf.MarianMTModel(hf.MarianConfig(**BART))),
    "bart-classifier": ("classification", "absolute", lambda: hf.BartForSequenceClassification(hf.BartConfig(**BART, num_labels=3))),
    "encoder": ("encoder", "absolute", lambda: hf.BertModel(hf.BertConfig(**BERT))),
    "deberta": (
        "classification", "absolute, disentangled",
        lambda: hf.DebertaV2ForSequenceClassification(
            hf.DebertaV2Config(**BERT, relative_attention=True, pos_att_type=["p2c", "c2p"], max_relative_positions=32)
        ),
    ),
}  # fmt: skip


def save(name: str, folder: Path) -> Path:
    """Writes a model and its tokenizer."""
    torch.manual_seed(len(name))
    module = MODELS[name][2]().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3.0)
    module.save_pretrained(folder / name)
    tiny.tokenizer("words").save_pretrained(folder / name)
    return folder / name


def save_sentences(folder: Path, pooling: str) -> Path:
    """Writes an encoder as sentence-transformers does."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    encoder = Transformer(str(save("encoder", folder)))
    SentenceTransformer(modules=[encoder, Pooling(32, pooling)], device="cpu").save(str(folder / pooling))
    return folder / pooling


class Sine(nn.Module):
    """An activation without a rule."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)
