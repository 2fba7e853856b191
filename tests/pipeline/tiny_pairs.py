"""A tiny sentence encoder with random weights, a corpus of pairs and one of queries and passages, in folders."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

WORDS = ["the", "heart", "beats", "slowly", "stops", "drug", "lowers", "raises", "pressure", "not", "does", "sleep", "a", "."]
LONG = "the heart beats slowly . the heart stops . a drug lowers the pressure . the pressure raises sleep ."
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def save_encoder(folder: Path, window: int = 12) -> Path:
    """An encoder of words as `SentenceTransformer.save` leaves it."""
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate([*SPECIAL, *WORDS])}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=window
    )
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=window,
    )  # fmt: skip
    module = BertModel(config)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3.0)
    module.save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    SentenceTransformer(modules=[Transformer(str(folder / "bert")), Pooling(32), Normalize()]).save(str(folder / "encoder"))
    return folder / "encoder"


def pairs(count: int) -> list[dict[str, str]]:
    """Made-up pairs of 2 to 7 words; every third pair repeats a text of another."""
    generator = torch.Generator().manual_seed(count)
    texts = [
        " ".join(WORDS[int(word)] for word in torch.randint(0, len(WORDS), (int(length),), generator=generator))
        for length in torch.randint(2, 8, (2 * count,), generator=generator)
    ]
    return [
        {"identifier": f"p{row:02}", "text_a": texts[2 * row] if row % 3 else texts[0], "text_b": texts[2 * row + 1]}
        for row in range(count)
    ]


def save_pairs(folder: Path, rows: list[dict[str, str]]) -> Path:
    """A corpus of pairs as a person writes it."""
    corpus(folder / "tiny-pairs", rows, '{ text_a = "text_a", text_b = "text_b" }')
    return folder


def save_search(folder: Path) -> Path:
    """Two queries that are judged against passages, one of which is longer than the encoder's window."""
    passages = [
        {
            "identifier": "heart",
            "text": "the heart beats slowly . the heart stops . a drug lowers the pressure . the pressure raises sleep .",
        },
        {"identifier": "sleep", "text": "sleep raises pressure ."},
        {"identifier": "drug", "text": "the drug does not stop ."},
    ]
    queries = [
        {"identifier": "q1", "text": "the heart stops", "judgements": [{"passage": "heart"}]},
        {"identifier": "q2", "text": "sleep lowers pressure", "judgements": [{"passage": "sleep"}]},
    ]
    corpus(folder / "tiny-passages", passages, '{ passage = "text" }')
    corpus(folder / "tiny-queries", queries, '{ query = "text" }', 'passages = "tiny-passages"', 'metadata = ["judgements"]')
    return folder


def corpus(folder: Path, rows: list[dict[str, object]] | list[dict[str, str]], segments: str, more: str = "", fields: str = "") -> None:
    """A corpus folder with its declaration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    declared = f"""
name = "{folder.name}"
title = "tiny"
language = "en"
licence = "CC0-1.0"
reader = "jsonl"
{more}
[source]
text = "made up"
[[source.files]]
path = "rows.jsonl"
[fields]
segments = {segments}
identifier = "identifier"
{fields}
"""
    (folder / "corpus.toml").write_text(declared, "utf-8")
