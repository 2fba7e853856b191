"""A small GPT-2 that learns the language of `agreement_language` from fresh sentences, and the proof that it has learnt to agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from workbench.evaluation.agreement_language import sentence
from workbench.evaluation.agreement_words import END, IDS, PAD, START, VOCABULARY
from workbench.evaluation.pairs import Pair, prompts

#: Positions that the model has; the longest sentence of the language is shorter.
POSITIONS = 32
WARM_UP = 50
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2 and its training: layers, width, heads, steps of `batch` sentences, AdamW's learning rate and weight decay.

    `softer` divides the attention scores of layer l (from 0) by l + 1, GPT-2's own option `scale_attn_by_inverse_layer_idx`. Without it
    small models learn, in some seeds, to tell the number by where they attend (see `frozen_attention`).
    """

    layers: int = 4
    width: int = 64
    heads: int = 4
    steps: int = 600
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    softer: bool = True


def small_gpt2(shape: Shape) -> GPT2LMHeadModel:
    """GPT-2 with learned positions and without dropout, for the small vocabulary."""
    config = GPT2Config(
        vocab_size=len(VOCABULARY), n_positions=POSITIONS, n_embd=shape.width, n_layer=shape.layers, n_head=shape.heads,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False,
        scale_attn_by_inverse_layer_idx=shape.softer,
        bos_token_id=IDS[START], eos_token_id=IDS[END], pad_token_id=IDS[PAD],
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def train(seed: int, shape: Shape | None = None) -> GPT2LMHeadModel:
    """A model trained on sentences drawn afresh for each step; the caller's random state is left as it was."""
    shape = shape or Shape()
    random = np.random.default_rng([seed, 0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: GPT2LMHeadModel = small_gpt2(shape).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, weight_decay=shape.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / WARM_UP))
    for _ in range(shape.steps):
        ids = padded([sentence(random) for _ in range(shape.batch)])
        real = ids != IDS[PAD]  # padding stands on the right, where causal attention never looks: all may take part
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, :-1]
        expected = ids.masked_fill(~real, IGNORED)[:, 1:]
        loss = functional.cross_entropy(logits.flatten(0, 1), expected.flatten(), ignore_index=IGNORED)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.requires_grad_(False)
    return model.eval()  # type: ignore[no-any-return, no-untyped-call]


def padded(sentences: Sequence[Sequence[int]]) -> Tensor:
    """Token numbers `(sentence, token)`, padded on the right."""
    length = max(map(len, sentences))
    return torch.tensor([[*words, *[IDS[PAD]] * (length - len(words))] for words in sentences])


@torch.inference_mode()
def accuracy(model: GPT2LMHeadModel, pairs: Sequence[Pair]) -> float:
    """Share of prompts, clean and corrupted, after which the right answer is likelier than the other one."""
    right = 0
    for group in prompts(pairs):
        for ids, sign in ((group.clean, 1), (group.corrupted, -1)):
            differences = group.difference(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits)
            right += int((sign * differences > 0).sum())
    return right / (2 * len(pairs))
