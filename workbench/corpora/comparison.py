"""Text as it is compared, never as it is kept: two texts are the same when they differ only in encoding, punctuation, spacing or case."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

import regex

_FORMAT = regex.compile(r"\p{Cf}+")
_BETWEEN_WORDS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def comparable(text: str) -> str:
    """The text in canonical composition without joiners and case, one blank between words; a text without letters keeps its signs."""
    composed = unicodedata.normalize("NFC", _FORMAT.sub("", unicodedata.normalize("NFC", text))).casefold()
    words = _BETWEEN_WORDS.sub(" ", composed).strip()
    return words or " ".join(text.split())


def digest(*texts: str) -> bytes:
    """Sixteen bytes that are equal when all comparable texts are equal, one by one."""
    joined = "\0".join(comparable(text) for text in texts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()
