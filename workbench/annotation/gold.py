"""Words from gold annotation in CoNLL-U, with character spans in the sentence's text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.document import Word
from workbench.errors import AnnotationError

_REMEDY = (
    "give CoNLL-U: ten tab-separated columns a word, an empty line after each sentence (https://universaldependencies.org/format.html)"
)


def read_gold(path: Path | str) -> Iterator[tuple[str, list[Word]]]:
    """Text and words of each sentence of a CoNLL-U file.

    The text is the `# text` comment, or the forms joined by `SpaceAfter`. Words of a multiword token share its span; empty nodes (8.1) are
    left out. `head` is a word's place in the list, None for the root. Raises AnnotationError, naming the line, for anything else.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"read gold words from {path}", str(error), _REMEDY) from None
    rows: list[list[str]] = []
    text: str | None = None
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            text = value.strip() if name.strip() == "text" else text
        elif line.strip():
            columns = line.rstrip("\r").split("\t")
            if len(columns) != 10:
                raise AnnotationError(f"read gold words from {path}", f"line {number} has {len(columns)} columns", _REMEDY)
            rows.append(columns)
        elif rows:
            yield _sentence(rows, text, f"{path}, the sentence before line {number}")
            rows, text = [], None


def _sentence(rows: list[list[str]], text: str | None, place: str) -> tuple[str, list[Word]]:
    surface = [row for row in rows if "-" in row[0] or ("." not in row[0] and not _inside(row[0], rows))]
    if text is None:
        text = "".join(row[1] + ("" if "SpaceAfter=No" in row[9] else " ") for row in surface).rstrip()
    spans: dict[str, tuple[int, int]] = {}
    end = 0
    for row in surface:
        start = text.find(row[1], end)
        if start < 0 or text[end:start].strip():
            found = f"the form {row[1]!r} does not follow in the text: {text[end : end + 30]!r}"
            raise AnnotationError(f"read gold words from {place}", found, _REMEDY)
        end = start + len(row[1])
        first, _, last = row[0].partition("-")
        spans |= {str(number): (start, end) for number in range(int(first), int(last or first) + 1)}
    words = [row for row in rows if row[0].isdigit()]
    places = {row[0]: index for index, row in enumerate(words)}
    return text, [_word(index, row, spans[row[0]], places) for index, row in enumerate(words)]


def _inside(identifier: str, rows: list[list[str]]) -> bool:
    ranges = [row[0].split("-") for row in rows if "-" in row[0]]
    return any(int(first) <= int(identifier) <= int(last) for first, last in ranges)


def _word(index: int, row: list[str], span: tuple[int, int], places: dict[str, int]) -> Word:
    given = [None if column == "_" and row[1] != "_" else column for column in row]
    return Word(
        index=index,
        char_start=span[0],
        char_end=span[1],
        form=row[1],
        lemma=given[2],
        upos=given[3],
        xpos=given[4],
        features=given[5],
        head=places.get(row[6]),
        relation=given[7],
    )
