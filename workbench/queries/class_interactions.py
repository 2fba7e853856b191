"""Interactions of all pairs of texts at once: bilinear in the factors, so classes of tokens need sums over texts and no loop over pairs.

sum over pairs, over i in class a, over j in class b of R1[i] . R2[j] = (sum of all R[i], i in a) . (sum of all R[j], j in b); the same
sums within each text are taken off, so that no text is paired with itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
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


def class_interactions(texts: Iterable[tuple[Float[np.ndarray, "_ dim"], Sequence[Hashable]]]) -> ClassInteractions:
    """Interactions of classes over all pairs of texts, from the factors of each text's tokens and the class of each.

    Factors in cosine units are divided by their text's length beforehand. One pass, memory of classes x dim. Raises InputError
    for factors and classes of other lengths.
    """
    totals: dict[Hashable, NDArray[np.float64]] = {}
    counts: dict[Hashable, int] = {}
    within: dict[tuple[Hashable, Hashable], float] = {}
    cells: dict[tuple[Hashable, Hashable], int] = {}
    texts_seen = 0
    for rows, classes in texts:
        if len(rows) != len(classes):
            raise InputError("add up interactions by class", f"{len(rows)} tokens and {len(classes)} classes", "give one class a token")
        texts_seen += 1
        own = class_sums(rows, classes)
        for one, (row, count) in own.items():
            totals[one] = totals[one] + row if one in totals else row
            counts[one] = counts.get(one, 0) + count
            for other, (column, others) in own.items():
                within[one, other] = within.get((one, other), 0.0) + float(row @ column)
                cells[one, other] = cells.get((one, other), 0) + count * others
    names = tuple(sorted(totals, key=str))
    stacked = np.stack([totals[name] for name in names]) if names else np.zeros((0, 0))
    numbers = np.array([counts[name] for name in names], dtype=np.int64)
    sums = stacked @ stacked.T - square(names, within)
    return ClassInteractions(
        names, sums, np.outer(numbers, numbers) - square(names, cells).astype(np.int64), texts_seen * max(texts_seen - 1, 0)
    )


def class_sums(rows: Float[np.ndarray, "token dim"], classes: Sequence[Hashable]) -> dict[Hashable, tuple[NDArray[np.float64], int]]:
    """Sum of the rows of each class in one text, and their number."""
    found: dict[Hashable, tuple[NDArray[np.float64], int]] = {}
    for row, name in zip(rows.astype(np.float64), classes, strict=True):
        known = found.get(name)
        found[name] = (row, 1) if known is None else (known[0] + row, known[1] + 1)
    return found


def square(
    names: Sequence[Hashable], values: dict[tuple[Hashable, Hashable], float] | dict[tuple[Hashable, Hashable], int]
) -> NDArray[np.float64]:
    """A table of values by two classes, 0 where there is none."""
    return np.array([[values.get((one, other), 0) for other in names] for one in names], dtype=np.float64).reshape(len(names), len(names))
