"""Pairs of texts whose words people aligned (Edinburgh++): a JSON list of objects with tokens and links such as `0-6 1-7`, words from 0.

Columns: `text_a` and `text_b`, the tokens joined by single blanks; `id`; `interactions`, one for each link: `a` and `b`, lists of spans
[start, end] in code points of text_a and text_b, end exclusive, and `type`, `sure` or `possible`. Possible links stand in a second file
of the split (`part = "possible"`) that holds sure and possible links together; without it all links are sure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration
from workbench.corpora.lines import opened
from workbench.corpora.records import LocalFile, Record, known_options, require_columns
from workbench.corpora.report import Report
from workbench.corpora.spans import joined_spans
from workbench.errors import InputError

POSSIBLE = "possible"
KEYS = ("id", "source", "target", "sureAlign")


def read(declaration: Declaration, file: LocalFile, _report: Report) -> Iterator[Record]:
    """Stream the pairs; one whose links lead out of its texts is refused alone. The file is held in memory."""
    known_options(declaration)
    require_columns(declaration, file.path, ["id", "text_a", "text_b", "interactions"])
    pairs = _pairs(file.path)
    wider = _wider(declaration, file, len(pairs))
    for row, pair in enumerate(pairs, start=1):
        yield _record(row, pair, pair if wider is None else wider[row - 1])


def _pairs(path: Path) -> list[object]:
    with opened(path) as stream:
        raw = stream.read()
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"read {path}", f"no JSON that can be read: {error}", "fetch the file again") from None
    if not isinstance(content, list) or not content:
        raise InputError(f"read {path}", "JSON that is no list of pairs", f"give a list of objects with {', '.join(KEYS)}")
    return content


def _wider(declaration: Declaration, file: LocalFile, count: int) -> list[object] | None:
    """The pairs of the file with sure and possible links, in the same order."""
    found = [part for part in declaration.source.files if part.part == POSSIBLE and part.split == file.declared.split]
    if not found:
        return None
    pairs = _pairs(locate(declaration, found[0]))
    if len(pairs) != count:
        said = f"{file.declared.path} has {count:,} pairs, {found[0].path} has {len(pairs):,}"
        raise InputError(f"read the corpus {declaration.name}", said, "give two files with the same pairs in the same order")
    return pairs


def _record(row: int, pair: object, wider: object) -> Record:
    place = f"pair {row}"
    if not isinstance(pair, Mapping) or not all(isinstance(pair.get(key), str) for key in KEYS):
        return Record(row, place, problem=f"no object with the texts {', '.join(KEYS)}")
    if not isinstance(wider, Mapping) or wider.get("id") != pair["id"]:
        return Record(row, place, problem="another pair at the same place in the file with possible links")
    first, second = pair["source"].split(), pair["target"].split()
    try:
        links = dict.fromkeys(_links(str(wider.get("sureAlign"))), POSSIBLE) | dict.fromkeys(_links(pair["sureAlign"]), "sure")
        interactions = [
            {"a": joined_spans(first, [one]), "b": joined_spans(second, [other]), "type": kind}
            for (one, other), kind in sorted(links.items())
        ]
    except ValueError:
        return Record(row, place, problem="a link that is not written as two numbers with a hyphen")
    except IndexError as error:
        return Record(row, place, problem=f"a link to the word {error}, which is not there")
    texts = {"text_a": " ".join(first), "text_b": " ".join(second)}
    return Record(row, place, {"id": pair["id"], **texts, "interactions": interactions})


def _links(written: str) -> list[tuple[int, int]]:
    links = []
    for link in written.split():
        one, other = link.split("-")
        links.append((int(one), int(other)))
    return links
