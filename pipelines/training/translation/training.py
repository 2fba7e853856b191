"""The training of one recipe: label smoothing, Adam with an inverse square root rate, averaged weights, checkpoints to go on from."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from sacrebleu import corpus_bleu
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import MarianMTModel, PreTrainedTokenizerFast

from pipelines.training.translation import checkpoint, material
from pipelines.training.translation.architecture import untrained
from pipelines.training.translation.back_translation import back_translated
from pipelines.training.translation.batches import Batch, batch
from pipelines.training.translation.decoding import greedy
from pipelines.training.translation.pairs import Pair, fraction
from pipelines.training.translation.recipes import RECIPES, Recipe

Report = Callable[[str], None]
SMOOTHING = 0.1
DECAY = 0.999
"""Weight of the past in the average of the weights; it reaches back about a thousand updates."""
SAVED_EVERY = 300.0
"""Seconds between checkpoints."""
WATCHED_EVERY = 500
"""Updates between two looks at held-out sentences."""


def rate_at(update: int, recipe: Recipe) -> float:
    """The learning rate: a straight rise, then a fall with the square root of the updates."""
    return recipe.rate * min((update + 1) / recipe.warm_up, (recipe.warm_up / (update + 1)) ** 0.5)


def loss_of(model: MarianMTModel, one: Batch) -> Tensor:
    """Mean smoothed cross-entropy by target token; matrix products in bfloat16, which AVX-512 doubles the speed of."""
    previous = model.prepare_decoder_input_ids_from_labels(one.labels)
    with torch.autocast(one.source.device.type, torch.bfloat16):
        logits = model(input_ids=one.source, attention_mask=one.mask, decoder_input_ids=previous, use_cache=False).logits
    return cross_entropy(logits.float().flatten(0, 1), one.labels.flatten(), ignore_index=-100, label_smoothing=SMOOTHING)


def train(name: str, mirror: Path, out: Path, report: Report, device: str = "cpu") -> Path:
    """Train until the recipe's last round, from the last checkpoint if there is one; gives the folder of the averaged float32 weights."""
    recipe, folder = RECIPES[name], out / name
    folder.mkdir(parents=True, exist_ok=True)
    found = material.parallel(recipe, mirror)
    tokenizer = material.tokenizer_of(recipe, found, out)
    parts = {key: material.directed(recipe, [pair for pair in all_ if fraction(pair) < recipe.share]) for key, all_ in found.items()}
    others = {key: material.directed(recipe, [pair for pair in all_ if fraction(pair) >= recipe.share]) for key, all_ in found.items()}
    synthetic = back_translated(recipe.back_translated, others, out, report, device) if recipe.back_translated else {}
    collected, further = ({key: material.identified(tokenizer, pairs) for key, pairs in text.items()} for text in (parts, synthetic))
    report(f"{name}: " + ", ".join(f"{len(pairs)} pairs of {key}" for key, pairs in (*parts.items(), *synthetic.items())))

    torch.manual_seed(recipe.seed)
    model = untrained(recipe.shape, tokenizer, recipe.dropout).train().to(device)
    model.set_attn_implementation("eager")  # the fused backward of torch is slower than plain products in bfloat16
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate, betas=(0.9, 0.98), eps=1e-9, fused=True)
    progress = checkpoint.resume(folder / "checkpoint.pt", model, average, optimizer)
    report(f"{sum(weight.numel() for weight in model.parameters())} weights, {progress.updates} updates done")

    watched = material.held_out(recipe, mirror)[: material.WATCHED]
    began, before, saved = time.process_time(), progress.seconds, time.monotonic()
    recent: list[float] = []
    while progress.round < recipe.rounds:
        for position, pairs in enumerate(material.round_of(recipe, collected, further, progress.round)):
            if position < progress.position:
                continue
            # the noise of an update depends on its number alone: an interrupted training goes on as if it had not been
            torch.manual_seed(recipe.seed * 10_000_000 + progress.updates)
            for group in optimizer.param_groups:
                group["lr"] = rate_at(progress.updates, recipe)
            one = batch(pairs, tokenizer.pad_token_id).to(device)
            loss = loss_of(model, one)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(model)
            recent.append(loss.item())
            progress.updates += 1
            progress.position += 1
            progress.tokens += int((one.labels != -100).sum())
            progress.seconds = before + time.process_time() - began
            if progress.updates % WATCHED_EVERY == 0:
                report(watch(average.module, tokenizer, watched, progress, recent))
                recent.clear()
            if time.monotonic() - saved > SAVED_EVERY:
                checkpoint.save(folder / "checkpoint.pt", progress, model, average, optimizer)
                saved = time.monotonic()
        progress.round, progress.position = progress.round + 1, 0
    report(watch(average.module, tokenizer, watched, progress, recent))
    checkpoint.save(folder / "checkpoint.pt", progress, model, average, optimizer)
    return write(average.module, tokenizer, folder / "model")


def watch(
    model: MarianMTModel, tokenizer: PreTrainedTokenizerFast, watched: list[Pair], progress: checkpoint.Progress, losses: list[float]
) -> str:
    """BLEU of greedy translations of the watched sentences by the averaged weights, kept in the history and told in a line."""
    outputs = greedy(model, tokenizer, [source for source, _ in watched])
    bleu = corpus_bleu(outputs, [[target for _, target in watched]]).score
    loss = sum(losses) / max(len(losses), 1)
    progress.history.append(
        {"updates": progress.updates, "bleu": round(bleu, 2), "loss": round(loss, 4), "seconds": round(progress.seconds)}
    )
    speed = progress.tokens / max(progress.seconds, 1.0)
    return (
        f"round {progress.round} update {progress.updates} loss {loss:.3f} BLEU {bleu:.1f} "
        f"({progress.tokens} tokens, {progress.seconds:.0f} CPU-s, {speed:.0f} tokens/CPU-s)  {outputs[0]}"
    )


def write(model: MarianMTModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    """The weights, configuration and tokenizer as any user of the library loads them."""
    model.set_attn_implementation("sdpa")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
