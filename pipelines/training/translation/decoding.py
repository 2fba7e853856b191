"""Quick translations while a model is being made: the likeliest next token, again and again."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from pipelines.training.translation.batches import padded
from pipelines.training.translation.subwords import WINDOW, ids


@torch.no_grad()
def greedy(model: Any, tokenizer: PreTrainedTokenizerFast, texts: list[str], size: int = 100) -> list[str]:
    """Translations of texts in their order; those of about one length are made together."""
    model.eval()
    rows = ids(tokenizer, texts)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    outputs = [""] * len(texts)
    for start in range(0, len(order), size):
        part = order[start : start + size]
        source = padded([rows[index] for index in part], tokenizer.pad_token_id)
        mask = (source != tokenizer.pad_token_id).long()
        found = model.generate(
            source.to(model.device), attention_mask=mask.to(model.device), num_beams=1, max_length=min(2 * source.shape[1] + 10, WINDOW)
        )
        for index, text in zip(part, tokenizer.batch_decode(found, skip_special_tokens=True), strict=True):
            outputs[index] = text
    return outputs
