"""Predictions for many id sequences: no sequence computed twice, batches of one length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ModelError
from workbench.evaluation.removal import Ids, Kept, Text, remainder

#: From id sequences of one length to one row of label scores (probabilities, or logits) each: `(batch, label)`.
Predict: TypeAlias = Callable[[Sequence[Ids]], NDArray[np.floating]]

#: Tokens in one batch: small enough to stay in a core's cache, large enough to hide the cost of a call.
BATCH_TOKENS = 2048


def batches_of_one_length(lengths: Sequence[int], batch_tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Positions grouped by equal length, shortest first, each group at most `batch_tokens` tokens (but never empty)."""
    by_length: dict[int, list[int]] = {}
    for position, length in enumerate(lengths):
        by_length.setdefault(length, []).append(position)
    for length, positions in sorted(by_length.items()):
        size = max(1, batch_tokens // max(length, 1))
        yield from (positions[start : start + size] for start in range(0, len(positions), size))


@dataclass(slots=True)
class Memo:
    """A predictor that computes every id sequence once, in batches of one length; `computed` counts what reached the model."""

    predict: Predict
    batch_tokens: int = BATCH_TOKENS
    computed: int = 0
    _rows: dict[Ids, NDArray[np.floating]] = field(default_factory=dict)

    def __call__(self, sequences: Sequence[Ids]) -> NDArray[np.floating]:
        """One row of label scores for each sequence: `(sequence, label)`."""
        missing = list(dict.fromkeys(ids for ids in sequences if ids not in self._rows))
        for positions in batches_of_one_length([len(ids) for ids in missing], self.batch_tokens):
            batch = [missing[position] for position in positions]
            rows = np.asarray(self.predict(batch), dtype=np.float64)
            if rows.shape[:1] != (len(batch),) or not np.isfinite(rows).all():
                remedy = "check the weights with `workbench doctor`, or compute in float32"
                raise ModelError(f"predict {len(batch)} remainders", f"scores of shape {rows.shape} that are not all finite", remedy)
            self._rows.update(zip(batch, rows, strict=True))
            self.computed += len(batch)
        return np.stack([self._rows[ids] for ids in sequences])

    def forget(self) -> None:
        """Drop what was computed: ids of one document hardly ever return in another."""
        self._rows.clear()


@dataclass(slots=True)
class Remainders:
    """Label scores of remainders, the mean over the members of an ensemble: words leave for every member at once.

    `replacements` holds for each member the id put in place of a removed token, or None to delete it.
    """

    members: Sequence[Memo]
    replacements: Sequence[int | None] = ()

    def rows(self, requests: Sequence[tuple[Text, Kept]]) -> NDArray[np.floating]:
        """Mean label scores of each remainder: `(request, label)`."""
        rows: NDArray[np.float64] = np.mean([self._member(index, requests) for index in range(len(self.members))], axis=0)
        return rows

    def _member(self, index: int, requests: Iterable[tuple[Text, Kept]]) -> NDArray[np.floating]:
        replacement = self.replacements[index] if self.replacements else None
        return self.members[index]([remainder(text, index, kept, replacement) for text, kept in requests])

    def forget(self) -> None:
        """Drop what was computed for every member."""
        for member in self.members:
            member.forget()
