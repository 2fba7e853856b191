"""How wide a word will be before a browser has drawn it, and which way it is read: for drawings that place words themselves."""

from __future__ import annotations

import unicodedata

NARROW, WIDE = frozenset("iljtfrI.,:;'’‘`|!()[]{}-/ "), frozenset("mwMW@%&—…")
_NO_ADVANCE = frozenset({"Mn", "Me", "Cf", "Cc"})
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def width(text: str) -> float:
    """Width in em of a sans-serif font, rather too wide than too narrow."""
    return sum(map(_advance, text))


def right_to_left(text: str) -> bool:
    """Whether the first strong letter is read from the right (Unicode Bidirectional Algorithm, rule P2)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L" or direction in _RIGHT_TO_LEFT:
            return direction in _RIGHT_TO_LEFT
    return False


def _advance(character: str) -> float:
    category = unicodedata.category(character)
    if category in _NO_ADVANCE:
        return 0.0
    if category == "Mc":
        return 0.34
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in NARROW:
        return 0.36
    if character in WIDE:
        return 0.95
    if "\u0900" <= character <= "\u0dff":  # scripts of India
        return 0.74
    return 0.72 if category == "Lu" else 0.6
