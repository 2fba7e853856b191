"""Agreement with rationales, worked out on paper, against scikit-learn and against slow sets where they say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, f1_score, precision_recall_curve

from workbench.evaluation.rationale_metrics import agreement, auprc, hard, intersection_over_union, iou_f1, spans, token_f1


def mask(marks: str) -> np.ndarray:
    """`.##.` as a mask."""
    return np.array([mark == "#" for mark in marks])


def test_hard_rationale_takes_the_share_rounded_and_at_least_one_word() -> None:
    scores = np.array([0.1, 0.9, -3.0, 0.5, 0.9])
    assert hard(scores, 0.4).tolist() == mask(".#..#").tolist()  # 2 of 5
    assert hard(scores, 0.5).tolist() == mask(".#.##").tolist()  # 2.5 is rounded up
    assert hard(scores, 0.01).tolist() == mask(".#...").tolist()  # the earlier of the two equals
    assert hard(scores, 1.0).all()
    assert hard(np.zeros(1), 0.3).all()


def test_spans_are_runs() -> None:
    assert spans(mask("##..#.#")) == [(0, 2), (4, 5), (6, 7)]
    assert spans(mask("...")) == []
    assert spans(mask("###")) == [(0, 3)]


def test_token_f1_on_paper() -> None:
    """Two of three predicted are gold, two of four gold are predicted: P = 2/3, R = 1/2, F1 = 4/7."""
    assert token_f1(mask("##..#..."), mask("##....##")) == pytest.approx(4 / 7)
    assert token_f1(mask("#..."), mask("...#")) == 0.0


def test_intersection_over_union_on_paper() -> None:
    assert intersection_over_union((0, 2), (1, 4)) == pytest.approx(1 / 4)
    assert intersection_over_union((0, 2), (2, 4)) == 0.0
    assert intersection_over_union((3, 6), (3, 6)) == 1.0


def test_iou_f1_on_paper() -> None:
    """(0, 1) against (0, 2) has 1/2: found. (4, 8) against (5, 6) has 1/4: not. (9, 10) is no gold span. P = 1/3, R = 1/2, F1 = 2/5."""
    assert iou_f1(mask("#...####.#"), mask("##...#....")) == pytest.approx(2 / 5)
    assert iou_f1(mask("##.#"), mask("##.#")) == 1.0
    assert iou_f1(mask("#..."), mask("####")) == 0.0
    assert iou_f1(mask("#..."), mask("####"), threshold=0.25) == 1.0


def test_auprc_on_paper_is_the_area_by_trapezoids_not_average_precision() -> None:
    """Points (recall, precision): (0, 1), (1/2, 1), (1/2, 1/2), (1, 2/3): area 1/2 + 7/24; average precision would be 5/6."""
    assert auprc(np.array([3.0, 2.0, 1.0]), mask("#.#")) == pytest.approx(1 / 2 + 7 / 24)
    assert auprc(np.array([3.0, 1.0, 2.0]), mask("#.#")) == pytest.approx(1.0)
    assert auprc(np.array([0.5, 0.5]), mask("#.")) == pytest.approx(0.75)  # equals enter together: from (0, 1) to (1, 1/2)


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = draw(st.integers(1, 14))
    marks = st.lists(st.booleans(), min_size=size, max_size=size).filter(any).map(np.array)
    scores = draw(st.lists(st.integers(-5, 5), min_size=size, max_size=size))
    return np.array(scores, dtype=float), draw(marks), draw(marks)


@given(cases())
def test_token_f1_and_auprc_are_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    scores, predicted, gold = case
    assert token_f1(predicted, gold) == pytest.approx(f1_score(gold, predicted, zero_division=0))
    precision, recall, _ = precision_recall_curve(gold, scores)
    assert auprc(scores, gold) == pytest.approx(auc(recall, precision))


@given(cases())
def test_iou_f1_is_that_of_slow_sets(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """As the published code counts: words of a span as a set, best overlap of each predicted span."""
    _, predicted, gold = case
    sets = [[set(range(*span)) for span in spans(marks)] for marks in (predicted, gold)]
    found = sum(max(len(one & other) / len(one | other) for other in sets[1]) >= 0.5 for one in sets[0])
    precision, recall = found / len(sets[0]), found / len(sets[1])
    assert recall <= 1
    assert iou_f1(predicted, gold) == pytest.approx(2 * precision * recall / (precision + recall) if found else 0.0)


@given(cases())
def test_scores_that_follow_the_gold_words_agree_wholly(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, _, gold = case
    found = agreement(gold.astype(float), gold, gold.mean())
    assert found == {"token_f1": 1.0, "iou_f1": 1.0, "auprc": pytest.approx(1.0)}
