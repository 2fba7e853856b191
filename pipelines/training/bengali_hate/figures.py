"""Scores of predictions: macro-F1, F1 of each class and accuracy, on the published and on the clean test posts; votes of an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from pipelines.training.bengali_hate.baseline import Probabilities
from pipelines.training.bengali_hate.posts import LABELS, Post


def scores(predicted: np.ndarray[Any, Any], posts: list[Post], chosen: list[bool]) -> dict[str, float]:
    """Accuracy, macro-F1 and F1 by class of the chosen posts, rounded to four digits."""
    truth = np.array([post.label for post in posts])[chosen]
    single = f1_score(truth, predicted[chosen], average=None, labels=range(len(LABELS)))
    found = {"posts": len(truth), "accuracy": float((truth == predicted[chosen]).mean()), "macro_f1": float(single.mean())}
    found |= {f"f1_{label}": float(value) for label, value in zip(LABELS, single, strict=True)}
    return {name: round(value, 4) for name, value in found.items()}


def both(predicted: np.ndarray[Any, Any], test: list[Post], clean: list[bool]) -> dict[str, dict[str, float]]:
    """Scores on all published test posts and on the clean ones."""
    return {"published": scores(predicted, test, [True] * len(test)), "clean": scores(predicted, test, clean)}


def mean_probability(members: list[Probabilities]) -> np.ndarray[Any, Any]:
    """Predicted labels by the mean of the members' probabilities."""
    return np.asarray(np.mean(members, axis=0).argmax(axis=1))


def majority(members: list[Probabilities]) -> np.ndarray[Any, Any]:
    """Predicted labels by majority vote; a tie goes to the tied label with the highest mean probability."""
    votes = np.sum([np.eye(len(LABELS))[member.argmax(axis=1)] for member in members], axis=0)
    return np.asarray((votes + 0.5 * np.mean(members, axis=0)).argmax(axis=1))


def spread(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Mean, standard deviation, least and greatest macro-F1 over several seeds."""
    result = {}
    for part in ("published", "clean"):
        values = np.array([run[part]["macro_f1"] for run in runs])
        summary = {"mean": values.mean(), "deviation": values.std(ddof=1), "least": values.min(), "greatest": values.max()}
        result[part] = {name: round(float(value), 4) for name, value in summary.items()}
    return result
