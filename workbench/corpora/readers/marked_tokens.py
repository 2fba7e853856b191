"""Posts given as tokens, with the tokens that each annotator marked (HateXplain): JSON Lines with a list of tokens and a list of 0/1 masks.

The text is the tokens joined by single blanks. Columns added: `text`; `rationale`, the spans that any annotator marked (the union, as the
authors of HateXplain evaluate); `rationales`, the spans of each annotator. A span is [start, end] in code points of the text, end
exclusive; neighbouring tokens are one span. Options: `tokens` and `masks` (keys, default `post_tokens` and `rationales`); `parts`, for
example `train 0.6, test 0.4`: a column `part` is added, by the SHA-256 of the declared identifier, whatever the order of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from workbench.corpora.declaration import Declaration, Fields
from workbench.corpora.readers import jsonl
from workbench.corpora.records import LocalFile, Record, known_options, option
from workbench.corpora.report import Report
from workbench.errors import InputError

DERIVED = ("text", "rationale", "rationales", "part")


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the posts; one whose masks do not fit its tokens is refused alone."""
    known_options(declaration, "tokens", "masks", "parts")
    tokens, masks = option(declaration, "tokens", "post_tokens"), option(declaration, "masks", "rationales")
    parts = _parts(declaration)
    wanted = tuple(column for column in declaration.fields.columns if column not in DERIVED)
    plain = declaration.model_copy(update={"fields": Fields(segments={"text": tokens}, metadata=(masks, *wanted)), "options": {}})
    for record in jsonl.read(plain, file, report):
        yield record if record.problem else _with_text(record, tokens, masks, declaration.fields.identifier, parts, report)


def part_of(identifier: str, parts: Mapping[str, float]) -> str:
    """The part that an identifier falls into: the first 32 bits of its SHA-256 as a number from 0 to 1, against the cumulated shares."""
    place = int(hashlib.sha256(identifier.encode("utf-8")).hexdigest()[:8], 16) / 2**32
    total = 0.0
    for name, share in parts.items():
        total += share
        if place < total:
            return name
    return list(parts)[-1]


def marked_spans(tokens: Sequence[str], mask: Sequence[bool]) -> list[list[int]]:
    """Spans [start, end] in the text of the blank-joined tokens that the mask marks, neighbours joined."""
    spans: list[list[int]] = []
    start, before = 0, False
    for token, marked in zip(tokens, mask, strict=True):
        if marked and before:
            spans[-1][1] = start + len(token)
        elif marked:
            spans.append([start, start + len(token)])
        start, before = start + len(token) + 1, marked
    return spans


def _with_text(
    record: Record, tokens_key: str, masks_key: str, identifier: str | None, parts: Mapping[str, float], report: Report
) -> Record:
    tokens, masks = record.values.get(tokens_key), record.values.get(masks_key)
    problem = _problem(tokens, masks)
    if problem is not None or not isinstance(tokens, list) or not isinstance(masks, list):
        return Record(record.row, record.place, problem=problem)
    chosen = [any(column) for column in zip(*masks, strict=True)] or [False] * len(tokens)
    if masks and all(chosen):
        report.met("rationale that is the whole text", "kept; it says nothing about which word matters")
    values = {
        **record.values,
        "text": " ".join(tokens),
        "rationale": marked_spans(tokens, chosen),
        "rationales": [marked_spans(tokens, mask) for mask in masks],
    }
    if parts and identifier is not None:
        values["part"] = part_of(str(record.values.get(identifier)), parts)
    return Record(record.row, record.place, values)


def _problem(tokens: object, masks: object) -> str | None:
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) for token in tokens):
        return "no list of tokens"
    if any(not token or token.split() != [token] for token in tokens):
        return "a token that is empty or holds a blank: the text could not be split into its tokens again"
    if not isinstance(masks, list) or not all(isinstance(mask, list) for mask in masks):
        return "no list of masks"
    if any(len(mask) != len(tokens) for mask in masks):
        return f"a mask of another length than its {len(tokens)} tokens"
    if any(value not in (0, 1) for mask in masks for value in mask):
        return "a mask with values other than 0 and 1"
    return None


def _parts(declaration: Declaration) -> dict[str, float]:
    """The shares of the option `parts`; InputError unless they are numbers that sum to 1."""
    written = option(declaration, "parts", "")
    if not written:
        return {}
    pairs = [part.split() for part in written.split(",")]
    try:
        shares = {name: float(share) for name, share in pairs}
    except ValueError:
        shares = {}
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) <= 0 or declaration.fields.identifier is None:
        found = f"options.parts = {written!r}"
        remedy = "write shares that sum to 1, as in 'train 0.6, test 0.4', and name the identifier under [fields]"
        raise InputError(f"read the corpus {declaration.name}", found, remedy)
    return shares
