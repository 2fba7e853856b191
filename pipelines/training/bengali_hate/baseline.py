"""The baseline to beat, and the teacher: word and character n-grams with balanced logistic regression."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline, make_union

from pipelines.training.bengali_hate.posts import Post, normalised

Probabilities = NDArray[np.float64]
WORD = r"[^\s\u0964,.!?;:\"'()\[\]\u2018\u2019\u201C\u201D-]+"
"""A run of anything but blanks and the usual punctuation (danda and curly quotes among it)."""


def composed(text: str) -> str:
    """The text in NFC, single-spaced."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def untrained() -> Any:
    """TF-IDF of word 1-2-grams (split at blanks: the default pattern breaks Bengali words) and of character 2-5-grams inside words."""
    word = TfidfVectorizer(preprocessor=composed, token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    character = TfidfVectorizer(preprocessor=composed, analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    return make_pipeline(make_union(word, character), LogisticRegression(C=4.0, class_weight="balanced", max_iter=2000))


def predict(train: list[Post], texts: list[str]) -> Probabilities:
    """Probabilities (text label) of the baseline trained on `train`."""
    model = untrained().fit([post.text for post in train], [post.label for post in train])
    return np.asarray(model.predict_proba(texts))


def out_of_fold(train: list[Post], seed: int, folds: int = 5) -> Probabilities:
    """Probabilities (post label) for each training post by a baseline that saw neither it nor a post equal to it when normalised."""
    labels = np.array([post.label for post in train])
    groups = np.unique([normalised(post.text) for post in train], return_inverse=True)[1]
    result = np.zeros((len(train), labels.max() + 1))
    for kept, left in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(labels, labels, groups):
        result[left] = predict([train[index] for index in kept], [train[index].text for index in left])
    return result
