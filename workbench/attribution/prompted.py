"""Source and prefix contributions of a decoder-only model that translates from a prompt: two spans of one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from workbench.attribution.contributions import BUDGET, Contributions, assembled, held, readings, solver
from workbench.attribution.inputs import padding_of
from workbench.attribution.stepwise import StepInputs, Steps
from workbench.attribution.translations import in_batches, padded, vocabulary
from workbench.errors import PropagationError


@dataclass(frozen=True, slots=True)
class Prompted:
    """Token identifiers of a prompt, the span (start, end) of the source in it, and the generated target, every token of it a step."""

    prompt: tuple[int, ...]
    source: tuple[int, int]
    target: tuple[int, ...]


def prompted(
    module: nn.Module,
    translations: Sequence[Prompted],
    method: str = "attnlrp",
    target: str = "argmax",
    *,
    together: int = 16,
    budget: int = BUDGET,
) -> list[Contributions]:
    """Contributions of the source span and of the generated tokens; all else in the prompt is `beginning`.

    Methods, targets and the rest as for `contributions`, but for ALTI+. Raises PropagationError for what cannot be explained.
    """
    solve = solver(method, target)
    refuse(module, translations, method)
    lengths = [len(one.prompt) + len(one.target) - 1 for one in translations]
    answers: dict[int, Contributions] = {}
    for places in in_batches([(length, length) for length in lengths], together, budget, held(module, method)):
        chosen = [translations[place] for place in places]
        found = solve(module, prompted_inputs(module, chosen), budget)
        answers.update((place, cut(found, row, one, method, target)) for row, (place, one) in enumerate(zip(places, chosen, strict=True)))
    return [answers[place] for place in range(len(translations))]


def refuse(module: nn.Module, translations: Sequence[Prompted], method: str) -> None:
    """Raises PropagationError for a model that has an encoder, for ALTI+, or the first text that cannot be explained."""
    asked = f"explain what {type(module).__name__} generates from a prompt"
    if getattr(getattr(module, "config", None), "is_encoder_decoder", False):
        raise PropagationError(asked, "a model with an encoder", "use `contributions`")
    if method == "alti_plus":
        raise PropagationError(f"{asked} by alti_plus", "a model without an encoder", "use attnlrp")
    if not translations:
        raise PropagationError(asked, "no text", "give at least one")
    for number, one in enumerate(translations, start=1):
        problem = problem_of(module, one)
        if problem is not None:
            raise PropagationError(f"{asked} (number {number})", *problem)


def problem_of(module: nn.Module, one: Prompted) -> tuple[str, str] | None:
    """What is wrong with a text and what to do about it, None for one that can be explained."""
    start, end = one.source
    if not 0 <= start < end <= len(one.prompt):
        return f"the source span {start} to {end} in a prompt of {len(one.prompt)} tokens", "give a span inside the prompt"
    if not one.target:
        return "no generated token", "leave it out"
    limit, length = getattr(getattr(module, "config", None), "max_position_embeddings", None), len(one.prompt) + len(one.target) - 1
    if isinstance(limit, int) and length > limit:
        return f"a text of {length} tokens, the model allows {limit}", "shorten it or leave it out"
    size = vocabulary(module)
    outside = [token for token in (*one.prompt, *one.target) if not 0 <= token < size]
    return (f"the token {outside[0]}, the vocabulary has {size}", "use the model's own tokenizer") if outside else None


def prompted_inputs(module: nn.Module, texts: Sequence[Prompted]) -> StepInputs:
    """A batch of texts as the model's arguments, padded on the right; a step is predicted where the token in front of it stands."""
    device = next(module.parameters()).device
    rows = [(*one.prompt, *one.target[:-1]) for one in texts]
    ids = padded(rows, padding_of(module))
    mask = torch.arange(ids.shape[1])[None] < torch.tensor(list(map(len, rows)))[:, None]
    given = padded([one.target for one in texts], 0)
    order = torch.arange(given.shape[1])[None]
    real = order < torch.tensor([len(one.target) for one in texts])[:, None]
    places = torch.where(real, order + torch.tensor([len(one.prompt) - 1 for one in texts])[:, None], torch.zeros_like(order))
    inputs = {"input_ids": ids.to(device), "attention_mask": mask.long().to(device), "use_cache": False}
    return StepInputs(inputs, places.to(device), given.to(device), real.to(device))


def cut(found: Steps, row: int, one: Prompted, method: str, target: str) -> Contributions:
    """One text of a batch: its source span, its generated tokens, and all the rest of its prompt."""
    count, begun, (start, end) = len(one.target), len(one.prompt), one.source
    tokens = readings(found, ("tokens",), row, count)
    source = tokens[:, start:end]
    beginning = tokens[:, :begun].sum(1) - source.sum(1)
    earlier = np.tril(tokens[:, begun : begun + count - 1], -1)
    return assembled(found, row, source, earlier, beginning, one.prompt[start:end], one.target, method, target)
