"""Whether an item's share of the relevance differs between two groups: a permutation test in which documents change sides, never words.

1. A side's share is a ratio of sums over its documents: relevance of the item by relevance of all words. Where an occurrence is compared
   with an occurrence the ratio is relevance of the item by its occurrences.
2. Two groups of documents: the difference of both ratios by its standard error, with the spread of each side's own documents (ratio
   estimator, Cochran 1977, chapter 6; Welch 1938). As a ratio to its standard error the permutation test stays valid where the documents of
   one group are longer or more varied (Janssen 1997; Chung and Romano 2013).
3. One set of documents on both sides (two models, two texts): the difference of both ratios, while documents exchange their two sides.
4. p = (1 + permutations at least as extreme) / (1 + permutations), two-sided (Phipson and Smyth 2010); q by Benjamini and Hochberg 1995.
5. The null control repeats 2 to 4 for labels that are shuffled: how many items would be called significant where there is nothing?

Tests that take words for independent (chi-square, log-likelihood) are not valid for relevance: it is signed, continuous, and the words of a
document share one target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from workbench.queries.keyness.table import Numbers, Table
from workbench.queries.resampling import divided

#: Relevance is expected in proportion to the item's share of all of it, or to its occurrences.
Expected: TypeAlias = Literal["share", "occurrences"]
PERMUTATIONS = 9_999
#: Labels shuffled for the null control.
SHUFFLES = 20
#: Permutations at once, and items at once: their product of numbers is 20 MB.
AT_ONCE, ITEMS_AT_ONCE = 500, 5_000
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Judged:
    """Items in the table's order: the `statistic` (positive: more in the focus), `p_values`, `q_values`.

    `discoveries` counts the items called significant for each set of shuffled labels.
    """

    statistic: Numbers
    p_values: Numbers
    q_values: Numbers
    discoveries: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numerator and denominator of every item in every unit, `(item unit)`; a denominator of one row is that of all items.

    `squares` are numerator², numerator × denominator and denominator². Where `paired`, both are the focus minus the reference, and `fixed`
    are their sums over the reference.
    """

    numerator: sparse.csr_array
    denominator: sparse.csr_array
    squares: tuple[sparse.csr_array, sparse.csr_array, sparse.csr_array]
    fixed: tuple[Numbers, Numbers]
    focus: NDArray[np.bool_]
    paired: bool


def ratio(table: Table, expected: Expected = "share") -> Ratio:
    """The ratios of a table that are compared."""
    totals = [sparse.csr_array(total[None]) for total in table.total]
    wholes = table.counts if expected == "occurrences" else (totals[0], totals[1])
    focus, paired = table.present[1], table.paired
    if paired:
        numerator, denominator = (sparse.csr_array(sides[1] - sides[0]) for sides in (table.mass, wholes))
        fixed = table.mass[0].sum(1)[:, None], wholes[0].sum(1)[:, None]
        return Ratio(numerator, denominator, (numerator,) * 3, fixed, focus, paired)
    numerator, denominator = (sparse.csr_array(sides[1] + sides[0]) for sides in (table.mass, wholes))
    crossed = sparse.csr_array(numerator.multiply(denominator))
    nothing = np.zeros((1, 1))
    return Ratio(numerator, denominator, (numerator**2, crossed, denominator**2), (nothing, nothing), focus, paired)


def rows(of: sparse.csr_array, items: slice) -> sparse.csr_array:
    """Some rows; the only one of what is the same for all items."""
    return of if of.shape[0] == 1 else of[items]


def statistics(of: Ratio, sides: Numbers, items: slice) -> Numbers:
    """The statistic `(item assignment)` for sides `(unit assignment)`: 1 in the focus, 0 in the reference; where paired 0 is exchanged."""
    parts = [rows(part, items) for part in (of.numerator, of.denominator)]
    focus = [part @ sides + (fixed if len(fixed) == 1 else fixed[items]) for part, fixed in zip(parts, of.fixed, strict=True)]
    whole = [part.sum(1)[:, None] + 2 * (fixed if len(fixed) == 1 else fixed[items]) for part, fixed in zip(parts, of.fixed, strict=True)]
    reference = [every - own for every, own in zip(whole, focus, strict=True)]
    difference = divided(focus[0], focus[1]) - divided(reference[0], reference[1])
    if of.paired:
        return np.nan_to_num(difference)
    squares = [rows(part, items) for part in of.squares]
    own = [part @ sides for part in squares]
    other = [part.sum(1)[:, None] - value for part, value in zip(squares, own, strict=True)]
    count = float(of.focus.sum())
    error = squared_error(focus, own, count) + squared_error(reference, other, len(of.focus) - count)
    return np.nan_to_num(difference / np.sqrt(np.maximum(error, np.finfo(float).tiny)))


def squared_error(sums: list[Numbers], products: list[Numbers], count: float) -> Numbers:
    """Squared standard error of a ratio of sums over `count` documents; what rounding leaves of a spread of zero is taken for zero."""
    (numerator, denominator), (squares, crossed, whole) = sums, products
    quotient = np.nan_to_num(divided(numerator, denominator))
    residual = squares - 2 * quotient * crossed + quotient**2 * whole
    residual = np.where(residual > ROUNDING * (squares + quotient**2 * whole), residual, 0.0)
    return np.nan_to_num(divided(residual, denominator**2)) * count / max(count - 1, 1.0)


def observed_sides(of: Ratio) -> Numbers:
    """The sides as they are, one assignment."""
    return np.ones((len(of.focus), 1)) if of.paired else of.focus[:, None].astype(np.float64)


def shuffled(of: Ratio, count: int, random: np.random.Generator) -> Numbers:
    """Random assignments `(unit count)`."""
    if of.paired:
        return random.integers(0, 2, size=(len(of.focus), count)).astype(np.float64)
    return random.permuted(np.repeat(observed_sides(of), count, axis=1), axis=0)


def rounds(of: Ratio, permutations: int, random: np.random.Generator) -> Iterator[Numbers]:
    """All permutations, some at a time."""
    for start in range(0, permutations, AT_ONCE):
        yield shuffled(of, min(AT_ONCE, permutations - start), random)


def judge(
    table: Table,
    *,
    expected: Expected = "share",
    permutations: int = PERMUTATIONS,
    shuffles: int = SHUFFLES,
    level: float = 0.05,
    seed: int = 0,
) -> Judged:
    """The test of every item of a table, and the null control; the same for the same seed, whatever else is asked."""
    of = ratio(table, expected)
    count = len(table.items)
    asked = np.hstack([observed_sides(of), shuffled(of, shuffles, np.random.default_rng([seed, 1]))])
    parts = [slice(start, start + ITEMS_AT_ONCE) for start in range(0, count, ITEMS_AT_ONCE)]
    found = np.vstack([statistics(of, asked, part) for part in parts]) if parts else np.zeros((0, asked.shape[1]))
    bounds = np.abs(found) * (1 - ROUNDING)
    hits = np.zeros(found.shape, np.int64)
    for sides in rounds(of, permutations if count else 0, np.random.default_rng([seed, 2])):
        for part in parts:
            drawn = np.sort(np.abs(statistics(of, sides, part)), axis=1)
            for row, (values, least) in enumerate(zip(drawn, bounds[part], strict=True), start=part.start):
                hits[row] += len(values) - np.searchsorted(values, least)
    p_values = (1 + hits) / (1 + permutations)
    q_values = np.column_stack([stats.false_discovery_control(column) for column in p_values.T]) if count else p_values
    return Judged(found[:, 0], p_values[:, 0], q_values[:, 0], (q_values[:, 1:] <= level).sum(0))
