"""A small classifier of documents by their label, trained here: words between blanks, two layers, mean and maximum over the states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch.nn import functional
from transformers import BertConfig, PreTrainedTokenizerFast

from workbench import fingerprint
from workbench.document import Document
from workbench.errors import InputError
from workbench.models.classifier import Classifier
from workbench.models.encode import encode
from workbench.models.ensemble import Ensemble
from workbench.models.pooled import PooledClassifier, PooledClassifierConfig

PADDING, UNKNOWN = "[PAD]", "[UNK]"


@dataclass(frozen=True, slots=True)
class Shape:
    """The classifier and its training: tokens that it sees, words met as often as this, width, passes over batches of a size, step size."""

    window: int = 1024
    least: int = 3
    width: int = 64
    epochs: int = 8
    batch: int = 16
    learning_rate: float = 1e-3


def train(documents: Sequence[Document], seed: int = 0, shape: Shape | None = None) -> Ensemble:
    """An ensemble of one classifier of these documents' labels; the caller's random state is left as it was.

    Raises InputError for documents of fewer than two labels.
    """
    shape = shape or Shape()
    labels = sorted({document.label for document in documents if document.label is not None})
    if len(labels) < 2:
        raise InputError("train a classifier of documents", f"labels {', '.join(labels) or 'none'}", "give documents of two labels")
    tokenizer = words_of(documents, shape.least)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = drawn(len(tokenizer), len(labels), shape).train()
        fit(model, tokenizer, documents, labels, seed, shape)
    model.eval().requires_grad_(False)
    content = fingerprint.of_json([seed, labels, [document.identifier for document in documents]])
    known = Classifier(f"trained-here-{seed}", model, tokenizer, tuple(labels), shape.window, "float32", content, f"blanks@{content[:12]}")
    return Ensemble(known.name, (known,))


def words_of(documents: Sequence[Document], least: int) -> PreTrainedTokenizerFast:
    """A tokenizer of the words that stand in the documents so often."""
    counts = Counter(word for document in documents for word in document.segments["text"].split())
    known = [PADDING, UNKNOWN, *sorted(word for word, count in counts.items() if count >= least)]
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(known)}, unk_token=UNKNOWN))
    words.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token=PADDING, unk_token=UNKNOWN)  # type: ignore[no-untyped-call]


def drawn(vocabulary: int, labels: int, shape: Shape) -> PooledClassifier:
    """A model with fresh weights."""
    backbone = BertConfig(
        vocab_size=vocabulary, hidden_size=shape.width, num_hidden_layers=2, num_attention_heads=2, intermediate_size=2 * shape.width,
        max_position_embeddings=shape.window, pad_token_id=0,
    )  # fmt: skip
    return PooledClassifier(PooledClassifierConfig(backbone, num_labels=labels))


def fit(
    model: PooledClassifier,
    tokenizer: PreTrainedTokenizerFast,
    documents: Sequence[Document],
    labels: Sequence[str],
    seed: int,
    shape: Shape,
) -> None:
    """Trains on all documents that have a label, cut at the window."""
    labelled = [document for document in documents if document.label is not None]
    texts = [torch.tensor(encode(tokenizer, document.segments["text"], shape.window).ids) for document in labelled]
    truth = torch.tensor([labels.index(str(document.label)) for document in labelled])
    optimiser = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, weight_decay=0.01)
    steps = shape.epochs * -(-len(texts) // shape.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, shape.learning_rate, total_steps=steps)
    random = np.random.default_rng(seed)
    for _ in range(shape.epochs):
        for chosen in shuffled([len(text) for text in texts], shape.batch, random):
            ids = torch.nn.utils.rnn.pad_sequence([texts[place] for place in chosen], batch_first=True)
            logits = model(input_ids=ids, attention_mask=(ids != 0).long()).logits
            loss = functional.cross_entropy(logits, truth[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()


def shuffled(lengths: Sequence[int], size: int, random: np.random.Generator) -> Iterator[list[int]]:
    """Batches of places with texts of about one length, in random order."""
    jittered = np.array(lengths) + random.uniform(0, 50, len(lengths))
    order = np.argsort(jittered)
    batches = [order[start : start + size].tolist() for start in range(0, len(order), size)]
    for place in random.permutation(len(batches)):
        yield batches[place]
