"""Translations as a model takes them: what it cannot have made is refused, the rest is batched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from workbench.attribution.inputs import padding_of
from workbench.attribution.stepwise import StepInputs
from workbench.errors import PropagationError

#: Numbers that one text of a length holds at the widest place of a pass.
Numbers = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Translation:
    """Token identifiers of a source and of a target whose every token is a step, both with the tokens that end them.

    `forced` stands between the decoder's start token and the target (the code of the target language): given, not explained.
    """

    source: tuple[int, ...]
    target: tuple[int, ...]
    forced: tuple[int, ...] = ()


def refuse(module: nn.Module, translations: Sequence[Translation]) -> None:
    """Raises PropagationError for a model that does not translate, no translation at all, or the first one that cannot be explained."""
    asked = f"explain translations by {type(module).__name__}"
    config = getattr(module, "config", None)
    if not getattr(config, "is_encoder_decoder", False) or start_of(module) is None:
        raise PropagationError(asked, "a model without a decoder of its own or a token that starts it", "use `prompted` for its texts")
    if not translations:
        raise PropagationError(asked, "no translation", "give at least one")
    for number, translation in enumerate(translations, start=1):
        problem = problem_of(module, translation)
        if problem is not None:
            raise PropagationError(f"{asked} (number {number})", *problem)


def problem_of(module: nn.Module, translation: Translation) -> tuple[str, str] | None:
    """What is wrong with a translation and what to do about it, None for one that can be explained."""
    config = getattr(module, "config", None)
    limit = getattr(config, "max_position_embeddings", None)
    for name, ids in (("source", translation.source), ("target", (*translation.forced, *translation.target))):
        if not ids or (name == "target" and not translation.target):
            return f"an empty {name}", "leave it out"
        if isinstance(limit, int) and len(ids) > limit:
            return f"a {name} of {len(ids)} tokens, the model allows {limit}", "shorten it or leave it out"
        size = vocabulary(module, decoder=name == "target")
        outside = [token for token in ids if not 0 <= token < size]
        if outside:
            return f"a {name} with the token {outside[0]}, the vocabulary has {size}", "use the model's own tokenizer"
    return None


def vocabulary(module: nn.Module, *, decoder: bool = False) -> int:
    """The number of tokens that the encoder (or the decoder) has embeddings for."""
    half = getattr(module, "get_decoder", lambda: None)() if decoder else None
    table = half.get_input_embeddings() if half is not None and hasattr(half, "get_input_embeddings") else None
    if not isinstance(table, nn.Embedding):
        table = module.get_input_embeddings()  # type: ignore[operator]
    return int(table.num_embeddings)


def start_of(module: nn.Module) -> int | None:
    """The token that the decoder starts from."""
    config = getattr(module, "config", None)
    known = getattr(config, "decoder_start_token_id", None)
    if known is None:
        known = getattr(getattr(module, "generation_config", None), "decoder_start_token_id", None)
    return int(known) if isinstance(known, int) else None


def batches(translations: Sequence[Translation], together: int, budget: int, numbers: Numbers) -> list[list[int]]:
    """Places of the translations in batches of about one length; see `in_batches`."""
    return in_batches([(len(one.forced) + len(one.target), len(one.source)) for one in translations], together, budget, numbers)


def in_batches(sizes: Sequence[tuple[int, int]], together: int, budget: int, numbers: Numbers) -> list[list[int]]:
    """Places of texts in batches of about one size: at most `together` texts that hold `budget` numbers (a single one may hold more)."""
    found: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):
        longest = max(longest, *sizes[place])
        if not found or len(found[-1]) == together or (len(found[-1]) + 1) * numbers(longest) > budget:
            found.append([])
            longest = max(sizes[place])
        found[-1].append(place)
    return found


def step_inputs(module: nn.Module, translations: Sequence[Translation]) -> StepInputs:
    """A batch of translations as the model's arguments, padded on the right; every step is predicted where its predecessor stands."""
    device = next(module.parameters()).device
    padding, start = padding_of(module), start_of(module)
    assert start is not None
    decoder = [(start, *one.forced, *one.target[:-1]) for one in translations]
    given = [one.target for one in translations]
    first = torch.tensor([len(one.forced) for one in translations])[:, None]
    lengths = torch.tensor(list(map(len, given)))[:, None]
    order = torch.arange(int(lengths.max()))[None]
    real = order < lengths
    source = padded([one.source for one in translations], padding)
    mask = torch.arange(source.shape[1])[None] < torch.tensor([len(one.source) for one in translations])[:, None]
    inputs = {
        "input_ids": source.to(device),
        "attention_mask": mask.long().to(device),
        "decoder_input_ids": padded(decoder, padding).to(device),
        "use_cache": False,
    }
    places = torch.where(real, order + first, torch.zeros_like(order))
    return StepInputs(inputs, places.to(device), padded(given, 0).to(device), real.to(device))


def padded(rows: Sequence[Sequence[int]], padding: int) -> torch.Tensor:
    """Rows of identifiers of any lengths as one tensor."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[padding] * (longest - len(row))] for row in rows])
