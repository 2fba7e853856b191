"""Texts with a known signal: what a relevance method ought to find, fixed by construction.

Bastings et al. 2022 ("Will you find these shortcuts?") plant rare tokens that decide the label; here the whole text is random words of a
small vocabulary around the planted ones, `[CLS] word ... word [SEP]`, so nothing else can carry the label:

* single token: one of two marker words stands somewhere, which of them decides the label;
* ordered pair: both markers stand somewhere, which comes first decides (each alone says nothing);
* position only: one marker stands somewhere, the half of the text in which it stands decides;
* random labels: no marker, labels are coin flips.

The control text of each is the same text with random words in place of the markers: a model that relies on the markers is at chance there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.evaluation.removal import Text, text

Task: TypeAlias = Literal["single_token", "ordered_pair", "position_only", "random_labels"]
TASKS: tuple[Task, ...] = get_args(Task)

VOCABULARY = 100
LENGTH = 24
PAD, CLS, SEP, MASK, MARKER_A, MARKER_B, FIRST_FILLER = range(7)


@dataclass(frozen=True, slots=True)
class PlantedTexts:
    """Texts of one task: `ids` and `control` `(text, token)`, `labels` `(text,)`, `planted` marks the tokens that carry the signal."""

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    planted: NDArray[np.bool_]
    control: NDArray[np.int64]


def planted_texts(task: Task, count: int, random: np.random.Generator) -> PlantedTexts:
    """`count` texts of a task with both labels about equally frequent."""
    ids = random.integers(FIRST_FILLER, VOCABULARY, (count, LENGTH))
    ids[:, 0], ids[:, -1] = CLS, SEP
    control = ids.copy()
    rows = np.arange(count)
    labels = random.integers(0, 2, count)
    slots = np.sort(np.argsort(random.random((count, LENGTH - 2)), axis=1)[:, :2], axis=1) + 1
    if task == "single_token":
        ids[rows, slots[:, 0]] = np.where(labels == 1, MARKER_B, MARKER_A)
    elif task == "ordered_pair":
        ids[rows, slots[:, 0]] = np.where(labels == 1, MARKER_A, MARKER_B)
        ids[rows, slots[:, 1]] = np.where(labels == 1, MARKER_B, MARKER_A)
    elif task == "position_only":
        half = (LENGTH - 2) // 2
        ids[rows, 1 + random.integers(0, half, count) + half * labels] = MARKER_A
    return PlantedTexts(ids, labels, np.isin(ids, (MARKER_A, MARKER_B)), control)


def planted_text(ids: NDArray[np.int64]) -> Text:
    """The text as the methods see it: every token but [CLS] and [SEP] is a word of its own, written w4 w17 and so on."""
    tokens = [f"w{identifier}" for identifier in ids.tolist()]
    ends = np.cumsum([0, *(len(token) + 1 for token in tokens[1:-1])]).tolist()
    spans = [(0, 0), *((start, end - 1) for start, end in pairwise(ends)), (0, 0)]
    special = [True, *(False for _ in tokens[1:-1]), True]
    words = [Word(index, start, end, token) for index, ((start, end), token) in enumerate(zip(spans[1:-1], tokens[1:-1], strict=True))]
    return text([Encoding(tuple(ids.tolist()), tuple(tokens), tuple(spans), tuple(special))], words)
