"""The words of a text in another order, fewer or more of them: what tests whether a model relies on a place, or on length.

1. Move: each run of chosen words changes places with a run of as many other words, at least a fifth of the text away; all others stay where
   they are, and within a run the words stay together. Matched random edits: two runs of other words change places, about as far.
2. Length: n words of those that may go (chosen) are drawn. Where the text gets shorter they leave; where it gets longer a repeat of another
   chosen word is put in front of each. Matched random edits: such repeats stand in the place of the same words, so that as much is
   lost and repeated, and the length is what it was.

Words take their tokens along, so that no token boundary moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.removal import NOBODY, Text

#: Places in the words of a text, in the order in which they are put.
Order: TypeAlias = tuple[int, ...]
#: A moved run leaves its part of the text: it goes at least this share of the text's words away.
FAR = 5


def arranged(text: Text, order: Sequence[int]) -> Text:
    """The text with its words in an order, which may leave some out or repeat some; special tokens stay at both ends."""
    encodings = []
    for encoding, owners in zip(text.encodings, text.owners, strict=True):
        tokens: dict[int, list[int]] = {}
        for place, owner in enumerate(owners):
            tokens.setdefault(owner, []).append(place)
        owned = [place for place, owner in enumerate(owners) if owner != NOBODY]
        first, last = (owned[0], owned[-1]) if owned else (0, -1)
        special = tokens.get(NOBODY, [])
        middle = [place for word in order for place in tokens.get(word, [])]
        places = [*(one for one in special if one < first), *middle, *(one for one in special if one > last)]
        encodings.append(replace(
            encoding, ids=tuple(encoding.ids[place] for place in places), tokens=tuple(encoding.tokens[place] for place in places),
            spans=tuple(encoding.spans[place] for place in places), special=tuple(encoding.special[place] for place in places),
        ))  # fmt: skip
    return Text((), tuple(encodings), tuple((NOBODY,) * len(encoding.ids) for encoding in encodings))


def moved(words: int, chosen: Sequence[int], random: np.random.Generator) -> tuple[Order, Order] | None:
    """The order of `words` words after moving the chosen ones, and that of a matched random move; None where there is no room."""
    edit, control = list(range(words)), list(range(words))
    free = np.ones(words, dtype=np.bool_)
    free[list(chosen)] = False
    least = -(-words // FAR)
    edit_free, control_free = free.copy(), free
    for start, length in runs(chosen):
        starts = open_starts(edit_free, length)
        starts = starts[np.abs(starts - start) >= max(least, length)]
        if not len(starts):
            return None
        goal = int(random.choice(starts))
        exchange(edit, start, goal, length)
        edit_free[goal : goal + length] = False
        pairs = control_pairs(open_starts(control_free, length), length, abs(goal - start))
        if not len(pairs):
            return None
        one, other = pairs[int(random.integers(len(pairs)))].tolist()
        exchange(control, one, other, length)
        control_free[one : one + length] = control_free[other : other + length] = False
    return tuple(edit), tuple(control)


def runs(chosen: Sequence[int]) -> list[tuple[int, int]]:
    """First place and length of each run of places without a gap."""
    found: list[tuple[int, int]] = []
    for place in sorted(chosen):
        if found and place == sum(found[-1]):
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((place, 1))
    return found


def open_starts(free: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Places from which on so many words are free."""
    if len(free) < length:
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.lib.stride_tricks.sliding_window_view(free, length).all(1))


def control_pairs(starts: NDArray[np.int64], length: int, distance: int) -> NDArray[np.int64]:
    """Pairs of runs that do not touch each other `(pair two)`, those whose distance is nearest to the wanted one."""
    apart = starts[None, :] - starts[:, None]
    lacking = np.where(apart >= length, np.abs(apart - distance), np.iinfo(np.int64).max)
    nearest = lacking.min(initial=np.iinfo(np.int64).max)
    if nearest == np.iinfo(np.int64).max:
        return np.zeros((0, 2), np.int64)
    return starts[np.argwhere(lacking == nearest)]


def exchange(order: list[int], one: int, other: int, length: int) -> None:
    """Let two runs change places."""
    order[one : one + length], order[other : other + length] = order[other : other + length], order[one : one + length]


def lengths(sizes: NDArray[np.int64], chosen: Sequence[int], words: int, random: np.random.Generator) -> tuple[Order, Order] | None:
    """The order after coming as near to `words` words as half of the chosen ones allow, and that of a matched random edit of one length.

    `sizes` are the tokens of each word. None where the text has so many words already, or too few are chosen.
    """
    whole = len(sizes)
    count = cut(whole, len(chosen), words)
    if count == 0:
        return None
    drawn = random.permutation(list(chosen))
    leaving, staying = sorted(drawn[:count].tolist()), drawn[count:]
    repeats = {}
    for place in leaving:
        distance = np.abs(sizes[staying] - sizes[place])
        repeats[place] = int(random.choice(staying[distance == distance.min()]))
    control = tuple(repeats.get(place, place) for place in range(whole))
    if words < whole:
        return tuple(place for place in range(whole) if place not in repeats), control
    return tuple(one for place in range(whole) for one in ((repeats[place], place) if place in repeats else (place,))), control


def cut(whole: int, chosen: int, words: int) -> int:
    """How many words leave or are repeated: half of the chosen ones at most, as others of them stand in for them."""
    return min(abs(whole - words), chosen // 2)
