"""Documents with marked evidence, as ERASER lays them out: a folder with `docs/`, and `train.jsonl`, `val.jsonl`, `test.jsonl` beside it.

A document is a text file of tokens between blanks that is named as its record (`annotation_id`), as in its movie reviews.
The text is the tokens joined by single blanks. Columns added: `text`; `part`, the name of the record's file; `rationale`, the union of all
evidence as spans [start, end] in code points of the text, end exclusive. Evidence counts tokens (`start_token`, `end_token`, exclusive).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from workbench.corpora.declaration import Declaration, Fields
from workbench.corpora.readers import jsonl
from workbench.corpora.records import LocalFile, Record, known_options
from workbench.corpora.report import Report
from workbench.corpora.spans import joined_spans
from workbench.errors import InputError

DOCUMENTS = "docs"
DERIVED = ("text", "part", "rationale")
IDENTIFIER, EVIDENCE = "annotation_id", "evidences"


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the records of all parts; one whose document is missing or whose evidence lies outside of it is refused alone."""
    known_options(declaration)
    folder = file.path
    parts = sorted(folder.glob("*.jsonl"))
    if not parts or not (folder / DOCUMENTS).is_dir():
        found = "no file that ends in .jsonl" if not parts else f"no folder {DOCUMENTS}"
        raise InputError(f"read the folder {folder}", found, "unpack a corpus of ERASER there: parts as .jsonl, texts in docs/")
    wanted = dict.fromkeys([IDENTIFIER, EVIDENCE, *(column for column in declaration.fields.columns if column not in DERIVED)])
    plain = declaration.model_copy(update={"fields": Fields(segments={"text": IDENTIFIER}, metadata=tuple(wanted)), "options": {}})
    for path in parts:
        for record in jsonl.read(plain, replace(file, path=path), report):
            placed = replace(record, place=f"{path.name} {record.place}", name=f"{path.stem}-{record.row:05d}")
            yield placed if placed.problem else marked(placed, folder / DOCUMENTS, path.stem, report)


def marked(record: Record, documents: Path, part: str, report: Report) -> Record:
    """A record with the text of its document and its evidence as spans, or with what is wrong with it."""

    def refused(problem: str) -> Record:
        return Record(record.row, record.place, problem=problem, name=record.name)

    name = record.values.get(IDENTIFIER)
    if not isinstance(name, str) or not name or Path(name).name != name:
        return refused(f"no name of a document in {IDENTIFIER!r}")
    tokens = tokens_of(documents / name)
    if not tokens:
        return refused(f"no document {name}, or one without words or in no UTF-8")
    evidence = flat(record.values.get(EVIDENCE))
    if evidence is None or any(one.get("docid", name) != name for one in evidence):
        return refused(f"evidence that is no list of spans of the document {name}")
    chosen: set[int] = set()
    for one in evidence:
        start, end = one.get("start_token"), one.get("end_token")
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(tokens):
            return refused(f"evidence from token {start} to {end} of a document of {len(tokens):,} tokens")
        if isinstance(one.get("text"), str) and str(one["text"]).split() != tokens[start:end]:
            report.met("evidence whose text is not that of its tokens", "its tokens count")
        chosen.update(range(start, end))
    values = {**record.values, "text": " ".join(tokens), "part": part, "rationale": joined_spans(tokens, chosen)}
    return Record(record.row, record.place, values, name=record.name)


def tokens_of(path: Path) -> list[str]:
    """The tokens of a document, none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []


def flat(evidence: object) -> list[dict[str, object]] | None:
    """Evidence, which stands in groups, one after another; None for anything else."""
    if not isinstance(evidence, list):
        return None
    found = [one for group in evidence for one in (group if isinstance(group, list) else [group])]
    return found if all(isinstance(one, dict) for one in found) else None
