"""How rows of a batch of streams belong to texts, and where constants go (see `streams`)."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor


class Layout:
    """How the rows of a batch belong to texts.

    `texts` times: whole, `parts` streams, `positions` where they have a row of their own, constants, and softmax where it `absorbs`.
    """

    def __init__(self, parts: Int[Tensor, "text token"], count: int, absorbs: bool, positions: bool = False) -> None:
        self.parts = parts
        self.texts = len(parts)
        self.count = count
        self.absorbs = absorbs
        self.rows = 2 + count + positions + absorbs
        self.positions = 1 + count
        self.constants = 1 + count + positions

    def apart(self, value: Tensor) -> Tensor:
        """`(text row ...)` from a tensor whose first axis holds texts and rows (and whatever a model has folded into it)."""
        return value.reshape(self.texts, self.rows, value.shape[0] // (self.texts * self.rows), *value.shape[1:])

    def whole(self, value: Tensor) -> Tensor:
        """The rows of the whole texts, for every row of their texts."""
        apart = self.apart(value)
        return apart[:, :1].expand_as(apart).reshape(value.shape)

    def with_constant(self, value: Tensor, constant: Tensor | float) -> Tensor:
        """`value`, to which a constant is added in the rows of the whole and of constants."""
        added = self.apart(torch.as_tensor(constant, dtype=value.dtype, device=value.device).expand_as(value))
        apart = self.apart(value).clone()
        apart[:, 0] += added[:, 0]
        apart[:, self.constants] += added[:, self.constants]
        return apart.reshape(value.shape)

    def with_absorbed(self, value: Tensor) -> Tensor:
        """`value`, whose rows of parts fall short of the whole: what is missing is put into the row of absorbed relevance."""
        apart = self.apart(value).clone()
        apart[:, -1] += apart[:, 0] - apart[:, 1:].sum(1)
        return apart.reshape(value.shape)

    def sourced(self, value: Tensor, kind: str) -> Tensor:
        """An embedding lookup: a word goes to the stream of its part, a position to its row, everything else to constants."""
        rows = self.texts * self.rows
        apart = self.apart(value.expand(rows, *value.shape[1:]) if value.shape[0] != rows else value).squeeze(2)
        chosen = torch.zeros(self.texts, self.rows, self.parts.shape[1], dtype=torch.bool, device=value.device)
        chosen[:, 0] = True
        if kind == "tokens":
            chosen.scatter_(1, self.parts[:, None] + 1, True)
        else:
            chosen[:, self.positions if kind == "positions" else self.constants] = True
        return torch.where(chosen[..., None], apart, torch.zeros_like(apart)).reshape(rows, *apart.shape[2:])
