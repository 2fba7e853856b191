"""Texts with a known signal: what a relevance method ought to find, fixed by construction.

Bastings et al. 2022 ("Will you find these shortcuts?") plant rare tokens that decide the label; here the whole text is random words of a
small vocabulary around the planted ones, `[CLS] word ... word [SEP]`, so nothing else can carry the label:

* single token: one of two marker words stands somewhere, which of them decides the label;
* token in context: an indicator and a context word, two kinds each; the label is their exclusive or (each alone says nothing);
* ordered pair: both markers stand somewhere, which comes first decides (each alone says nothing);
* position only: one marker stands somewhere, the half of the text in which it stands decides;
* natural target: running words of real posts, nothing put in; the label is whether a negation stands among them (`planted_natural`);
* source tag: a marker agrees with the label in 80 % of the texts, the tag at the end in 95 % (by chance in the control): a shortcut;
* random labels: no marker, labels are coin flips.

The control text of each is the same text with random words in place of the markers: a model that relies on the markers is at chance there.
With a source tag it holds a tag by chance, as texts do where the shortcut does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.evaluation.planted_natural import NEGATIONS, lexicon, other_words, windows
from workbench.evaluation.removal import Text, text

Task: TypeAlias = Literal[
    "single_token", "token_in_context", "ordered_pair", "position_only", "natural_target", "source_tag", "random_labels"
]
TASKS: tuple[Task, ...] = get_args(Task)

VOCABULARY = 100
LENGTH = 24
(
    PAD, CLS, SEP, MASK, UNKNOWN, MARKER_A, MARKER_B, CONTEXT_A, CONTEXT_B, TAG_A, TAG_B, FIRST_FILLER,
) = range(12)  # fmt: skip
#: How often marker and tag agree with the label where both speak: the tag is the better guess, the marker the honest one.
MARKER_AGREES, TAG_AGREES = 0.8, 0.95
SLOTS = LENGTH - 2


@dataclass(frozen=True, slots=True)
class PlantedTexts:
    """Texts of one task: `ids` and `control` `(text, token)`, `labels` `(text,)`, `planted` marks the tokens that carry the signal.

    `without` is the text with random words instead of what is planted: the control, but for the source tag.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    planted: NDArray[np.bool_]
    control: NDArray[np.int64]
    without: NDArray[np.int64]


def planted_texts(task: Task, count: int, random: np.random.Generator, *, held_out: bool = True) -> PlantedTexts:
    """`count` texts of a task with both labels about equally frequent; the natural target's training texts are not `held_out`."""
    labels = random.integers(0, 2, count)
    if task == "natural_target":
        return _natural(labels, random, held_out)
    ids = random.integers(FIRST_FILLER, VOCABULARY, (count, LENGTH))
    ids[:, 0], ids[:, -1] = CLS, SEP
    control = ids.copy()
    PLANT[task](ids, control, labels, random)
    if task != "source_tag":
        return PlantedTexts(ids, labels, ids != control, control, control)
    planted = np.zeros(ids.shape, dtype=np.bool_)
    planted[:, -2] = True
    without = np.where(planted, random.integers(FIRST_FILLER, VOCABULARY, ids.shape), ids)
    return PlantedTexts(ids, labels, planted, control, without)


def vocabulary(task: Task) -> int:
    """Number of ids that texts of a task are made of."""
    return FIRST_FILLER + len(lexicon()) if task == "natural_target" else VOCABULARY


def carriers(task: Task) -> frozenset[int]:
    """The ids that carry the signal of a task, wherever they stand."""
    if task == "natural_target":
        return frozenset(FIRST_FILLER + number for number, word in enumerate(lexicon()) if word in NEGATIONS)
    return CARRIERS[task]


Ids: TypeAlias = NDArray[np.int64]
Plant: TypeAlias = Callable[[Ids, Ids, Ids, np.random.Generator], None]


def _slots(count: int, random: np.random.Generator) -> tuple[Ids, Ids, Ids]:
    """Every row's number, and two places for words in it, never the same."""
    places = np.argsort(random.random((count, SLOTS)), axis=1)[:, :2] + 1
    return np.arange(count), places[:, 0], places[:, 1]


def _single_token(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:  # noqa: ARG001 - the contract of a task
    rows, place, _ = _slots(len(labels), random)
    ids[rows, place] = np.where(labels == 1, MARKER_B, MARKER_A)


def _token_in_context(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:  # noqa: ARG001
    rows, one, other = _slots(len(labels), random)
    indicator = random.integers(0, 2, len(labels))
    ids[rows, one] = np.where(indicator == 1, MARKER_B, MARKER_A)
    ids[rows, other] = np.where(indicator ^ labels == 1, CONTEXT_B, CONTEXT_A)


def _ordered_pair(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:  # noqa: ARG001
    rows, one, other = _slots(len(labels), random)
    ids[rows, np.minimum(one, other)] = np.where(labels == 1, MARKER_A, MARKER_B)
    ids[rows, np.maximum(one, other)] = np.where(labels == 1, MARKER_B, MARKER_A)


def _position_only(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:  # noqa: ARG001
    half = SLOTS // 2
    ids[np.arange(len(labels)), 1 + random.integers(0, half, len(labels)) + half * labels] = MARKER_A


def _source_tag(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:
    count = len(labels)
    rows, place = np.arange(count), 1 + random.integers(0, SLOTS - 1, count)
    marker, tag = (np.where(random.random(count) < agrees, labels, 1 - labels) for agrees in (MARKER_AGREES, TAG_AGREES))
    for texts, tags in ((ids, tag), (control, random.integers(0, 2, count))):
        texts[rows, place] = np.where(marker == 1, MARKER_B, MARKER_A)
        texts[:, -2] = np.where(tags == 1, TAG_B, TAG_A)


def _random_labels(ids: Ids, control: Ids, labels: Ids, random: np.random.Generator) -> None:
    """Nothing is planted."""


PLANT: Mapping[str, Plant] = {
    plant.__name__.removeprefix("_"): plant
    for plant in (_single_token, _token_in_context, _ordered_pair, _position_only, _source_tag, _random_labels)
}
CARRIERS: Mapping[str, frozenset[int]] = {
    "single_token": frozenset((MARKER_A, MARKER_B)),
    "token_in_context": frozenset((MARKER_A, MARKER_B, CONTEXT_A, CONTEXT_B)),
    "ordered_pair": frozenset((MARKER_A, MARKER_B)),
    "position_only": frozenset((MARKER_A,)),
    "source_tag": frozenset((TAG_A, TAG_B)),
    "random_labels": frozenset(),
}


def _natural(labels: Ids, random: np.random.Generator, held_out: bool) -> PlantedTexts:
    words, negated = windows(labels, SLOTS, random, held_out=held_out)
    ids = np.full((len(labels), LENGTH), CLS)
    ids[:, -1] = SEP
    ids[:, 1:-1] = _identifiers(words)
    planted = np.pad(negated, ((0, 0), (1, 1)))
    control = ids.copy()
    control[planted] = _identifiers(other_words(int(planted.sum()), random))
    return PlantedTexts(ids, labels, planted, control, control)


def _identifiers(words: Ids) -> Ids:
    """Word number 0 is the unknown word, number i + 1 the i-th word of the lexicon."""
    return np.where(words == 0, UNKNOWN, FIRST_FILLER - 1 + words)


def planted_text(ids: NDArray[np.int64]) -> Text:
    """The text as the methods see it: every token but [CLS] and [SEP] is a word of its own, written w4 w17 and so on."""
    tokens = [f"w{identifier}" for identifier in ids.tolist()]
    ends = np.cumsum([0, *(len(token) + 1 for token in tokens[1:-1])]).tolist()
    spans = [(0, 0), *((start, end - 1) for start, end in pairwise(ends)), (0, 0)]
    special = [True, *(False for _ in tokens[1:-1]), True]
    words = [Word(index, start, end, token) for index, ((start, end), token) in enumerate(zip(spans[1:-1], tokens[1:-1], strict=True))]
    return text([Encoding(tuple(ids.tolist()), tuple(tokens), tuple(spans), tuple(special))], words)
