"""The classifier: lower-cased WordPiece, a small BERT with pooled states, masked-language start, fine-tuning on both corpora together."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor
from transformers import BertConfig, PreTrainedTokenizerFast, set_seed

from pipelines.training.bengali_hate.baseline import Probabilities, out_of_fold
from pipelines.training.bengali_hate.finetuning import finetune
from pipelines.training.bengali_hate.masking import Report, pretrain
from pipelines.training.bengali_hate.members import ids, save
from pipelines.training.bengali_hate.start import embeddings
from pipelines.training.bengali_hate.subwords import SPECIAL, finished
from pipelines.training.english_rationales.collection import collect, labelled_texts
from pipelines.training.english_rationales.posts import LABELS, Post, hatexplain, toxic_spans
from workbench.models.pooled import PooledClassifier, PooledClassifierConfig

VOCABULARY, WIDTH, LAYERS, WINDOW, REACH = 8000, 256, 4, 256, 3
PRETRAINING = 2
FIRST, SECOND = (1, 3e-4), (4, 1.5e-4)
"""Passes and learning rate of the two stages of fine-tuning."""
REPEATS = 4
"""HateXplain has 20 times fewer posts than the comments have sentences: each of its posts is seen four times in the first pass."""
TEACHER = 0.3


def subwords(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """WordPiece of lower-cased words without punctuation; accents stay."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.BertNormalizer(lowercase=True, strip_accents=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, min_frequency=3, special_tokens=SPECIAL, limit_alphabet=300, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return finished(tokenizer, WINDOW)


def configuration(tokenizer: PreTrainedTokenizerFast) -> PooledClassifierConfig:
    """BERT with four heads and a feed-forward twice as wide as the states, under the pooled classifier."""
    backbone = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=WINDOW,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    names = dict(enumerate(LABELS))
    return PooledClassifierConfig(backbone_config=backbone, id2label=names, label2id={name: index for index, name in names.items()})


def lowered(posts: list[Post]) -> list[Post]:
    """The posts in small letters, for the baseline: one of the two corpora comes so."""
    return [Post(post.text.lower(), post.label, post.toxic) for post in posts]


def wanted(posts: list[Post], teacher: Probabilities) -> Tensor:
    """What the model should answer (post label): 0.7 the annotators' shares, 0.3 the out-of-fold baseline."""
    shares = torch.tensor([[1 - post.toxic, post.toxic] for post in posts], dtype=torch.float64)
    return ((1 - TEACHER) * shares + TEACHER * torch.from_numpy(teacher)).float()


def begin(mirror: Path, seed: int, out: Path, report: Report) -> Path:
    """Tokenizer, singular-vector start and masked-language pretraining; writes a folder to fine-tune from."""
    set_seed(seed)
    texts = collect(mirror)
    # The labelled posts count three times more than other text, so that their words stay whole.
    tokenizer = subwords(texts + 3 * labelled_texts(), VOCABULARY)
    sequences = ids(tokenizer, texts)
    report(f"{len(texts)} texts, {sum(map(len, sequences))} tokens, vocabulary {len(tokenizer)}")
    model = PooledClassifier(configuration(tokenizer))
    table = model.backbone.embeddings.word_embeddings.weight
    with torch.no_grad():
        table.copy_(embeddings(sequences, len(tokenizer), WIDTH, REACH, seed))
    report("singular vectors in place")
    mask, padding = tokenizer.mask_token_id, tokenizer.pad_token_id
    pretrain(model.backbone, sequences, mask, padding, lowest=len(SPECIAL), span=1, epochs=PRETRAINING, seed=seed, report=report)
    folder = out / f"start-{seed}"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def finish(seed: int, start: Path, out: Path, report: Report) -> Path:
    """Fine-tune from a pretrained folder with this seed, in two stages; writes float16 weights, configuration and tokenizer."""
    set_seed(seed)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
    model = PooledClassifier.from_pretrained(start, dtype=torch.float32)
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    posts, comments = hatexplain("train"), toxic_spans("train")
    once = posts + comments
    teacher = out_of_fold(lowered(once), seed)  # type: ignore[arg-type]  # text and label are all it reads
    answers = wanted(once, teacher)
    sequences = ids(tokenizer, [post.text for post in once])
    judged = REPEATS * hatexplain("validation") + toxic_spans("validation")
    validation = ids(tokenizer, [post.text for post in judged]), [post.label for post in judged]
    report(f"{len(once)} labelled texts, teacher ready after {time.process_time():.0f} CPU-s")
    score = -1.0
    for order, epochs, rate in ((everything(posts, comments), *FIRST), (mostly_posts(posts, comments, seed), *SECOND)):
        model, score = finetune(
            model,
            ([sequences[index] for index in order], answers[order]),
            validation,
            mask=tokenizer.mask_token_id,
            padding=tokenizer.pad_token_id,
            epochs=epochs,
            rate=rate,
            seed=seed,
            report=report,
        )
    report(f"seed {seed}: validation macro-F1 {score:.4f}")
    folder = out / f"english-toxic-{seed}"
    save(model, tokenizer, folder)
    return folder


def everything(posts: list[Post], comments: list[Post]) -> list[int]:
    """What a pass of the first stage reads: all sentences once, all posts REPEATS times."""
    return [*range(len(posts))] * REPEATS + [*range(len(posts), len(posts) + len(comments))]


def mostly_posts(posts: list[Post], comments: list[Post], seed: int) -> list[int]:
    """What a pass of the second stage reads: normal posts three times and toxic ones twice (about as many), as many sentences as that."""
    repeated = [index for index, post in enumerate(posts) for _ in range(2 if post.label else 3)]
    chosen = np.random.default_rng(seed).choice(len(comments), min(len(comments), len(repeated)), replace=False)
    return repeated + [len(posts) + int(index) for index in chosen]
