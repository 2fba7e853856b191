"""From tokens to words by character span, conserving the sum (the same sharing as the store's SQL view)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.document import Word
from workbench.encoding import Encoding


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
