"""Rows: an English text and its translations, under the name of the source they come from."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import regex

LANGUAGES = ("en", "de", "fr", "es")
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*")

ELISION = regex.compile(r"(?<=['’])(?<!aujourd['’])")


@dataclass(frozen=True)
class Row:
    """Texts that say the same by language (`en` always, others where there are translations), and where they come from."""

    source: str
    texts: Mapping[str, str]


def spelled(text: str) -> str:
    """A text without case, punctuation and amount of spacing: two texts spelled alike are one."""
    return " ".join(WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def words(text: str, language: str) -> list[str]:
    """The words of a text in small letters; in French what an apostrophe ends is a word of its own (l'eau, not aujourd'hui)."""
    found: list[str] = WORD.findall(unicodedata.normalize("NFC", text).lower())
    if language != "fr":
        return found
    return [part for word in found for part in ELISION.split(word)]


def write(rows: Iterable[Row], path: Path) -> None:
    """Write rows as lines of JSON."""
    path.write_text("".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read(path: Path) -> list[Row]:
    """Rows as `write` left them."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
