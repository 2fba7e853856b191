"""CoNLL-U: each sentence is a document; columns are `text` and every comment of the form `# key = value` (`sent_id`, `newdoc id` …).

The text is the `# text` comment, else the forms joined as `SpaceAfter` says. The words themselves are the annotation's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from workbench.corpora.declaration import Declaration
from workbench.corpora.lines import Line, lines
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.errors import InputError

COLUMNS = 10


@dataclass(slots=True)
class _Sentence:
    """Lines of one sentence while they are collected."""

    first: int = 0
    last: int = 0
    comments: dict[str, str] = field(default_factory=dict)
    surface: list[tuple[str, bool]] = field(default_factory=list)
    covered: int = 0
    problems: list[str] = field(default_factory=list)

    def joined(self) -> str:
        """The forms with the blanks between them."""
        return "".join(form + (" " if blank else "") for form, blank in self.surface).rstrip()


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the sentences of a CoNLL-U file; a sentence with a malformed line is refused alone."""
    known_options(declaration)
    checked = False
    row = 0
    for sentence in _sentences(file, declaration):
        row += 1
        record = _record(row, sentence, report)
        if not checked and record.problem is None:
            checked = True
            require_columns(declaration, file.path, list(record.values))
        yield record
    if row == 0:
        remedy = "give CoNLL-U: ten tab-separated columns a word, an empty line after each sentence"
        raise InputError(f"read {file.path}", "no sentence", remedy)


def _sentences(file: LocalFile, declaration: Declaration) -> Iterator[_Sentence]:
    sentence = _Sentence()
    for line in lines(file.path, declaration.limits):
        if line.text.strip() or line.problem:
            sentence.first = sentence.first or line.number
            sentence.last = line.number
            _take(sentence, line)
        elif sentence.first:
            yield sentence
            sentence = _Sentence()
    if sentence.first:
        yield sentence


def _take(sentence: _Sentence, line: Line) -> None:
    if line.problem:
        sentence.problems.append(f"line {line.number}: {line.problem}")
        return
    text = line.text.rstrip("\r\n")
    if text.startswith("#"):
        key, sign, value = text[1:].partition("=")
        if sign:
            sentence.comments[key.strip()] = value.strip()
        return
    cells = text.split("\t")
    if len(cells) != COLUMNS:
        sentence.problems.append(f"line {line.number}: {len(cells)} columns, a word has {COLUMNS} separated by tabs")
        return
    number, form, blank = cells[0], cells[1], "SpaceAfter=No" not in cells[9].split("|")
    first, dash, last = number.partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        sentence.covered = int(last)
        sentence.surface.append((form, blank))
    elif number.isdecimal():
        if int(number) > sentence.covered:
            sentence.surface.append((form, blank))
    elif not number.replace(".", "", 1).isdecimal():
        sentence.problems.append(f"line {line.number}: the word number {number!r}")


def _record(row: int, sentence: _Sentence, report: Report) -> Record:
    place = f"line {sentence.first}" if sentence.first == sentence.last else f"lines {sentence.first}-{sentence.last}"
    problems = sentence.problems or ([] if sentence.surface else ["comments without a word"])
    if problems:
        return Record(row, place, problem="; ".join(problems[:3]))
    joined = sentence.joined()
    text = sentence.comments.get("text", joined)
    if text.split() != joined.split():
        report.met("sentence whose `# text` differs from its words", "the `# text` counts")
    return Record(row, place, {**sentence.comments, "text": text})
