"""Two prompts of one length, aligned token by token, after which a model should say different things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor, device, tensor

from workbench.errors import InputError


@dataclass(frozen=True, slots=True)
class Pair:
    """Token numbers of a clean and a corrupted prompt, and of what should follow each; `structure` names the kind of prompt."""

    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    clean_answer: int
    corrupted_answer: int
    structure: str = ""

    @property
    def first_difference(self) -> int:
        """The first position at which the prompts differ; what stands before it cannot differ in a causal model."""
        return next(place for place, (left, right) in enumerate(zip(self.clean, self.corrupted, strict=True)) if left != right)


@dataclass(frozen=True, slots=True)
class Prompts:
    """Pairs of one length as tensors; `numbers` are their places among all pairs."""

    numbers: tuple[int, ...]
    pairs: tuple[Pair, ...]
    clean: Int[Tensor, "pair token"]
    corrupted: Int[Tensor, "pair token"]

    def difference(self, logits: Tensor) -> Tensor:
        """Logit of the clean answer minus that of the corrupted answer after each prompt, from logits `(pair token vocabulary)`."""
        rows = range(len(self.pairs))
        clean, corrupted = [pair.clean_answer for pair in self.pairs], [pair.corrupted_answer for pair in self.pairs]
        last = logits[:, -1]
        found: Tensor = last[rows, clean] - last[rows, corrupted]
        return found


def prompts(pairs: Sequence[Pair], on: device | str = "cpu") -> list[Prompts]:
    """Pairs grouped by length, so that no prompt is padded.

    Raises InputError for no pair, prompts of two lengths, or two that do not differ.
    """
    if not pairs:
        raise InputError("patch between prompts", "no pair", "give at least one")
    groups: dict[int, list[int]] = {}
    for number, pair in enumerate(pairs):
        if len(pair.clean) != len(pair.corrupted) or pair.clean == pair.corrupted:
            found = "prompts that are the same" if pair.clean == pair.corrupted else f"{len(pair.clean)} and {len(pair.corrupted)} tokens"
            raise InputError(f"patch between the prompts of pair {number}", found, "give two prompts of one length that differ")
        groups.setdefault(len(pair.clean), []).append(number)
    return [gathered(numbers, pairs, on) for numbers in groups.values()]


def gathered(numbers: Sequence[int], pairs: Sequence[Pair], on: device | str) -> Prompts:
    """Some of the pairs as tensors on a device."""
    chosen = tuple(pairs[number] for number in numbers)
    clean, corrupted = (tensor(rows, device=on) for rows in ([pair.clean for pair in chosen], [pair.corrupted for pair in chosen]))
    return Prompts(tuple(numbers), chosen, clean, corrupted)
