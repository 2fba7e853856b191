"""A tiny ensemble with random weights and a small corpus in a folder: the whole way in a second."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

from workbench.models.pooled import PooledClassifier, PooledClassifierConfig

LABELS = ["Personal", "Political", "Religious", "Geopolitical"]
WORDS = [
    "তুমি",
    "খুব",
    "খারাপ",
    "মানুষ",
    "নেতা",
    "চোর",
    "ভোট",
    "মসজিদ",
    "মন্দির",
    "ধর্ম",
    "দেশ",
    "সীমান্ত",
    "যুদ্ধ",
    "সব",
    "কথা",
    "মিথ্যা",
    "আর",
    "নয়",
    "আমরা",
    "জানি",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def posts(count: int) -> list[tuple[str, str]]:
    """Made-up posts of 2 to 9 words with a label each."""
    generator = torch.Generator().manual_seed(count)
    found = []
    for _ in range(count):
        length = int(torch.randint(2, 10, (1,), generator=generator))
        chosen = torch.randint(0, len(WORDS), (length,), generator=generator).tolist()
        found.append((" ".join(WORDS[index] for index in chosen) + "।", LABELS[chosen[0] % 4]))
    return found


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """A tokenizer by words or by characters."""
    pieces = [*WORDS, "।"] if kind == "words" else sorted({character for word in WORDS for character in word} | {"।"})
    vocabulary = {piece: index for index, piece in enumerate([*SPECIAL, *pieces])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.NFC()
    pattern = r"\s+|।" if kind == "words" else "."
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(pattern), "isolated")])
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=64, **names)


def save_ensemble(folder: Path) -> Path:
    """Writes an ensemble of two random members."""
    for seed, kind in enumerate(("words", "characters")):
        torch.manual_seed(seed)
        pieces = tokenizer(kind)
        backbone = BertConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=48,
            max_position_embeddings=64,
        )
        config = PooledClassifierConfig(backbone, id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)})
        PooledClassifier(config).eval().save_pretrained(folder / kind)
        pieces.save_pretrained(folder / kind)
    (folder / "ensemble.json").write_text(json.dumps({"name": "tiny", "members": ["words", "characters"], "labels": LABELS}))
    return folder


def save_corpus(folder: Path, texts: list[tuple[str, str]]) -> Path:
    """Writes a corpus folder with one JSONL file and its declaration."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"post-{index:04d}", "text": text, "label": label} for index, (text, label) in enumerate(texts)]
    (folder / "posts.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return folder
