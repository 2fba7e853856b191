"""A retrieval collection: queries of one corpus, passages of another, and what people said of which passage answers which query."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.corpora.catalogue import find
from workbench.corpora.declaration import Declaration
from workbench.corpora.reading import read
from workbench.document import Document
from workbench.errors import InputError
from workbench.fingerprint import Json

QUERY, PASSAGE = "query", "passage"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One passage that belongs to a query.

    `verdict` is what the passage says of the query (None: it is on the subject and does not decide), `rationales` the parts that are
    enough to see it, each a tuple of spans (start, end) in code points of the passage, end exclusive.
    """

    query: str
    passage: str
    verdict: str | None = None
    rationales: tuple[tuple[tuple[int, int], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries (role `query`), passages (role `passage`) and the judgements of these queries."""

    queries: tuple[Document, ...]
    passages: tuple[Document, ...]
    judgements: tuple[Judgement, ...]

    def relevant(self, query: str) -> frozenset[str]:
        """Identifiers of the passages that belong to a query; none where nobody judged."""
        return frozenset(judgement.passage for judgement in self.judgements if judgement.query == query)


def collection(corpus: str | Declaration, split: str | None = None, limit: int | None = None, passages: int | None = None) -> Collection:
    """Queries of a corpus or split (at most `limit`) with the passages they are judged against.

    `passages` is at most how many: all judged ones and then the first others. InputError for a corpus without passages, and for a
    judgement of a passage or sentence that is not there.
    """
    declaration = find(corpus) if isinstance(corpus, str) else corpus
    if declaration.passages is None:
        remedy = "declare `passages`, the name of the corpus that holds them, in its corpus.toml"
        raise InputError(f"retrieve passages for {declaration.name}", "a corpus that names no corpus of passages", remedy)
    queries = tuple(_of_role(declaration, document, QUERY) for document in read(declaration, split, limit))
    holder = find(declaration.passages)
    everything = {document.identifier: _of_role(holder, document, PASSAGE) for document in read(holder)}
    judgements = tuple(_judgement(query, said, everything) for query in queries for said in _listed(query.metadata.get("judgements")))
    judged = dict.fromkeys(judgement.passage for judgement in judgements)
    room = len(everything) if passages is None else max(passages - len(judged), 0)
    others = [name for name in everything if name not in judged][:room]
    kept = {*judged, *others}
    return Collection(queries, tuple(document for name, document in everything.items() if name in kept), judgements)


def _of_role(declaration: Declaration, document: Document, role: str) -> Document:
    if role not in document.segments:
        found = f"roles {', '.join(document.segments)}"
        raise InputError(f"read {declaration.name} as {role} texts", found, f"name the column of the role {role!r} under [fields]")
    return document


def _judgement(query: Document, said: Json, passages: dict[str, Document]) -> Judgement:
    asked = f"read the judgements of the query {query.identifier} of {query.corpus}"
    if not isinstance(said, dict) or not isinstance(name := said.get("passage"), str):
        raise InputError(asked, f"{said!r}", "give objects with `passage`, and `verdict` and `rationales` where there are any")
    if name not in passages:
        raise InputError(asked, f"the passage {name!r}, which is not there", "read the corpus of passages that belongs to these queries")
    sentences = _listed(passages[name].metadata.get("sentences"))
    verdict = said.get("verdict")
    try:
        rationales = tuple(tuple(_span(sentences, number) for number in _listed(row)) for row in _listed(said.get("rationales")))
    except IndexError as error:
        found = f"sentence {error} of the passage {name!r}, which has {len(sentences)}"
        raise InputError(asked, found, "read the corpus of passages that belongs to these queries") from None
    return Judgement(query.identifier, name, verdict if isinstance(verdict, str) else None, rationales)


def _span(sentences: list[Json], number: Json) -> tuple[int, int]:
    if not isinstance(number, int) or not 0 <= number < len(sentences):
        raise IndexError(number)
    bounds = _listed(sentences[number])
    start, end = (bound if isinstance(bound, int) else 0 for bound in bounds)
    return start, end


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []
