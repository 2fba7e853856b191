"""How well word scores agree with a gold rationale (the words that people marked), for one text, as ERASER measures plausibility.

DeYoung et al., ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL 2020; the definitions follow its published code
(`rationale_benchmark/metrics.py`). With s the scores of the n words of a text and g the gold rationale:

1. the hard rationale h: the k best words, k = share * n rounded, at least 1, where share is the mean share of marked words in the corpus
   (equal scores: the earlier word first);
2. token F1: precision |h & g| / |h| and recall |h & g| / |g|;
3. IOU F1: h and g as spans (runs of neighbouring words); a span of h is found where its best intersection over union with a span of g is
   at least 0.5; precision and recall count spans;
4. AUPRC: the area under precision over recall of s against g, by trapezoids (`auc(recall, precision)`); this is not average precision.

Agreement is plausibility: it says whether a model looks where people look, not whether the scores are true of the model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, precision_recall_curve

THRESHOLD = 0.5

Mask = NDArray[np.bool_]


def hard(scores: NDArray[np.floating], share: float) -> Mask:
    """The `share` of words with the largest scores: at least one, equal scores in the order of the text."""
    count = min(len(scores), max(1, int(np.floor(share * len(scores) + 0.5))))
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def spans(mask: Mask) -> list[tuple[int, int]]:
    """Runs of neighbouring marked words as (first, end), end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def f1(precision: float, recall: float) -> float:
    """The harmonic mean, 0 where either is 0."""
    return 0.0 if precision == 0 or recall == 0 else 2 * precision * recall / (precision + recall)


def token_f1(predicted: Mask, gold: Mask) -> float:
    """F1 of the words; both must mark at least one."""
    both = float((predicted & gold).sum())
    return f1(both / float(predicted.sum()), both / float(gold.sum()))


def iou_f1(predicted: Mask, gold: Mask, threshold: float = THRESHOLD) -> float:
    """F1 of the spans, one counting as found where its best intersection over union with a gold span reaches the threshold.

    Runs have a gap between them, so that at a threshold of 0.5 or more no two of them find the same gold span.
    """
    wanted, given = spans(gold), spans(predicted)
    found = sum(max(intersection_over_union(span, other) for other in wanted) >= threshold for span in given)
    return f1(found / len(given), found / len(wanted))


def intersection_over_union(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Words in both spans over words in either."""
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def auprc(scores: NDArray[np.floating], gold: Mask) -> float:
    """Area under the precision-recall curve of the scores against the gold words, by trapezoids."""
    precision, recall, _ = precision_recall_curve(gold, scores)
    return float(auc(recall, precision))


def agreement(scores: NDArray[np.floating], gold: Mask, share: float) -> dict[str, float]:
    """All three by name for one text with at least one marked word."""
    predicted = hard(scores, share)
    return {"token_f1": token_f1(predicted, gold), "iou_f1": iou_f1(predicted, gold), "auprc": auprc(scores, gold)}
