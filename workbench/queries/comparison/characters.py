"""Common ground of two readings of a text: its characters. Relevance is shared out over them, and nothing of it is lost.

1. A token (or word) shares its relevance equally among the characters that it covers and that can be seen, or, where it covers blanks
   alone, among these; what covers no character at all (special tokens) stays outside.
2. Where the two texts are not the same (one lower-cased, one normalised), a character of one belongs to that of the other which stands at
   its place once both are folded; characters that only one text has stay outside too.
3. Atoms are the stretches between any two neighbouring borders of either reading. Sums over atoms and outside are those of the tokens.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

import numpy as np
import regex
from numpy.typing import NDArray

from workbench.graphemes import graphemes

Places = NDArray[np.int64]
Numbers = NDArray[np.float64]

#: Stands for a character without a partner in the other text.
NOWHERE = -1
_PARTS = regex.compile(r"\w+|\s+|.", flags=regex.DOTALL)


def shared_out(text: str, starts: Places, ends: Places, relevance: Numbers) -> tuple[Numbers, float]:
    """Relevance by character of the text, and what covers none; both together sum to the given relevance.

    `starts`, `ends` and `relevance` have one entry a token; spans may overlap.
    """
    length = len(text)
    seen = np.fromiter((not sign.isspace() for sign in text), np.int64, length)
    before = np.concatenate([[0], np.cumsum(seen)])
    visible = before[ends] - before[starts]
    covers = ends > starts
    found = np.zeros(length)
    for blank in (False, True):  # a token of blanks alone has nothing else to give its relevance to
        chosen = covers & ((visible == 0) == blank)
        size = (ends - starts if blank else visible)[chosen]
        steps = np.zeros(length + 1)
        np.add.at(steps, starts[chosen], relevance[chosen] / size)
        np.add.at(steps, ends[chosen], -relevance[chosen] / size)
        spread = np.cumsum(steps)[:length]
        found += spread if blank else spread * seen
    return found, float(relevance[~covers].sum())


def partners(text: str, other: str) -> Places:
    """For each character of `other` its place in `text`, -1 for none; exact where both texts are the same but for case and normal form."""
    if text == other:
        return np.arange(len(other), dtype=np.int64)
    (mine, my_places), (its, its_places) = folded(text), folded(other)
    found = np.full(len(other), NOWHERE, dtype=np.int64)
    if mine == its:
        found[its_places[::-1]] = my_places[::-1]  # of several folded characters the first says where it belongs
        return with_marks(other, found)
    parts, its_parts = _PARTS.findall(mine), _PARTS.findall(its)
    starts, its_starts = (np.concatenate([[0], np.cumsum([len(part) for part in cut])]) for cut in (parts, its_parts))
    for kind, *ends in SequenceMatcher(None, parts, its_parts, autojunk=False).get_opcodes():
        (start, end), (its_start, its_end) = (starts[place] for place in ends[:2]), (its_starts[place] for place in ends[2:])
        if kind == "equal":
            blocks = [(start, its_start, end - start)]
        elif kind == "replace":  # letter by letter
            inner = SequenceMatcher(None, mine[start:end], its[its_start:its_end], autojunk=False).get_matching_blocks()
            blocks = [(start + block.a, its_start + block.b, block.size) for block in inner]
        else:
            continue
        for own, its_own, size in blocks:
            steps = np.arange(size)[::-1]
            found[its_places[its_own + steps]] = my_places[own + steps]
    return with_marks(other, found)


def with_marks(other: str, found: Places) -> Places:
    """Marks that folding joined to their letter have its place."""
    for start, end in graphemes(other):
        for place in range(start + 1, end):
            if found[place] == NOWHERE:
                found[place] = found[place - 1]
    return found


def folded(text: str) -> tuple[str, Places]:
    """The text without case, in NFC by letter with its marks, and for each character of that its place in the text.

    A letter and its marks are folded together, so that a composed and a decomposed accent are the same.
    """
    parts: list[str] = []
    places: list[int] = []
    for start, end in graphemes(text):
        part = unicodedata.normalize("NFC", text[start:end].casefold())
        parts.append(part)
        places += [start + min(place, end - start - 1) for place in range(len(part))]
    return "".join(parts), np.asarray(places, dtype=np.int64)


def moved(relevance: Numbers, place: Places, length: int) -> tuple[Numbers, float]:
    """Relevance by character carried to a text of `length` characters by `partners`, and what has no place there."""
    found = np.zeros(length)
    here = place != NOWHERE
    np.add.at(found, place[here], relevance[here])
    return found, float(relevance[~here].sum())


def atoms(length: int, *borders: Places) -> tuple[Places, Places]:
    """Starts and ends of the stretches between neighbouring borders of all readings; together they cover the text."""
    ends = np.unique(np.concatenate([[0, length], *borders])).astype(np.int64)
    return ends[:-1], ends[1:]


def summed(relevance: Numbers, starts: Places, ends: Places) -> Numbers:
    """Sums of relevance by character over spans that do not overlap."""
    before = np.concatenate([[0.0], np.cumsum(relevance)])
    return np.asarray(before[ends] - before[starts])
