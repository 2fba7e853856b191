"""What a person can do with corpora: list, show, fetch and add; every answer is plain data."""

from __future__ import annotations

from pathlib import Path

from workbench.corpora.cache import is_here, locate
from workbench.corpora.catalogue import find, look
from workbench.corpora.reading import read
from workbench.corpora.registration import register
from workbench.corpora.selection import split_names
from workbench.errors import InputError
from workbench.fingerprint import Json

SHOWN_DOCUMENTS = 3


def list_corpora() -> list[dict[str, Json]]:
    """One row for each corpus: name, title, language, licence, reader, are its files `here`; a broken declaration has its `problem`."""
    found, broken = look()
    rows: list[dict[str, Json]] = [
        {
            "name": corpus.name,
            "title": corpus.title,
            "language": corpus.language,
            "licence": corpus.licence,
            "reader": corpus.reader,
            "here": all(is_here(corpus, file) for file in corpus.source.files),
            "problem": None,
        }
        for corpus in found
    ]
    blank: dict[str, Json] = {"title": "", "language": "", "licence": "", "reader": "", "here": False}
    return rows + [{"name": name, **blank, "problem": str(error)} for name, error in broken.items()]


def show(name: str) -> dict[str, Json]:
    """All that is declared of a corpus, where its files are, and its first documents; `problem` says why they cannot be read."""
    corpus = find(name)
    declared = corpus.model_dump(mode="json")
    problem: str | None = None
    documents: list[Json] = []
    try:
        for document in read(corpus, limit=SHOWN_DOCUMENTS):
            documents.append({"identifier": document.identifier, "label": document.label, "split": document.split, **document.segments})
    except InputError as error:
        problem = str(error)
    parts = ("", ":clean") if corpus.splits.leakage else ("",)
    selections = [split + part for split in split_names(corpus) for part in parts]
    return {**declared, "selections": selections, "documents": documents, "problem": problem}


def fetch(name: str) -> dict[str, Json]:
    """Bring all files of a corpus to this machine, verify them, read all of it once: paths, counts by split and label, what was met.

    InputError names the file that is missing or differs, and what to do.
    """
    corpus = find(name)
    paths: list[Json] = [str(locate(corpus, file, network=True)) for file in corpus.source.files]
    reading = read(corpus)
    splits: dict[str, int] = {}
    labels: dict[str, int] = {}
    for document in reading:
        splits[document.split or "all"] = splits.get(document.split or "all", 0) + 1
        labels[document.label or "none"] = labels.get(document.label or "none", 0) + 1
    report = reading.report
    return {
        "name": name,
        "files": paths,
        "documents": report.documents,
        "splits": splits,
        "labels": labels,
        "traps": dict(report.traps),
        "rejected": [{"identifier": item.identifier, "reason": item.reason} for item in report.rejected],
        "report": list(report.lines()),
    }


def add(path: str | Path, name: str, reader: str | None = None, text: str | None = None, label: str | None = None) -> dict[str, Json]:
    """Register a file (or dataset folder) of your own where it lies; what is not said is seen from its content.

    Returns what `show` returns and under `declaration` the path of the written corpus.toml. InputError when nothing fits, or the
    name is taken.
    """
    written = register(Path(path), name, reader, text, label)
    return {"declaration": str(written), **show(name)}
