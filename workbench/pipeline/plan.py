"""The plan: what a pipeline wants minus what the store has, cut into jobs.

Documents go in the order of their length, so that batches of equal token counts are large; a job is one transaction. Jobs are
stored in order: an interrupted run leaves a prefix, and what remains is cut at the same places, so that the numbers of a resumed
run equal an undisturbed one's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from workbench import fingerprint
from workbench.document import Document
from workbench.errors import PipelineError
from workbench.pipeline.declaration import Pipeline


@dataclass(frozen=True, slots=True)
class Wanted:
    """One explanation to have: the document, the role of its text, the identity of the number, and the system where there are several.

    What stands `beside` is there already: it is computed along, so that others are in the batch in which they were once, and not kept.
    """

    document: Document
    role: str
    fingerprint: str
    model: str = ""
    beside: bool = False

    @property
    def characters(self) -> int:
        """The size of what is to be read: the texts of its roles, all of the document for a text that is still to be made."""
        texts = self.document.segments
        return sum(len(texts[role]) for role in self.role.split("~") if role in texts) or sum(map(len, texts.values()))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is missing and why, in jobs; `waiting` failed before and is not tried again yet."""

    jobs: tuple[tuple[Wanted, ...], ...]
    reasons: dict[str, int]
    stored: int
    waiting: int = 0

    @property
    def items(self) -> list[Wanted]:
        """The explanations to make, one a document and system."""
        return [item for job in self.jobs for item in job if not item.beside]

    @property
    def missing(self) -> int:
        """Number of explanations to make."""
        return len(self.items)


def identity(document: Document, role: str, model: str, pipeline: Pipeline) -> str:
    """Fingerprint of everything that determines a stored explanation."""
    return fingerprint.of_json(
        {
            "document": document.fingerprint,
            "role": role,
            "model": model,
            "precision": pipeline.model.precision,
            **pipeline.identity,
        }
    )


def asked(everything: Sequence[Wanted]) -> pl.DataFrame:
    """Work as a store is asked for it."""
    columns = {
        "corpus": [item.document.corpus for item in everything],
        "identifier": [item.document.identifier for item in everything],
        "fingerprint": [item.fingerprint for item in everything],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def wanted(documents: Sequence[Document], model: str, pipeline: Pipeline) -> list[Wanted]:
    """All explanations that the pipeline wants of one model, in the order of work."""
    ordered = by_length(documents)
    return [Wanted(document, role, identity(document, role, model, pipeline)) for document in ordered for role in roles(document, pipeline)]


def by_length(documents: Sequence[Document]) -> list[Document]:
    """The documents in the order of work: by length of their texts, then by identifier."""
    return sorted(documents, key=lambda document: (sum(map(len, document.segments.values())), document.identifier))


def roles(document: Document, pipeline: Pipeline) -> list[str]:
    """What of a document is explained: each of its texts, or for similarities the two of them together (`text_a~text_b`).

    Raises PipelineError for similarities of documents that are no pairs.
    """
    if pipeline.similarity is None:
        return list(document.segments)
    if len(document.segments) != 2:
        found = f"{document.identifier} with {len(document.segments)} text ({', '.join(document.segments)})"
        remedy = "name the columns of text_a and text_b under [fields] in its corpus.toml, or declare [retrieval]"
        raise PipelineError(f"explain similarities in {document.corpus}", found, remedy)
    return ["~".join(document.segments)]


def plan(everything: Sequence[Wanted], missing: Collection[tuple[str, str]], size: int, *, as_before: bool = False) -> Plan:
    """Cuts what is missing (identifier, fingerprint) into jobs of about `size`; why it is missing is for the store to say.

    What is wanted of one document stays in one job: a document is kept once in a batch. Who stands in a batch with a text can change the
    last bits of its relevance: with `as_before`, jobs are those in which everything was explained once, with what is there beside.
    """
    marked = [replace(item, beside=(item.document.identifier, item.fingerprint) not in missing) for item in everything]
    jobs = cut(marked if as_before else [item for item in marked if not item.beside], size)
    found = tuple(job for job in jobs if not all(item.beside for item in job))
    return Plan(found, {}, sum(item.beside for item in marked))


def cut(items: Sequence[Wanted], size: int) -> list[tuple[Wanted, ...]]:
    """Jobs of about `size`, in which what is wanted of one document stays together."""
    jobs: list[list[Wanted]] = []
    for item in items:
        if not jobs or (len(jobs[-1]) >= size and jobs[-1][-1].document is not item.document):
            jobs.append([])
        jobs[-1].append(item)
    return [tuple(job) for job in jobs]
