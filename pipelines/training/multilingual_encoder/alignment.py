"""Which word translates which: IBM model 1 (Brown et al. 1993), all sentence pairs at once in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Sentence = Sequence[int]


def translation_table(pairs: Sequence[tuple[Sentence, Sentence]], sizes: tuple[int, int], iterations: int = 6) -> csr_array:
    """Probabilities (source target) that a word of the first language gives a word of the second; rows sum to one.

    `pairs` holds ids below `sizes`. The last row, one more than the first size, is the empty word.
    """
    empty = sizes[0]
    sources, targets, places = cells(pairs, empty)
    known, cell = np.unique(sources * sizes[1] + targets, return_inverse=True)
    rows, columns = known // sizes[1], known % sizes[1]
    table = np.ones(len(known))
    for _ in range(iterations):
        weight = table[cell]
        weight /= np.bincount(places, weight)[places]
        counts = np.bincount(cell, weight, len(known))
        table = counts / np.bincount(rows, counts)[rows]
    return csr_array((table, (rows, columns)), shape=(sizes[0] + 1, sizes[1]))


def cells(pairs: Sequence[tuple[Sentence, Sentence]], empty: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every source word (and the empty word) against every target word of its pair; places number the target words."""
    sources, targets, places, start = [], [], [], 0
    for source, target in pairs:
        whole = np.append(np.asarray(source, dtype=np.int64), empty)
        sources.append(np.repeat(whole, len(target)))
        targets.append(np.tile(np.asarray(target, dtype=np.int64), len(whole)))
        places.append(np.tile(np.arange(start, start + len(target)), len(whole)))
        start += len(target)
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(places)


def mutual(pairs: Sequence[tuple[Sentence, Sentence]], sizes: tuple[int, int]) -> csr_array:
    """Geometric mean (source target) of the probabilities in both directions: high where two words translate each other."""
    there = translation_table(pairs, sizes)[: sizes[0]]
    back = translation_table([(target, source) for source, target in pairs], (sizes[1], sizes[0]))[: sizes[1]].T
    product = there.multiply(back).tocsr()
    product.data = np.sqrt(product.data)
    return csr_array(product)
