"""From tokens to words by character span, conserving the sum (the same sharing as the store's SQL view): relevance and factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.interaction import Factors, UnitFactors, scale


@dataclass(frozen=True, slots=True)
class WordRelevance:
    """Relevance by word, of all special tokens together, and of all tokens that touch no word; the three sum to the token sum."""

    words: NDArray[np.float64]
    special: float
    uncovered: float


def overlaps(encoding: Encoding, words: Sequence[Word]) -> NDArray[np.float64]:
    """Shares `(token, word)`: characters of the token that lie in the word over its characters in any word; rows sum to 1 or 0."""
    tokens = np.array(encoding.spans, dtype=np.int64).reshape(-1, 2)
    spans = np.array([(word.char_start, word.char_end) for word in words], dtype=np.int64).reshape(-1, 2)
    shared = np.minimum(tokens[:, None, 1], spans[None, :, 1]) - np.maximum(tokens[:, None, 0], spans[None, :, 0])
    shared = np.clip(shared, 0, None).astype(np.float64)
    shared[np.array(encoding.special, dtype=bool)] = 0.0
    total = shared.sum(1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)
    return shares


def to_words(values: NDArray[np.floating], encoding: Encoding, words: Sequence[Word]) -> WordRelevance:
    """Sums token values to words; a token that touches several words is shared in proportion to the characters."""
    shares = overlaps(encoding, words)
    wide = values.astype(np.float64)
    special = np.array(encoding.special, dtype=bool)
    uncovered = ~special & (shares.sum(1) == 0)
    return WordRelevance(wide @ shares, float(wide[special].sum()), float(wide[uncovered].sum()))


def unit_factors(factors: Factors, encoding: Encoding, words: Sequence[Word], similarity: str = "cosine") -> UnitFactors:
    """Factors by word, of all special tokens, of all tokens that touch no word, and of what is no token, in units of the similarity.

    Rows of a kind that has nothing are left out. Raises InputError as `interaction.scale` does.
    """
    shares = overlaps(encoding, words)
    wide = factors.tokens.astype(np.float64)
    special = np.array(encoding.special, dtype=bool)
    uncovered = ~special & (shares.sum(1) == 0)
    others = {
        "special": wide[special].sum(0) if special.any() else None,
        "uncovered": wide[uncovered].sum(0) if uncovered.any() else None,
        "positions": factors.positions if factors.positions.any() else None,
        "bias": factors.biases,
        "softmax": factors.absorbed if factors.absorbed.any() else None,
    }
    there = {kind: row for kind, row in others.items() if row is not None}
    rows = np.vstack([shares.T @ wide, *there.values()]) / scale(factors, similarity)
    kinds = ("word",) * len(words) + tuple(there)
    numbers = tuple(word.index for word in words) + (None,) * len(there)
    return UnitFactors(kinds, numbers, rows.astype(np.float32))
