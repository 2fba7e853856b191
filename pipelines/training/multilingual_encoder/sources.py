"""Where parallel texts come from, under which licence, and how often a pass reads each; nothing held out for measuring is among them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.training.multilingual_encoder.rows import LANGUAGES, Row, spelled
from workbench.corpora import find, read

FILES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}


@dataclass(frozen=True)
class Source:
    """One collection: its name in the card, licence, how often a pass reads it, and the function that reads it from the mirror."""

    name: str
    languages: tuple[str, ...]
    licence: str
    repeats: int
    texts: Callable[[Path], Iterator[dict[str, str]]]


def benchmark(_: Path) -> Iterator[dict[str, str]]:
    """Both sentences of each training pair of STS-B, in four languages."""
    sides: dict[tuple[str, str], dict[str, str]] = {}
    for language in LANGUAGES:
        for document in read(find("stsb-multilingual"), "train", languages=language):
            for role, text in document.segments.items():
                sides.setdefault((str(document.metadata["row"]), role), {})[language] = text
    yield from sides.values()


def treebanks(mirror: Path) -> Iterator[dict[str, str]]:
    """The thousand sentences of the Parallel Universal Dependencies treebanks."""
    columns = []
    for language in LANGUAGES:
        (path,) = (mirror / "ud" / f"UD_{FILES[language]}-PUD").glob("*-ud-test.conllu")
        lines = path.read_text(encoding="utf-8").splitlines()
        names = [line.partition(" = ")[2] for line in lines if line.startswith("# sent_id = ")]
        texts = [line.partition(" = ")[2] for line in lines if line.startswith("# text = ")]
        columns.append(dict(zip(names, texts, strict=True)))
    for name in columns[0]:
        yield {language: column[name] for language, column in zip(LANGUAGES, columns, strict=True) if name in column}


def tatoeba(mirror: Path) -> Iterator[dict[str, str]]:
    """English sentences of five words or more with their first French translation."""
    seen: set[str] = set()
    for line in (mirror / "nmt" / "fra-eng" / "fra.txt").read_text(encoding="utf-8").splitlines():
        english, french = line.split("\t")[:2]
        if english not in seen and len(english.split()) >= 5:
            seen.add(english)
            yield {"en": english, "fr": french}


def aligned(folder: str, **files: str) -> Callable[[Path], Iterator[dict[str, str]]]:
    """A reader of files whose lines are translations of each other."""

    def texts(mirror: Path) -> Iterator[dict[str, str]]:
        columns = [(mirror / folder / name).read_text(encoding="utf-8").splitlines() for name in files.values()]
        for lines in zip(*columns, strict=True):
            yield dict(zip(files, lines, strict=True))

    return texts


def web(mirror: Path) -> Iterator[dict[str, str]]:
    """English web text, the training part of UD_English-EWT: for the teacher's answers in English alone."""
    path = mirror / "ud" / "UD_English-EWT" / "en_ewt-ud-train.conllu"
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# text = ") and len(line.split()) >= 6:
            yield {"en": line.removeprefix("# text = ")}


SOURCES = (
    Source("STS-B multilingual, train", LANGUAGES, "CC BY-SA 4.0 (sentences: own terms)", 3, benchmark),
    Source("Universal Dependencies PUD", LANGUAGES, "CC BY-SA 3.0", 4, treebanks),
    Source("Tatoeba by manythings.org", ("en", "fr"), "CC BY 2.0 FR", 1, tatoeba),
    Source("NTREX-128", ("en", "fr"), "CC BY-SA 4.0", 1, aligned("nmt/ntrex", en="eng.txt", fr="fra.txt")),
    Source(
        "FLORES-101 devtest", ("en", "fr"), "CC BY-SA 4.0", 1, aligned("nmt/flores", en="flores101.devtest.eng", fr="flores101.devtest.fra")
    ),
    Source("UD_English-EWT, train", ("en",), "CC BY-SA 4.0", 1, web),
)
RESTRICTED = Source(
    "Multi30k, train", ("en", "de", "fr"), "non-commercial research and education", 1,
    aligned("nmt/multi30k", en="train.en", de="train.de", fr="train.fr"),
)  # fmt: skip
"""Left out of the shipped encoder for its terms; `--multi30k` adds it, to see what it would bring."""

LIMIT = 30_000
"""Rows that one source gives at most, drawn with the seed: Tatoeba's short sentences would outweigh all others."""


def held_out() -> set[str]:
    """Spellings of every text of the development and test parts of STS-B and of the embedded sample, in all languages."""
    spellings: set[str] = set()
    for language in LANGUAGES:
        for name, split in (("stsb-multilingual", "dev"), ("stsb-multilingual", "test"), ("similarity-multilingual-sample", None)):
            for document in read(find(name), split, languages=language):
                spellings.update(spelled(text) for text in document.segments.values())
    return spellings


def collect(mirror: Path, sources: tuple[Source, ...], seed: int, limit: int = LIMIT) -> list[Row]:
    """Rows of all sources, each once, without any that holds a text kept for measuring."""
    forbidden, seen, rows = held_out(), set[tuple[str, ...]](), list[Row]()
    for source in sources:
        found = []
        for texts in source.texts(mirror):
            key = tuple(spelled(text) for text in texts.values())
            if key in seen or not all(key) or not forbidden.isdisjoint(key):
                continue
            seen.add(key)
            found.append(Row(source.name, texts))
        random.Random(seed).shuffle(found)
        rows += found[:limit]
    return rows
