"""Texts with marked characters (Toxic Spans): CSV whose column `spans` lists every marked character, `[8, 9, 10]`.

Columns added: `rationale`, the marked characters as spans [start, end] in code points of the text, end exclusive; `marked`, which is the
word `marked` where there is at least one, else `unmarked`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

from workbench.corpora.declaration import Declaration, Fields
from workbench.corpora.readers import delimited
from workbench.corpora.records import LocalFile, Record, known_options
from workbench.corpora.report import Report

TEXT, SPANS = "text", "spans"


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the texts; one whose marked characters are no ascending offsets into it is refused alone."""
    known_options(declaration)
    plain = declaration.model_copy(update={"fields": Fields(segments={"text": TEXT}, metadata=(SPANS,)), "options": {"delimiter": ","}})
    for record in delimited.read(plain, file, report):
        yield record if record.problem else _with_rationale(record, report)


def runs(offsets: Sequence[int]) -> list[list[int]]:
    """Ascending offsets as spans [start, end], end exclusive: neighbours are one span."""
    spans: list[list[int]] = []
    for offset in offsets:
        if spans and spans[-1][1] == offset:
            spans[-1][1] = offset + 1
        else:
            spans.append([offset, offset + 1])
    return spans


def _with_rationale(record: Record, report: Report) -> Record:
    text = str(record.values[TEXT])
    try:
        offsets = json.loads(str(record.values[SPANS]))
    except (ValueError, RecursionError):
        offsets = None
    if not isinstance(offsets, list) or not all(type(offset) is int for offset in offsets):
        return Record(record.row, record.place, problem="marked characters that are no list of whole numbers")
    if any(after <= before for before, after in itertools.pairwise(offsets)):
        return Record(record.row, record.place, problem="marked characters that do not ascend")
    if offsets and (offsets[0] < 0 or offsets[-1] >= len(text)):
        return Record(record.row, record.place, problem=f"a marked character outside of the {len(text):,} of the text")
    spans = runs(offsets)
    if any(text[end - 1].isspace() or text[start].isspace() for start, end in spans):
        report.met("span that begins or ends with white space", "kept as marked")
    values = {TEXT: text, "rationale": spans, "marked": "marked" if spans else "unmarked"}
    return Record(record.row, record.place, values)
