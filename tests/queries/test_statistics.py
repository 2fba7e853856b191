"""The bootstrap over documents against scipy's, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

from workbench.queries.resampling import divided, interval, resampled
from workbench.queries.statistics import ratio_interval


def test_the_interval_is_that_of_scipy() -> None:
    random = np.random.default_rng(3)
    occurrences = random.integers(1, 4, size=80).astype(float)
    sums = random.normal(0.3, 1, size=80) * occurrences
    low, high = ratio_interval(sums, occurrences, resamples=4000, seed=0)
    reference = stats.bootstrap(
        (sums, occurrences), lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis), paired=True, vectorized=True, n_resamples=4000,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.03)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    covered = 0
    for trial in range(200):
        sums = random.normal(1.0, 1.0, size=40)
        low, high = ratio_interval(sums, np.ones(40), resamples=300, seed=trial)
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_very_many_documents_are_drawn_in_groups_with_the_interval_of_the_normal_law() -> None:
    random = np.random.default_rng(5)
    occurrences = random.integers(1, 4, size=50_000).astype(float)
    sums = random.normal(0.3, 1, size=50_000) * occurrences
    ratio = sums.sum() / occurrences.sum()
    spread = 1.96 * np.std(sums - ratio * occurrences) / np.sqrt(50_000) / occurrences.mean()
    assert ratio_interval(sums, occurrences, resamples=2000, seed=0) == pytest.approx((ratio - spread, ratio + spread), abs=0.1 * spread)
    both = sparse.csr_array(np.stack([sums, occurrences], axis=1))
    low, high = interval(divided(*(part[:, None] for part in resampled(both, 2000, 0).T)))
    assert (low[0], high[0]) == pytest.approx((ratio - spread, ratio + spread), abs=0.1 * spread)


def test_one_document_has_no_interval_and_a_seed_repeats() -> None:
    assert np.isnan(ratio_interval(np.ones(1), np.ones(1), resamples=10, seed=0)).all()
    sums, occurrences = np.arange(5000.0), np.ones(5000)
    assert ratio_interval(sums, occurrences, resamples=1000, seed=[1, 2]) == ratio_interval(sums, occurrences, resamples=1000, seed=[1, 2])
