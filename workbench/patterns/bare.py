"""Words without quotes: quotes are hard to get past a shell, so that one bare word may stand for the pattern of its form."""

from __future__ import annotations

import unicodedata

#: Signs that stand within words and mean nothing in a pattern.
WITHIN, BEFORE = "-'’_", "@#"


def letter(sign: str) -> bool:
    """Whether a sign is a letter, a number, or what belongs to one: vowel signs and accents, joiners."""
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc", "Me", "Cf")


def bare_word(text: str, place: int) -> str:
    """The letters that stand at a place."""
    end = place
    while end < len(text) and letter(text[end]):
        end += 1
    return text[place:end]


def as_pattern(text: str) -> str:
    """The pattern of a form where the text is one bare word; else the text as it is."""
    word = text.strip()
    bare = bool(word) and (letter(word[0]) or (word[0] in BEFORE and len(word) > 1))
    return f'"{word}"' if bare and all(letter(sign) or sign in WITHIN for sign in word[1:]) else text
