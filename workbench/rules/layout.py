"""Which streams a text is played in: one for each part of it, one for positions and one for each kind of what belongs to no token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The streams that are played together, first axis of every tensor of streams; places of the rows that are no part of a text.

    `members` tells which tokens belong to each part, `(part text token)`; None while all tokens are still in one row.
    """

    size: int
    positions: int | None
    constants: int | None
    absorbed: int | None
    members: Tensor | None = None
    dtype: torch.dtype | None = None

    def sourced(self, value: Tensor, kind: str) -> Tensor:
        """An embedding lookup `(text token dim)`: words go to the row of all tokens, positions to theirs, the rest to constants."""
        streams = value.new_zeros((self.size, *value.shape), dtype=self.dtype)
        place = {"tokens": 0, "positions": self.positions}.get(kind, self.constants)
        assert place is not None
        streams[place] = value
        return streams

    def apart(self, streams: Tensor) -> Tensor:
        """Streams of what has not yet met other tokens: those of each part, from the row of all tokens together."""
        assert self.members is not None
        texts, tokens = self.members.shape[1:]
        found = streams.new_zeros(self.size, texts, tokens, streams.shape[-1])
        found[: len(self.members)] = streams[0] * self.members[..., None]
        for place, row in ((self.positions, 1), (self.constants, 2)):
            if place is not None:
                found[place] += streams[row]
        return found

    def with_constant(self, streams: Tensor, constant: Tensor | float) -> Tensor:
        """The streams, which nothing else may hold, with a constant added to their row of constants."""
        if self.constants is not None:
            streams[self.constants] += constant
        return streams


#: All tokens together, positions, constants.
TOGETHER = Rows(3, 1, 2, None)


class Layout:
    """Streams of a batch of texts: `count` parts, then positions where they are `placed`, constants, and softmax where it `absorbs`.

    `parts (text token)` names the part of each token, -1 for one that belongs to none (padding).
    """

    def __init__(self, parts: Int[Tensor, "text token"], count: int, absorbs: bool, placed: bool = True) -> None:
        self.parts = parts
        self.count = count
        self.positions = count if placed else None
        self.constants = count + placed
        self.absorbed = self.constants + 1 if absorbs else None
        self.rows = count + placed + 1 + absorbs

    def chunks(self, room: int, dtype: torch.dtype | None = None) -> Iterator[Rows]:
        """All rows in order, about evenly in groups of at most `room`."""
        groups = -(-self.rows // max(1, room))
        for group in range(groups):
            start, end = self.rows * group // groups, self.rows * (group + 1) // groups
            own = torch.arange(min(start, self.count), min(end, self.count), device=self.parts.device)
            positions, constants, absorbed = (
                None if place is None or not start <= place < end else place - start
                for place in (self.constants if self.positions is None else self.positions, self.constants, self.absorbed)
            )
            yield Rows(end - start, positions, constants, absorbed, self.parts == own[:, None, None], dtype)
