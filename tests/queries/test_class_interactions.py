"""All pairs by sums of factors equal the explicit loop over pairs, tokens and tokens."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.queries.class_interactions import class_interactions

CLASSES = ("NOUN", "VERB", "ADJ", "PUNCT")


def test_thirty_texts_equal_the_double_loop() -> None:
    random = np.random.default_rng(3)
    texts = [
        (random.normal(size=(length, 16)).astype(np.float32), [CLASSES[k] for k in random.integers(0, 4, length)])
        for length in random.integers(2, 9, 30)
    ]
    found = class_interactions(texts)
    sums, cells = np.zeros((4, 4)), np.zeros((4, 4), dtype=int)
    order = {name: place for place, name in enumerate(found.classes)}
    for (left, ours), (right, theirs) in permutations(texts, 2):
        for i, one in enumerate(ours):
            for j, other in enumerate(theirs):
                sums[order[one], order[other]] += float(left[i].astype(np.float64) @ right[j].astype(np.float64))
                cells[order[one], order[other]] += 1
    np.testing.assert_allclose(found.sums, sums, rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(found.cells, cells)
    assert found.pairs == 30 * 29
    np.testing.assert_allclose(found.means, sums / cells, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found.sums, found.sums.T)


def test_no_text_is_paired_with_itself() -> None:
    """One text has no pair; a class that stands in one text only never meets itself."""
    rows = np.eye(3, dtype=np.float32)
    alone = class_interactions([(rows, ["A", "B", "B"])])
    assert (alone.pairs, alone.sums.any(), alone.cells.any()) == (0, False, False)
    two = class_interactions([(rows, ["A", "B", "B"]), (rows[:1], ["C"])])
    assert np.isnan(two.means[0, 0])
    assert two.sums[0, 2] == two.sums[2, 0] == 1.0
    assert two.cells[1, 2] == 2
    assert class_interactions([]).classes == ()


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(InputError, match="3 tokens and 2 classes"):
        class_interactions([(np.zeros((3, 4), np.float32), ["A", "B"])])
