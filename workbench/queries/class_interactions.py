"""Interactions of all pairs of texts at once: bilinear in the factors, so classes of tokens need sums over texts and no loop over pairs.

sum over pairs, over i in class a, over j in class b of R1[i] . R2[j] = (sum of all R[i], i in a) . (sum of all R[j], j in b); the same
sums within each text are taken off, so that no text is paired with itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from workbench.errors import InputError


@dataclass(frozen=True, slots=True)
class ClassInteractions:
    """Over all ordered pairs of different texts: sums of interactions of classes, and how many cells each sum has.

    `classes` names rows and columns; `pairs` is the number of ordered pairs.
    """

    classes: tuple[Hashable, ...]
    sums: NDArray[np.float64]
    cells: NDArray[np.int64]
    pairs: int

    @property
    def means(self) -> Float[np.ndarray, "class class"]:
        """Mean interaction of two tokens of these classes; NaN where no pair of texts has both."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means: NDArray[np.float64] = np.where(self.cells > 0, self.sums / self.cells, np.nan)
        return means


class ClassSums:
    """What one pass over texts adds up: sums of factors by class, and what is within one text; memory of classes x (dim + classes)."""

    def __init__(self, classes: int = 0) -> None:
        self.totals: NDArray[np.float64] = np.zeros((classes, 0))
        self.counts: NDArray[np.int64] = np.zeros(classes, np.int64)
        self.within: NDArray[np.float64] = np.zeros((classes, classes))
        self.cells: NDArray[np.int64] = np.zeros((classes, classes), np.int64)
        self.together: NDArray[np.int64] = np.zeros((classes, classes), np.int64)
        self.texts = 0

    def add(self, rows: Float[np.ndarray, "_ dim"], codes: Int[np.ndarray, "_"]) -> None:
        """Adds one text: the factors of its tokens and the number of the class of each."""
        self.texts += 1
        if not len(rows):
            return
        own, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
        self._grow(int(own[-1]) + 1, rows.shape[1])
        chosen = np.zeros((len(own), len(rows)))
        chosen[places, np.arange(len(rows))] = 1.0
        sums = chosen @ rows.astype(np.float64)
        both = np.ix_(own, own)
        self.totals[own] += sums
        self.counts[own] += counts
        self.within[both] += sums @ sums.T
        self.cells[both] += np.outer(counts, counts)
        self.together[both] += 1

    def interactions(self, classes: Sequence[Hashable]) -> ClassInteractions:
        """All ordered pairs of different texts; `classes` names the numbers."""
        sums = self.totals @ self.totals.T - self.within
        cells = np.outer(self.counts, self.counts) - self.cells
        return ClassInteractions(tuple(classes), sums, cells, self.texts * max(self.texts - 1, 0))

    def meetings(self) -> Int[np.ndarray, "class class"]:
        """Unordered pairs of different texts in which the two classes meet."""
        texts = np.diag(self.together)
        ordered = np.outer(texts, texts) - self.together  # one text with the first class, another with the second
        both_ways = self.together * (self.together - 1) // 2  # counted twice: either text has both
        meetings: NDArray[np.int64] = ordered - both_ways
        return meetings

    def _grow(self, classes: int, dimension: int) -> None:
        """Makes room for more classes, twice as many as there were, so that growing costs little."""
        if not self.totals.shape[1]:
            self.totals = np.zeros((len(self.counts), dimension))
        missing = max(classes - len(self.counts), 0)
        if missing:
            added = max(missing, len(self.counts))
            self.totals = np.pad(self.totals, ((0, added), (0, 0)))
            self.counts = np.pad(self.counts, (0, added))
            self.within = np.pad(self.within, (0, added))
            self.cells, self.together = np.pad(self.cells, (0, added)), np.pad(self.together, (0, added))


def class_interactions(texts: Iterable[tuple[Float[np.ndarray, "_ dim"], Sequence[Hashable]]]) -> ClassInteractions:
    """Interactions of classes over all pairs of texts, from the factors of each text's tokens and the class of each.

    Factors in cosine units are divided by their text's length beforehand. One pass, memory of classes x dim. Raises InputError
    for factors and classes of other lengths.
    """
    numbers: dict[Hashable, int] = {}
    sums = ClassSums()
    for rows, classes in texts:
        if len(rows) != len(classes):
            raise InputError("add up interactions by class", f"{len(rows)} tokens and {len(classes)} classes", "give one class a token")
        sums.add(rows, np.array([numbers.setdefault(name, len(numbers)) for name in classes], dtype=np.int64))
    names = tuple(sorted(numbers, key=str))
    order = np.array([numbers[name] for name in names], dtype=np.int64)
    found = sums.interactions(range(len(sums.counts)))
    both = np.ix_(order, order)
    return ClassInteractions(names, found.sums[both], found.cells[both], found.pairs)
