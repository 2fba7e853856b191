"""Parallel text to learn from and to be judged on: sentence pairs by collection, cleaned in the same way for every model."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import regex

Pair = tuple[str, str]
"""One sentence in two languages; English is always the second."""

LONGEST = 100
"""Words of the longer side; longer lines are mostly misaligned and cost the most."""
SPACES = regex.compile(r"\s+")


def lines(path: Path) -> list[str]:
    """The lines of a text file; only a line feed ends one."""
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def multi30k(mirror: Path, part: str) -> Iterator[Pair]:
    """Captions of pictures, French and English."""
    folder = mirror / "nmt" / "multi30k"
    yield from zip(lines(folder / f"{part}.fr"), lines(folder / f"{part}.en"), strict=True)


def tatoeba(mirror: Path) -> Iterator[Pair]:
    """Everyday sentences, French and English."""
    for line in lines(mirror / "nmt" / "fra-eng" / "fra.txt"):
        english, french = line.split("\t")[:2]
        yield french, english


def testament(mirror: Path) -> Iterator[Pair]:
    """Verses of the New Testament, Gujarati and English; rows of any other origin are left out, for their licences differ."""
    for line in lines(mirror / "nmt" / "gu-en" / "train.gu-en.bible-nt.tsv"):
        gujarati, english, origin = line.split("\t")
        if origin == "bible-nt":
            yield gujarati, english


def government(mirror: Path) -> Iterator[Pair]:
    """News of two Kazakh ministries, Kazakh and English, in small letters and with spaces around punctuation."""
    for line in lines(mirror / "nmt" / "kk-en" / "train.kk-en.ge05.tsv"):
        kazakh, english = line.split("\t")[:2]
        yield joined(kazakh), joined(english)


def joined(text: str) -> str:
    """Text whose punctuation stood apart, written as people write it."""
    text = regex.sub(r" ([,.;:!?%)\]»])", r"\1", text)
    text = regex.sub(r"([(\[«]) ", r"\1", text)
    return regex.sub(r" ?('(?:s|re|ve|ll|d|m|t)\b)", r"\1", text)


COLLECTIONS: dict[str, Callable[[Path], Iterator[Pair]]] = {
    "multi30k": lambda mirror: multi30k(mirror, "train"),
    "tatoeba": tatoeba,
    "testament": testament,
    "government": government,
}


def clean(text: str) -> str:
    """Composed letters, plain spaces and apostrophes: what the tokenizer's own normaliser makes of a text."""
    return SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("’", "'")).strip()


def fraction(pair: Pair) -> float:
    """A fixed number in [0, 1) for a pair, by which parts are divided: equal wherever and in whatever order it is computed.

    Pairs with the same English side get the same number, so that no sentence stands on both sides of a division.
    """
    return int.from_bytes(hashlib.sha256(pair[1].lower().encode()).digest()[:8]) / 2**64


def collect(mirror: Path, collection: str, held_out: set[str]) -> list[Pair]:
    """Distinct clean pairs of a collection, without any whose one side (in small letters) is held out; in the order of the files."""
    pairs = dict.fromkeys((clean(one), clean(other)) for one, other in COLLECTIONS[collection](mirror))
    return [pair for pair in pairs if fit(pair) and held_out.isdisjoint(side.lower() for side in pair)]


def fit(pair: Pair) -> bool:
    """Whether both sides hold text of a reasonable length, neither of them more than three times as long as the other (plus five words)."""
    one, other = (len(side.split()) for side in pair)
    return 0 < one <= LONGEST and 0 < other <= LONGEST and one <= 3 * other + 5 and other <= 3 * one + 5
