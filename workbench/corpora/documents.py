"""From records to documents: each becomes one or is refused with its reason; traps that every corpus may hold are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workbench.corpora import judgement
from workbench.corpora.cache import locate
from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.languages import LanguagePair
from workbench.corpora.leakage import Repetition, first_places
from workbench.corpora.readers import reader
from workbench.corpora.records import LocalFile, Record
from workbench.corpora.report import Rejected, Report
from workbench.corpora.selection import Selection, split_names, unknown_split
from workbench.document import Document
from workbench.errors import InputError


def documents(declaration: Declaration, chosen: Selection, report: Report) -> Iterator[Document]:
    """Stream the chosen documents, refused ones into the report; InputError when the split asked for is nowhere."""
    repetition: Repetition | None = None
    if declaration.splits.leakage:
        everything = _accepted(declaration, Selection(languages=chosen.languages), Report())
        repetition = Repetition(declaration.splits.names, first_places(everything, declaration.splits.names))
    splits: Counter[str] = Counter()
    for document in _accepted(declaration, chosen, report):
        splits[document.split or ""] += 1
        if chosen.split is not None and document.split != chosen.split:
            continue
        if repetition is not None:
            document = repetition.marked(document, report)
        judgement.count_traps(document, report)
        if chosen.clean and not document.metadata["clean"]:
            report.met("left out of the clean part", "its text stands in an earlier split")
            continue
        yield document
    if repetition is not None:
        repetition.finish(report)
    if chosen.split is not None and not splits[chosen.split] and not split_names(declaration):
        raise unknown_split(declaration, chosen.split, sorted(filter(None, splits)))


def _accepted(declaration: Declaration, chosen: Selection, report: Report) -> Iterator[Document]:
    """All usable documents of the files that can hold the split (None: all), in the languages wanted."""
    identifiers: dict[str, str] = {}
    rows = 0
    for file, pair in _in_order(declaration, chosen):
        if chosen.split is not None and declaration.fields.split is None and file.split != chosen.split:
            continue
        local = LocalFile(locate(declaration, file), file, judgement.prefix(declaration, file, pair), pair)
        for record in reader(declaration.reader)(declaration, local, report):
            rows += 1
            if rows > declaration.limits.rows:
                raise InputError(
                    f"read the corpus {declaration.name}",
                    f"more than {declaration.limits.rows:,} records",
                    "read a part (limit), or raise `rows` under [limits] in corpus.toml",
                )
            document = _document(declaration, local, record, identifiers, report)
            if len(report.rejected) > declaration.limits.refused:
                raise InputError(
                    f"read {file.path} of the corpus {declaration.name}",
                    f"more than {declaration.limits.refused:,} records that cannot be used; the last one: {report.rejected[-1].reason}",
                    "check that reader and fields fit the file, or raise `refused` under [limits] in corpus.toml",
                )
            if document is not None:
                yield document


def _in_order(declaration: Declaration, chosen: Selection) -> list[tuple[SourceFile, LanguagePair | None]]:
    """Files in the order of their splits, each with the languages wanted; of files that belong together the first stands for all."""
    lead = (None, next(iter(declaration.fields.segments)))
    files = [file for file in declaration.source.files if file.role in lead and file.part is None]
    order = {name: place for place, name in enumerate(declaration.splits.names)}
    files.sort(key=lambda file: order.get(file.split or "", len(order)))
    wanted: tuple[LanguagePair | None, ...] = chosen.languages or (None,)
    return [(file, pair) for pair in wanted for file in files if pair is None or file.language == pair.first]


def _document(declaration: Declaration, file: LocalFile, record: Record, identifiers: dict[str, str], report: Report) -> Document | None:
    place = f"{file.declared.path} {record.place}"
    identifier = judgement.identifier(declaration, file.prefix, record)
    problem = record.problem or judgement.problem(declaration, record)
    if problem is None and identifier in identifiers:
        problem = f"the identifier {identifier!r} stands already at {identifiers[identifier]}"
    if problem is not None:
        report.rejected.append(Rejected(identifier, f"{place}: {problem}"))
        return None
    identifiers[identifier] = place
    return judgement.document(declaration, file.declared, record, identifier, report)
