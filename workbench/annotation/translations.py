"""Words that translate each other: the embedded lexicons English–German, English–French and English–Spanish."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workbench import fingerprint
from workbench.errors import AnnotationError

FOLDER = Path(__file__).parent / "embedded" / "translations"


def pairs() -> list[tuple[str, str]]:
    """The pairs of languages that have a lexicon, by their two-letter codes."""
    found = sorted(path.stem.partition("-") for path in FOLDER.glob("*-*.tsv"))
    return [(first, second) for first, _, second in found]


@cache
def lexicons() -> str:
    """Fingerprint of all lexicons."""
    return fingerprint.of_files(sorted(FOLDER.glob("*-*.tsv")), FOLDER)


@cache
def translations(first: str, second: str) -> frozenset[tuple[str, str]]:
    """Pairs of case-folded words, one of the language `first` and its translation into `second`; empty for languages without a lexicon.

    Both orders of the languages are known. Equal words (hotel, radio) are no entries: they match without a lexicon.
    Source: IBM model 1 over parallel texts, see CARD.md beside the lexicons. Raises AnnotationError for a lexicon that cannot be read.
    """
    if (first, second) in pairs():
        return frozenset(read(FOLDER / f"{first}-{second}.tsv"))
    if (second, first) in pairs():
        return frozenset((right, left) for left, right in read(FOLDER / f"{second}-{first}.tsv"))
    return frozenset()


def read(path: Path) -> set[tuple[str, str]]:
    """The first two columns of a lexicon's lines, case-folded."""
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        columns = line.split("\t")
        if len(columns) != 3 or not all(columns):
            remedy = "give one word, its translation and their probability on each line, with tabs between"
            raise AnnotationError(f"read the lexicon {path.name}", f"line {number} has {len(columns)} column(s), or an empty one", remedy)
        found.add((columns[0].casefold(), columns[1].casefold()))
    return found
