"""Claims judged against passages (SciFact): JSON Lines with the passages that a claim cites and, by passage, the sentences that decide it.

Column added: `judgements`, one for each cited passage: `passage` (its identifier), `verdict` (SUPPORT, CONTRADICT, or null where the
passage does not decide the claim) and `rationales`, each a list of sentence numbers from 0 that is enough to decide. Options: `cited` and
`evidence` (keys; default `cited_doc_ids` and `evidence`).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.corpora.declaration import Declaration, Fields
from workbench.corpora.readers import jsonl
from workbench.corpora.records import LocalFile, Record, known_options, option
from workbench.corpora.report import Report

JUDGEMENTS = "judgements"


def read(declaration: Declaration, file: LocalFile, report: Report) -> Iterator[Record]:
    """Stream the claims; one whose evidence contradicts itself or names a passage that it does not cite is refused alone."""
    known_options(declaration, "cited", "evidence")
    cited, evidence = option(declaration, "cited", "cited_doc_ids"), option(declaration, "evidence", "evidence")
    (claim,) = declaration.fields.segments.values()
    wanted = dict.fromkeys([cited, evidence, *declaration.fields.columns])
    fields = Fields(segments={"query": claim}, metadata=tuple(column for column in wanted if column not in (JUDGEMENTS, claim)))
    for record in jsonl.read(declaration.model_copy(update={"fields": fields, "options": {}}), file, report):
        yield record if record.problem else _with_judgements(record, cited, evidence, report)


def _with_judgements(record: Record, cited: str, evidence: str, report: Report) -> Record:
    passages, decided = record.values.get(cited), record.values.get(evidence)
    problem = None
    if not isinstance(passages, list):
        problem = f"no list of passages in {cited!r}"
    elif not isinstance(decided, dict) or not set(decided) <= {str(name) for name in passages}:
        problem = f"evidence in {evidence!r} from a passage that is not cited"
    elif not all(_well_formed(sets) for sets in decided.values()):
        problem = f"evidence in {evidence!r} that is not sentence numbers with one verdict"
    if problem is not None or not isinstance(passages, list) or not isinstance(decided, dict):
        return Record(record.row, record.place, problem=problem)
    judgements = []
    names = dict.fromkeys(map(str, passages))
    if len(names) < len(passages):
        report.met("passage cited twice by one claim", "it counts once", len(passages) - len(names))
    for name in names:
        sets = decided.get(name, [])
        rationales = [one["sentences"] for one in sets]
        judgements.append({"passage": name, "verdict": sets[0]["label"] if sets else None, "rationales": rationales})
    return Record(record.row, record.place, {**record.values, JUDGEMENTS: judgements})


def _well_formed(sets: object) -> bool:
    """Whether evidence of one passage is a list of sets with sentence numbers, all of one verdict."""
    if not isinstance(sets, list) or not sets or not all(isinstance(one, dict) for one in sets):
        return False
    numbers = [one.get("sentences") for one in sets]
    whole = all(isinstance(row, list) and row and all(type(number) is int and number >= 0 for number in row) for row in numbers)
    return whole and isinstance(sets[0].get("label"), str) and len({one.get("label") for one in sets}) == 1
