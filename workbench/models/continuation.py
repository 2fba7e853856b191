"""Language models that go on from a prompt: beam search over many prompts of about one length, up to the first line break."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from workbench.models.translation import BATCH, Progress, batches, ended, limit


@torch.no_grad()
def continuations(
    module: nn.Module, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[tuple[int, ...]], sources: Sequence[int], beams: int = 4,
    batch: int = BATCH, progress: Progress | None = None,
) -> list[tuple[int, ...]]:  # fmt: skip
    """What a decoder-only model says behind each prompt, as token identifiers, with the end token where it ends by itself.

    `sources` are numbers of source tokens, which limit the length as for translation models. A continuation ends in front of the first line
    break. `batch` prompts go together, those of about one length, padded on the left.
    """
    found: list[tuple[int, ...]] = [()] * len(prompts)
    done = 0
    for places in batches(sources, batch):  # of one batch all have one limit
        made = search(module, tokenizer, [prompts[place] for place in places], limit(sources[places[0]]), beams)
        for place, ids in zip(places, made, strict=True):
            found[place] = one_line(tokenizer, ids)
        done += len(places)
        if progress is not None:
            progress(done, len(prompts))
    return found


def search(
    module: nn.Module, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[tuple[int, ...]], tokens: int, beams: int
) -> list[tuple[int, ...]]:
    """Beam search over one batch; what stands behind each prompt."""
    end = int(tokenizer.eos_token_id)
    padding = end if tokenizer.pad_token_id is None else int(tokenizer.pad_token_id)
    longest = max(map(len, prompts))
    device = next(module.parameters()).device
    rows = torch.tensor([[*[padding] * (longest - len(ids)), *ids] for ids in prompts], device=device)
    mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts], device=device)
    outputs: Tensor = module.generate(  # type: ignore[operator]
        input_ids=rows, attention_mask=mask, num_beams=beams, do_sample=False, max_new_tokens=tokens, pad_token_id=padding, eos_token_id=end
    )
    return [ended(tuple(row[longest:]), end, padding) for row in outputs.tolist()]


def one_line(tokenizer: PreTrainedTokenizerBase, ids: tuple[int, ...]) -> tuple[int, ...]:
    """The identifiers in front of the first line break that stands behind something; all of them where there is none."""
    for count in range(1, len(ids) + 1):
        text = str(tokenizer.decode(list(ids[:count]), skip_special_tokens=True)).lstrip()
        if "\n" in text:
            return ids[: count - 1]
    return ids
