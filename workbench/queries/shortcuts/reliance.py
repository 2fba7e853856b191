"""Does a feature go with the model's answer beyond what the true label explains? A stratified permutation test, and how far it pulls.

1. x[i, d]: the share of the relevance for the predicted class that word i holds in document d; for what is no word 1 where d has it.
2. T[i, c]: the sum over documents of x times (1 if the model answers c else 0, minus the share of answers c among documents of the same
   true label): what the label explains is taken off.
3. Under the null hypothesis the answers among documents of one label have nothing to do with what carries relevance in them: they are
   permuted within each label. z is T over its standard deviation under all permutations (exact; a sum over labels).
4. The adjusted p is the share of permutations whose largest z over all features and classes is at least as large (Westfall and Young 1993):
   the chance of any false suspect is at most the level, however many features are looked at.
5. pull: the difference in the rate of answer c between documents with and without the feature, within each label, weighted as by Mantel and
   Haenszel 1959 (Greenland and Robins 1985); 1 where the feature alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench.queries.resampling import interval, weights

Numbers = NDArray[np.float64]
AT_ONCE = 100


def strata(gold: NDArray[np.str_]) -> NDArray[np.int64]:
    """The number of each document's true label."""
    return np.unique(gold, return_inverse=True)[1].astype(np.int64)


def centred(answers: Numbers, labels: NDArray[np.int64]) -> Numbers:
    """Indicators of answers `(document …)` minus their share within the label of each document."""
    counts = np.bincount(labels)
    sums = np.stack([answers[labels == label].sum(0) for label in range(len(counts))])
    found: Numbers = answers - (sums / counts.reshape(-1, *([1] * (answers.ndim - 1))))[labels]
    return found


def deviation(values: sparse.csr_array, answers: Numbers, labels: NDArray[np.int64]) -> Numbers:
    """Standard deviation of T `(feature class)` over all permutations of `answers` (document class) within labels."""
    variance = np.zeros((values.shape[0], answers.shape[1]))
    for label in range(int(labels.max()) + 1):
        here = labels == label
        count = int(here.sum())
        if count < 2:
            continue
        part = values[:, np.flatnonzero(here)]
        spread = part.power(2).sum(1) - part.sum(1) ** 2 / count
        share = answers[here].mean(0)
        variance += np.outer(np.maximum(spread, 0.0), share * (1 - share)) * count / (count - 1)
    return np.sqrt(variance)


def permuted(codes: NDArray[np.int64], labels: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Answers permuted within labels, `(document count)`."""
    found = np.repeat(codes[:, None], count, axis=1)
    for label in range(int(labels.max()) + 1):
        here = np.flatnonzero(labels == label)
        found[here] = random.permuted(found[here], axis=0)
    return found


def scores(values: sparse.csr_array, codes: NDArray[np.int64], labels: NDArray[np.int64], spread: Numbers) -> Iterator[tuple[int, Numbers]]:
    """For each class its number and z `(feature assignment)`, from answers `(document assignment)`."""
    for number in range(spread.shape[1]):
        sums = values @ centred((codes == number).astype(np.float64), labels)
        known = spread[:, number] > 1e-12
        yield number, np.divide(sums, spread[:, number, None], out=np.zeros_like(sums), where=known[:, None])


def indicators(codes: NDArray[np.int64], classes: int) -> Numbers:
    """1 where a document is answered by a class, `(document class)`."""
    return np.stack([(codes == number).astype(np.float64) for number in range(classes)], axis=1)


def of_answers(values: sparse.csr_array, codes: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> Numbers:
    """Z `(feature class)` of one assignment of answers."""
    spread = deviation(values, indicators(codes, classes), labels)
    found = np.zeros(spread.shape)
    for number, z in scores(values, codes[:, None], labels, spread):
        found[:, number] = z[:, 0]
    return found


def judge(
    values: sparse.csr_array, codes: NDArray[np.int64], labels: NDArray[np.int64], classes: int, *, permutations: int, seed: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Z and adjusted p `(feature class)`, and the largest z of every permutation."""
    spread = deviation(values, indicators(codes, classes), labels)
    found = of_answers(values, codes, labels, classes)
    random = np.random.default_rng([seed, 5])
    largest = []
    for start in range(0, permutations, AT_ONCE):
        drawn = permuted(codes, labels, min(AT_ONCE, permutations - start), random)
        best = np.full(drawn.shape[1], -np.inf)
        for _, z in scores(values, drawn, labels, spread):
            best = np.maximum(best, z.max(0, initial=-np.inf))
        largest.append(best)
    nulls = np.sort(np.concatenate(largest))
    hits = len(nulls) - np.searchsorted(nulls, found - 1e-9)
    return found, (1 + hits) / (1 + len(nulls)), nulls


def pulls(
    present: sparse.csr_array, codes: NDArray[np.int64], labels: NDArray[np.int64], features: NDArray[np.int64], classes: NDArray[np.int64],
    weight: Numbers,
) -> Numbers:  # fmt: skip
    """Pull `(draw feature)` of each feature for its class, documents counted as often as `weight` `(draw document)` says."""
    top, bottom = np.zeros((len(weight), len(features))), np.zeros((len(weight), len(features)))
    rows = present[features]
    for label in range(int(labels.max()) + 1):
        here = np.flatnonzero(labels == label)
        own = weight[:, here]
        part = sparse.csr_array(rows[:, here])
        answers = (codes[here][None] == classes[:, None]).astype(np.float64)
        with_it, without = part.dot(own.T).T, own.sum(1)[:, None]
        without = without - with_it
        hits = sparse.csr_array(part.multiply(answers)).dot(own.T).T
        others = own @ answers.T - hits
        whole = with_it + without
        share = np.divide(with_it * without, whole, out=np.zeros_like(whole), where=whole > 0)
        rates = [np.divide(one, count, out=np.zeros_like(one), where=count > 0) for one, count in ((hits, with_it), (others, without))]
        top += share * (rates[0] - rates[1])
        bottom += share
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def pull_intervals(
    present: sparse.csr_array, codes: NDArray[np.int64], labels: NDArray[np.int64], features: NDArray[np.int64], classes: NDArray[np.int64],
    *, resamples: int, seed: int,
) -> tuple[Numbers, Numbers, Numbers]:  # fmt: skip
    """Pull of each feature for its class with its 95 % bootstrap interval over documents."""
    exact = pulls(present, codes, labels, features, classes, np.ones((1, len(codes))))[0]
    draws = [pulls(present, codes, labels, features, classes, weight) for weight in weights(len(codes), resamples, seed)]
    low, high = interval(np.concatenate(draws) if draws else np.zeros((0, len(features))))
    return exact, low, high
