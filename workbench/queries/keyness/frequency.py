"""Classical measures of keyness and collocation, from counts alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Numbers = NDArray[np.float64]


def per_million(counts: Numbers | float, words: Numbers | float) -> Numbers:
    """Occurrences in a million words."""
    counts, words = np.asarray(counts, dtype=np.float64), np.asarray(words, dtype=np.float64)
    return np.divide(1e6 * counts, words, out=np.zeros(np.broadcast_shapes(counts.shape, words.shape)), where=words > 0)


def simple_maths(focus: Numbers | float, reference: Numbers | float, *, added: float = 1.0) -> Numbers:
    """(f + N) / (r + N) of two frequencies per million (Kilgarriff 2009); a larger N favours common words."""
    found: Numbers = (np.asarray(focus, dtype=np.float64) + added) / (np.asarray(reference, dtype=np.float64) + added)
    return found


def log_likelihood(
    focus: Numbers | float, reference: Numbers | float, focus_words: Numbers | float, reference_words: Numbers | float
) -> Numbers:
    """G² of the four-cell table item × side (Dunning 1993), negative where the item is rarer in the focus.

    It takes words for independent, which the words of one document are not: read it as a measure, not as a test.
    """
    a, b = np.asarray(focus, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    c, d = np.asarray(focus_words, dtype=np.float64) - a, np.asarray(reference_words, dtype=np.float64) - b
    whole = a + b + c + d
    expected = [(a + b) * (a + c) / whole, (a + b) * (b + d) / whole, (c + d) * (a + c) / whole, (c + d) * (b + d) / whole]
    found = np.zeros(whole.shape)
    for cell, mean in zip((a, b, c, d), expected, strict=True):
        found += 2 * xlogy(cell, np.divide(cell, mean, out=np.ones(whole.shape), where=mean > 0))
    sign = np.where(a * (b + d) >= b * (a + c), 1.0, -1.0)
    signed: Numbers = sign * np.maximum(found, 0.0)
    return signed


def log_ratio(
    focus: Numbers | float,
    reference: Numbers | float,
    whole: Numbers | float,
    reference_whole: Numbers | float,
    *,
    added: Numbers | float = 0.0,
) -> Numbers:
    """Binary logarithm of the ratio of two shares (Hardie 2014), with `added` shared out between both sides in proportion to their wholes.

    The addition keeps what is absent on one side finite, and draws what is rare towards 0 (no difference).
    """
    one, other = np.asarray(whole, dtype=np.float64), np.asarray(reference_whole, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = one / (one + other)
        found: Numbers = np.log2((focus + added * part) / one) - np.log2((reference + added * (1 - part)) / other)
    return found


def log_dice(together: Numbers | float, node: Numbers | float, collocate: Numbers | float) -> Numbers:
    """14 + log2 of Dice's coefficient (Rychlý 2008), of occurrences of a collocate near a node; at most 14."""
    pairs, one, other = (np.asarray(values, dtype=np.float64) for values in (together, node, collocate))
    with np.errstate(divide="ignore"):
        found: Numbers = 14 + np.log2(2 * pairs / (one + other))
    return found
