"""The members of the ensemble: their shapes, their tokens, their two trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, PreTrainedTokenizerFast, set_seed

from pipelines.training.bengali_hate.baseline import Probabilities, out_of_fold
from pipelines.training.bengali_hate.collection import collect
from pipelines.training.bengali_hate.finetuning import finetune, targets
from pipelines.training.bengali_hate.masking import Report, pretrain
from pipelines.training.bengali_hate.posts import LABELS, Post, read_split
from pipelines.training.bengali_hate.start import embeddings
from pipelines.training.bengali_hate.subwords import MAKERS, SPECIAL
from workbench.models.pooled import PooledClassifier, PooledClassifierConfig


@dataclass(frozen=True)
class Shape:
    """What differs from member to member: vocabulary, layers, width, reach of co-occurrence, length of masked spans, passes, rate."""

    vocabulary: int
    layers: int
    width: int
    reach: int
    span: int
    pretraining: int
    finetuning: int
    rate: float


SHAPES = {
    "wordpiece": Shape(vocabulary=9000, layers=4, width=256, reach=3, span=1, pretraining=5, finetuning=3, rate=4e-4),
    "unigram": Shape(vocabulary=8000, layers=4, width=256, reach=3, span=1, pretraining=2, finetuning=3, rate=4e-4),
    "akshara": Shape(vocabulary=4000, layers=3, width=192, reach=5, span=3, pretraining=1, finetuning=7, rate=8e-4),
}


def configuration(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PooledClassifierConfig:
    """BERT with four heads and a feed-forward twice as wide as the states, under the pooled classifier."""
    backbone = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=4,
        intermediate_size=2 * shape.width,
        max_position_embeddings=int(tokenizer.model_max_length),
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    names = dict(enumerate(LABELS))
    return PooledClassifierConfig(backbone_config=backbone, id2label=names, label2id={name: index for index, name in names.items()})


def ids(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Token ids of each text, special tokens included, cut at the window."""
    return [list(sequence) for sequence in tokenizer(texts, truncation=True)["input_ids"]]


def begin(mirror: Path, member: str, seed: int, out: Path, report: Report) -> Path:
    """Tokenizer, singular-vector start and masked-language pretraining; writes a folder that fine-tunings of any seed start from."""
    shape = SHAPES[member]
    set_seed(seed)
    texts = collect(mirror)
    posts = [post.text for post in read_split(mirror, "train")]
    # The posts count three times more than other text, so that their words stay whole.
    tokenizer = MAKERS[member](texts + 3 * posts, shape.vocabulary)
    sequences = ids(tokenizer, texts)
    report(f"{member}: {len(texts)} texts, {sum(map(len, sequences))} tokens, vocabulary {len(tokenizer)}")
    model = PooledClassifier(configuration(shape, tokenizer))
    table = model.backbone.embeddings.word_embeddings.weight
    with torch.no_grad():
        table.copy_(embeddings(sequences, len(tokenizer), table.shape[1], shape.reach, seed))
    report("singular vectors in place")
    mask, padding = tokenizer.mask_token_id, tokenizer.pad_token_id
    pretrain(
        model.backbone, sequences, mask, padding, lowest=len(SPECIAL), span=shape.span, epochs=shape.pretraining, seed=seed, report=report
    )
    folder = out / f"{member}-start-{seed}"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def finish(mirror: Path, member: str, seed: int, start: Path, out: Path, report: Report) -> Path:
    """Fine-tune from a pretrained folder with this seed; writes float16 weights, configuration and tokenizer."""
    shape = SHAPES[member]
    set_seed(seed)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
    model = PooledClassifier.from_pretrained(start, dtype=torch.float32)
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    train, validation = read_split(mirror, "train"), read_split(mirror, "validation")
    wanted = targets([post.label for post in train], teacher(train, seed, out))
    best, score = finetune(
        model,
        (ids(tokenizer, texts(train)), wanted),
        (ids(tokenizer, texts(validation)), [post.label for post in validation]),
        mask=tokenizer.mask_token_id,
        padding=tokenizer.pad_token_id,
        epochs=shape.finetuning,
        rate=shape.rate,
        seed=seed,
        report=report,
    )
    report(f"{member} seed {seed}: best validation macro-F1 {score:.4f}")
    folder = out / f"{member}-{seed}"
    save(best, tokenizer, folder)
    return folder


def teacher(train: list[Post], seed: int, out: Path) -> Probabilities:
    """Out-of-fold probabilities of the baseline, computed once for a seed and kept beside the trained members."""
    kept = out / f"teacher-{seed}.npy"
    if not kept.exists():
        np.save(kept, out_of_fold(train, seed))
    return np.asarray(np.load(kept))


def texts(posts: list[Post]) -> list[str]:
    """The texts of posts."""
    return [post.text for post in posts]


def save(model: PooledClassifier, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write weights in float16 and a configuration that asks for float32, so that a plain load computes in full precision."""
    cast: Any = model
    cast.half().save_pretrained(folder)
    model.config.dtype = torch.float32
    model.config.save_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()  # who loads it decides what to do with a long text
    tokenizer.save_pretrained(folder)
