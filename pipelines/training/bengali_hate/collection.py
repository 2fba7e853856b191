"""Plain Bengali text under permissive licences for the masked-language start, without the posts held out for selection and test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex

from pipelines.training.bengali_hate.posts import near_duplicates, normalised, read_split

MARKS = {"COMMA": ",", "PERIOD": "।", "QUESTION": "?", "EXCLAMATION": "!", "COLON": ":", "SEMICOLON": ";"}
LONGEST = 60


def sentiment(folder: Path) -> Iterator[str]:
    """Comments and reviews of the sentiment set of Karim et al. (MIT)."""
    for path in sorted(folder.glob("t*.*.txt")):
        yield from path.read_text(encoding="utf-8").splitlines()
    table = (folder / "Bengali_Hate_Speech_Dataset_Revised.csv").read_text(encoding="utf-8").splitlines()
    yield from (line.split("\t", 1)[1] for line in table[1:] if "\t" in line)


def news(path: Path) -> Iterator[str]:
    """Sentences of the punctuation restoration set (MIT), rebuilt from one word and the mark after it on each line."""
    sentence: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, mark = line.partition("\t")
        sentence.append(word + MARKS.get(mark.strip(), ""))
        if mark.strip() in {"PERIOD", "QUESTION", "EXCLAMATION"}:
            yield " ".join(sentence)
            sentence = []


def leaves(node: Any) -> Iterator[str]:
    """Every string in a nested JSON value."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from leaves(child)


def library(folder: Path) -> Iterator[str]:
    """Sentences of three public-domain books transcribed at Wikisource (Creative Commons)."""
    for path in sorted(folder.glob("wikisource_*.json")):
        book = json.loads(path.read_text(encoding="utf-8"))["text"]
        for paragraph in leaves(book):
            yield from regex.split(r"(?<=[।?!])\s+", paragraph)


def cut(text: str) -> Iterator[str]:
    """Pieces of at most LONGEST whitespace words."""
    parts = text.split()
    for start in range(0, len(parts), LONGEST):
        yield " ".join(parts[start : start + LONGEST])


def collect(mirror: Path) -> list[str]:
    """Distinct texts of at least three words, none equal or close to a validation or test post; order is fixed by the files."""
    bengali = mirror / "bengali"
    held_out = [post.text for split in ("validation", "test") for post in read_split(mirror, split)]
    raw = [post.text for post in read_split(mirror, "train")]
    raw += sentiment(bengali / "karim_sentiment")
    for name in ("punct_bn_dev", "punct_bn_test_news"):
        raw += news(bengali / "text" / name)
    raw += library(bengali / "text")
    distinct = {normalised(piece): piece for text in raw for piece in cut(text) if piece.count(" ") >= 2}
    texts = list(distinct.values())
    close = near_duplicates(texts, held_out)
    return [text for text, drop in zip(texts, close, strict=True) if not drop]
