"""Reading a corpus: an iterable of documents with a report of all that was met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.corpora.declaration import Declaration
from workbench.corpora.documents import documents
from workbench.corpora.report import Report
from workbench.corpora.selection import Selection, selection
from workbench.document import Document
from workbench.errors import InputError


class Reading:
    """Documents of a corpus, read anew at each iteration; `report` belongs to the latest one and is complete at its end."""

    def __init__(self, declaration: Declaration, chosen: Selection, limit: int | None) -> None:
        self.declaration = declaration
        self.selection = chosen
        self.limit = limit
        self.report = Report()

    def __iter__(self) -> Iterator[Document]:
        self.report = report = Report()
        if self.limit == 0:
            return
        for document in documents(self.declaration, self.selection, report):
            report.documents += 1
            yield document
            if report.documents == self.limit:
                return


def read(
    declaration: Declaration, split: str | None = None, limit: int | None = None, languages: str | Sequence[str] | None = None
) -> Reading:
    """Documents of a corpus, of one split (`"test"`) or of its clean part (`"test:clean"`: no text of an earlier split), at most `limit`.

    `languages` is for corpora of pairs in several languages: `"en"` pairs within English, `"en-de"` the first text in English and the
    second in German, `"en=de"` each English text with its German translation; one or several, none for each language by itself.
    Nothing is read before the iteration. InputError for a split that is not there, then or now; a document that cannot be used is no
    error: it is in `report.rejected`.
    """
    if limit is not None and limit < 0:
        raise InputError(f"read the corpus {declaration.name}", f"limit = {limit}", "give a limit of 0 or more, or none")
    return Reading(declaration, selection(declaration, split, languages), limit)
