"""A small Marian that learns the task of `lexicon_task` from fresh sentences, and the proof that it has learnt it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import MarianConfig, MarianMTModel

from workbench.evaluation.lexicon_task import END, PAD, SIZE, Example, Lexicon, examples

IGNORED = -100
WARM_UP = 100
POSITIONS = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """A Marian and its training: layers of each half, width, heads, steps of `batch` sentences, AdamW's learning rate."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    steps: int = 1_400
    batch: int = 64
    learning_rate: float = 2e-3
    dropout: float = 0.0


def small_marian(shape: Shape) -> MarianMTModel:
    """Marian as released: norms behind the blocks, scaled embeddings shared by both halves and the output projection."""
    config = MarianConfig(
        vocab_size=SIZE, d_model=shape.width, encoder_layers=shape.layers, decoder_layers=shape.layers,
        encoder_attention_heads=shape.heads, decoder_attention_heads=shape.heads, encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width, max_position_embeddings=POSITIONS, scale_embedding=True, dropout=shape.dropout,
        attention_dropout=0.0, activation_function="relu", pad_token_id=PAD, eos_token_id=END, bos_token_id=None,
        decoder_start_token_id=PAD, forced_eos_token_id=None,
    )  # fmt: skip
    return MarianMTModel(config)


def train(words: Lexicon, seed: int, shape: Shape | None = None, tell: Callable[[int, int], None] | None = None) -> MarianMTModel:
    """A model trained on sentences drawn afresh for each step; the caller's random state is left as it was."""
    shape = shape or Shape()
    random = np.random.default_rng([seed, 0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: MarianMTModel = small_marian(shape).train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, shape.steps))
        for step in range(shape.steps):
            batch = examples(words, shape.batch, random)
            target = padded([one.target for one in batch])
            loss = functional.cross_entropy(
                logits(model, batch).flatten(0, 1), target.masked_fill(target == PAD, IGNORED).flatten(), ignore_index=IGNORED
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if tell is not None:
                tell(step + 1, shape.steps)
    model.requires_grad_(False)
    return model.eval()  # type: ignore[no-any-return, no-untyped-call]


def rate(step: int, steps: int) -> float:
    """The learning rate's course: up, then linearly down to a twentieth."""
    return min(1.0, (step + 1) / WARM_UP) * max(0.05, 1 - step / steps)


def logits(model: MarianMTModel, batch: Sequence[Example]) -> Tensor:
    """Teacher-forced logits `(sentence, target token, vocabulary)`."""
    source = padded([one.source for one in batch])
    decoder = padded([(PAD, *one.target[:-1]) for one in batch])
    found: Tensor = model(input_ids=source, attention_mask=(source != PAD).long(), decoder_input_ids=decoder, use_cache=False).logits
    return found


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Token numbers `(sentence, token)`, padded on the right."""
    length = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (length - len(row))] for row in rows])


@torch.inference_mode()
def accuracy(model: MarianMTModel, batch: Sequence[Example]) -> float:
    """Share of target tokens that are the likeliest after their prefix."""
    target = padded([one.target for one in batch])
    right = (logits(model, batch).argmax(-1) == target)[target != PAD]
    return float(right.double().mean())
