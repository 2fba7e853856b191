"""Where Bengali spelling allows a sign to stand: what an edit of letters must not break."""

from __future__ import annotations

from functools import lru_cache

import regex

from workbench.annotation.lexicon import key

_CONSONANT = "\u0995-\u09b9\u09dc\u09dd\u09df\u09f0\u09f1"
_VOWEL = "\u0985-\u0990\u0993\u0994\u09e0\u09e1"
_VOWEL_SIGN = "\u09be-\u09cc\u09d7\u09e2\u09e3"
_NUKTA, _HASANTA, _NASAL, _CLOSING = "\u09bc", "\u09cd", "\u0981", "\u0982\u0983"  # ়, ্, ঁ, ং and ঃ
_SIGN = _VOWEL_SIGN + _NUKTA + _HASANTA + _NASAL + _CLOSING
_ONE = (("\u09a1\u09bc", "\u09dc"), ("\u09a2\u09bc", "\u09dd"), ("\u09af\u09bc", "\u09df"), ("অা", "আ"))

# অ্যা and এ্যা have their hasanta after a vowel.
_FAULT = regex.compile(
    rf"(?<![{_CONSONANT}]){_NUKTA}"
    rf"|(?<![{_CONSONANT}{_NUKTA}])[{_VOWEL_SIGN}]"
    rf"|(?<![{_CONSONANT}{_NUKTA}অএ]){_HASANTA}|{_HASANTA}(?![{_CONSONANT}])"
    rf"|(?<![{_CONSONANT}{_NUKTA}{_VOWEL}{_VOWEL_SIGN}]){_NASAL}"
    rf"|(?<![{_CONSONANT}{_NUKTA}{_VOWEL}{_VOWEL_SIGN}{_NASAL}])[{_CLOSING}]"
    rf"|(?<![\p{{L}}\p{{M}}])(?![{_SIGN}])\p{{M}}"
)


@lru_cache(maxsize=1 << 16)
def letters(form: str) -> str:
    """A form without joiners, each letter one code point: ড়, ঢ়, য় and আ cannot be cut in two by whoever edits code points."""
    form = key(form)
    for two, one in _ONE:
        form = form.replace(two, one)
    return form


@lru_cache(maxsize=1 << 16)
def faults(form: str) -> frozenset[str]:
    """Signs that stand where no letter takes them, each after the character before it: a nukta after a vowel, a hasanta at the end."""
    whole = letters(form)
    return frozenset(whole[max(match.start() - 1, 0) : match.end()] for match in _FAULT.finditer(whole))


def well_formed(lemma: str, form: str) -> bool:
    """Whether a lemma has anything to see and no fault but those of its form (posts have many: নাাা)."""
    found = faults(lemma)
    return bool(lemma.strip()) and (not found or found <= faults(form))
