"""Pairs of texts whose chunks people aligned, with type and grade (interpretable STS, `.wa` files of SemEval 2015 and 2016).

Columns: `text_a` and `text_b`, the words joined by single blanks; `id`; `interactions`, one for each alignment: `a` and `b`, lists of
spans [start, end] in code points of text_a and text_b, end exclusive (no span on a side that is not aligned); `type` (EQUI, OPPO, SPE1,
SPE2, SIMI, REL, NOALI), `mark` (FACT or POL where the type has one, else null) and `score` from 0 to 5, null where none is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from workbench.corpora.declaration import Declaration
from workbench.corpora.lines import lines
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.corpora.spans import joined_spans
from workbench.errors import InputError

_OPENING = regex.compile(r'<sentence id="(?P<id>[^"]*)"')
_WORD = regex.compile(r"(?P<number>\d+) (?P<word>\S+?) ?:")
_ALIGNMENT = regex.compile(r"(?P<a>[\d ]+) <==> (?P<b>[\d ]+) // (?P<type>[A-Z0-9]+)(_(?P<mark>[A-Z_]+))? // (?P<score>\S+) //.*")
_SECTIONS = ("source", "translation", "alignment")


@dataclass(slots=True)
class _Pair:
    """The lines of one pair, collected by section."""

    first: int
    id: str
    said: list[str] = field(default_factory=list)
    sections: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _SECTIONS})
    problems: list[str] = field(default_factory=list)


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the pairs of a file; one with a malformed line or an alignment of words that are not there is refused alone."""
    known_options(declaration)
    require_columns(declaration, file.path, ["id", "text_a", "text_b", "interactions"])
    row = 0
    for row, (last, pair) in enumerate(_pairs(declaration, file), start=1):
        yield _record(row, f"lines {pair.first}-{last}", pair, report)
    if row == 0:
        raise InputError(f"read {file.path}", "no line <sentence id=…>", "give an alignment file of interpretable STS (.wa)")


def _pairs(declaration: Declaration, file: LocalFile) -> Iterator[tuple[int, _Pair]]:
    pair: _Pair | None = None
    section: str | None = None
    number = 0
    for line in lines(file.path, declaration.limits):
        number, text = line.number, line.text.strip()
        opening = _OPENING.match(text)
        if opening or text == "</sentence>":
            if pair is not None:
                yield number, pair
            pair, section = (_Pair(number, opening["id"]) if opening else None), None
        elif pair is None:
            continue
        elif line.problem:
            pair.problems.append(f"line {number}: {line.problem}")
        elif text.strip("</>") in _SECTIONS and text.startswith("<"):
            section = None if text.startswith("</") else text.strip("<>")
        elif section is not None and text:
            pair.sections[section].append(text)
        elif text.startswith("//"):
            pair.said.append(text.removeprefix("//").strip())
    if pair is not None:
        pair.problems.append("a pair that is cut off")
        yield number, pair


def _record(row: int, place: str, pair: _Pair, report: Report) -> Record:
    try:
        first, second = (_words(pair.sections[name]) for name in ("source", "translation"))
        interactions = [_interaction(line, first, second) for line in pair.sections["alignment"]]
    except ValueError as error:
        return Record(row, place, problem="; ".join([*pair.problems, str(error)]))
    if pair.problems:
        return Record(row, place, problem="; ".join(pair.problems))
    texts = [" ".join(words) for words in (first, second)]
    if [said.split() for said in pair.said] != [first, second]:
        report.met("pair whose sentences differ from their words", "the words count")
    return Record(row, place, {"id": pair.id, "text_a": texts[0], "text_b": texts[1], "interactions": interactions})


def _words(section: list[str]) -> list[str]:
    words = []
    for number, line in enumerate(section, start=1):
        match = _WORD.fullmatch(line)
        if match is None or int(match["number"]) != number:
            raise ValueError(f"a word that is not written as number, word, colon, in order: {line!r}")
        words.append(match["word"])
    return words


def _interaction(line: str, first: list[str], second: list[str]) -> dict[str, object]:
    match = _ALIGNMENT.match(line)
    if match is None:
        raise ValueError(f"an alignment that is not written as words <==> words // type // score // texts: {line[:60]!r}")
    sides: dict[str, object] = {}
    for side, words in (("a", first), ("b", second)):
        try:
            sides[side] = joined_spans(words, [int(number) - 1 for number in match[side].split() if number != "0"])
        except IndexError as error:
            raise ValueError(f"an alignment of a word {int(str(error)) + 1} among {len(words)}") from None
    score = None if match["score"] == "NIL" else float(match["score"])
    return {**sides, "type": match["type"], "mark": match["mark"], "score": score}
