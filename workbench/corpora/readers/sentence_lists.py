"""Passages given as lists of sentences (SciFact abstracts): JSON Lines with a list of texts and, where there is one, a title.

Columns added: `text`, the title on a line of its own and then the sentences joined by single blanks; `sentences`, the spans [start, end]
of the sentences in code points of the text, end exclusive, in order. Options: `sentences` and `title` (keys; default `sentences`, and no
title).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.corpora.declaration import Declaration, Fields
from workbench.corpora.readers import jsonl
from workbench.corpora.records import LocalFile, Record, known_options, option
from workbench.corpora.report import Report
from workbench.corpora.spans import token_spans

DERIVED = ("text", "sentences")


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the passages; one whose sentences are no texts is refused alone."""
    known_options(declaration, "sentences", "title")
    key, title = option(declaration, "sentences", "sentences"), option(declaration, "title", "")
    wanted = dict.fromkeys([*([title] if title else []), *declaration.fields.columns])
    fields = Fields(segments={"text": key}, metadata=tuple(column for column in wanted if column not in (*DERIVED, key)))
    for record in jsonl.read(declaration.model_copy(update={"fields": fields, "options": {}}), file, report):
        yield record if record.problem else _with_text(record, key, title)


def _with_text(record: Record, key: str, title: str) -> Record:
    sentences, heading = record.values.get(key), record.values.get(title) if title else ""
    texts = isinstance(sentences, list) and bool(sentences) and all(isinstance(one, str) and one.strip() for one in sentences)
    if not isinstance(sentences, list) or not texts:
        return Record(record.row, record.place, problem=f"no list of sentences in {key!r}")
    if not isinstance(heading, str):
        return Record(record.row, record.place, problem=f"no title in {title!r}")
    before = f"{heading}\n" if heading else ""
    spans = [[start + len(before), end + len(before)] for start, end in token_spans(sentences)]
    return Record(record.row, record.place, {**record.values, "text": before + " ".join(sentences), "sentences": spans})
