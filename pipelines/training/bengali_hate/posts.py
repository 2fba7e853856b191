"""The Bengali hate speech posts as published, their traps undone, and the test posts that do not leak from training."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import regex
from sklearn.feature_extraction.text import CountVectorizer

LABELS = ("Personal", "Political", "Religious", "Geopolitical")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Post:
    """One labelled post: `label` is an index into LABELS."""

    text: str
    label: int


def normalised(text: str) -> str:
    """The words of a text, NFC, without joiners, single-spaced: equal for posts that differ only in punctuation and amount of spacing."""
    plain = regex.sub(r"[\u200b-\u200d\ufeff]", "", unicodedata.normalize("NFC", text))
    return " ".join(regex.sub(r"[^\p{L}\p{M}\p{N}]+", " ", plain).split())


def compact(text: str) -> str:
    """The normalised text with all spacing gone: the strictest comparison, used to keep held-out posts out of pretraining."""
    return normalised(text).replace(" ", "")


def joined_lines(content: str) -> list[str]:
    """Lines of the file; a line that does not end in `label,code` is one record with the line after it (trap: unquoted line break)."""
    lines: list[str] = []
    pending = ""
    for line in content.split("\n"):
        pending = f"{pending} {line}" if pending else line
        if regex.search(r",(?:label,target|[A-Za-z]+\s*,\s*\d\s*)$", pending):
            lines.append(pending)
            pending = ""
    return lines


def read_split(mirror: Path, split: str) -> list[Post]:
    """All posts of a published split, in file order; labels are read by name and stripped (trap: a code followed by a blank)."""
    content = (mirror / "bengali" / "deephate" / f"{split}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO("\n".join(joined_lines(content))))
    return [Post(row["text"].strip(), LABELS.index(row["label"].strip())) for row in rows]


def clean(test: list[Post], seen: list[Post]) -> list[bool]:
    """For each test post, whether its normalised text occurs nowhere among the posts seen in training and selection."""
    known = {normalised(post.text) for post in seen}
    return [normalised(post.text) not in known for post in test]


def near_duplicates(texts: list[str], held_out: list[str], overlap: float = 0.7) -> list[bool]:
    """For each text, whether it equals a held-out text when compact, or shares `overlap` of its distinct words with one (Jaccard)."""
    known = {compact(text) for text in held_out}
    counter = CountVectorizer(binary=True, analyzer=words, dtype=np.int32)
    counter.fit(held_out)
    other = counter.transform(held_out)
    other_size = np.array([len(set(words(text))) for text in held_out])
    flags: list[bool] = []
    for start in range(0, len(texts), 1000):
        chunk = texts[start : start + 1000]
        shared = (counter.transform(chunk) @ other.T).tocoo()
        size = np.array([len(set(words(text))) for text in chunk])
        jaccard = shared.data / (size[shared.row] + other_size[shared.col] - shared.data)
        close = set(shared.row[jaccard >= overlap].tolist())
        flags += [index in close or compact(text) in known for index, text in enumerate(chunk)]
    return flags


def words(text: str) -> list[str]:
    """Words of a text: runs of letters, signs, digits and joiners (Python's own word class splits Bengali words at their vowel signs)."""
    found: list[str] = regex.findall(r"[\p{L}\p{M}\p{N}\u200c\u200d]+", unicodedata.normalize("NFC", text))
    return found
