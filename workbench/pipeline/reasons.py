"""Why something is missing: new, edited, other weights, other rules, other settings; for words, another annotator or none yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.corpora import language_of
from workbench.document import Document
from workbench.pipeline.declaration import AnnotationChoice, Pipeline
from workbench.pipeline.plan import Wanted
from workbench.pipeline.worker import Worker
from workbench.store import Store, wanted

NEW, EDITED, WEIGHTS = "new", "edited", "model weights changed"
ANNOTATOR, NEVER_ANNOTATED = "annotator changed", "never annotated"

ASKED, STATE = ("identifier", "role", "wanted", "wanted_version"), ("identifier", "fingerprint")


@dataclass(frozen=True, slots=True)
class Words:
    """Stored documents whose words are another annotator's, or nobody's; and why."""

    documents: tuple[Document, ...]
    reasons: dict[str, int]


def reasons(store: Store, left: Sequence[Wanted], worker: Worker) -> dict[str, int]:
    """How many of the explanations that are `left` to make are missing for which reason."""
    models = {model.name: model.fingerprint for model in worker.models()}
    whole = list(models)[-1] if models else ""
    named = [item.model or whole for item in left]
    rows = [
        (item.document.corpus, item.document.identifier, item.role, name, models.get(name, ""))
        for item, name in zip(left, named, strict=True)
    ]
    schema = ["corpus", "identifier", "role", "model", "weights"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String), orient="row")
    found = wanted.standing(store.connection, store.path, frame)
    standing = {row[:4]: row[4:] for row in found.iter_rows()}
    counted = Counter(
        reason(item.document, worker.pipeline, name, *standing[(item.document.corpus, item.document.identifier, item.role, name)])
        for item, name in zip(left, named, strict=True)
    )
    return dict(counted)


def reason(document: Document, pipeline: Pipeline, model: str, known: str | None, others: int, composites: Sequence[str] | None) -> str:
    """Why one explanation is missing, from what the store has of its text."""
    if known is None:
        return NEW
    if known != document.fingerprint:
        return EDITED
    if not composites:
        return WEIGHTS if others else f"not explained by {model} yet"
    if pipeline.composite in composites:
        return "annotator or settings changed" if pipeline.similarity else "settings changed (target, precision or what is kept)"
    family = pipeline.composite.rpartition(".v")[0]
    if earlier := [name for name in composites if name.rpartition(".v")[0] == family]:
        return f"composite version changed ({earlier[-1]} to {pipeline.composite})"
    return f"not explained under {pipeline.composite} yet"


def outdated_words(
    store: Store, documents: Sequence[Document], corpus: str, choice: AnnotationChoice,
    annotators: Mapping[str, tuple[str, str]], without: Collection[str],
) -> Words:  # fmt: skip
    """Stored documents, as they are now, whose words are to be found again; `without` those that are explained again anyway."""
    made = made_texts(store, corpus)
    asked: list[tuple[str, str, str, str]] = []
    for document in documents:
        for role in (*document.segments, *made.get(document.identifier, {})):
            declared = choice.languages.get(language_of(document, role) or "", choice.pipeline)
            if declared is not None and declared in annotators:
                asked.append((document.identifier, role, *annotators[declared]))
    columns = dict(zip(ASKED, zip(*asked, strict=True), strict=True)) if asked else {}
    joined = pl.DataFrame(columns, schema=dict.fromkeys(ASKED, pl.String)).join(
        wanted.annotated(store.connection, store.path, corpus), on=["identifier", "role"]
    )
    never = pl.col("annotator").is_null()
    changed = (pl.col("annotator") != pl.col("wanted")) | (pl.col("version") != pl.col("wanted_version")).fill_null(False)
    outdated = joined.filter((never | changed) & ~pl.col("identifier").is_in(list(without)))
    named = set(outdated["identifier"])
    current = [(document.identifier, document.fingerprint) for document in documents if document.identifier in named]
    now = pl.DataFrame(current, schema=dict.fromkeys(STATE, pl.String), orient="row")
    outdated = outdated.join(now, on=STATE, how="semi")
    why = dict(outdated.select("identifier", never.alias("never")).group_by("identifier").agg(pl.col("never").any()).iter_rows())
    counted = Counter(NEVER_ANNOTATED if never else ANNOTATOR for never in why.values())
    return Words(tuple(document for document in documents if document.identifier in why), dict(counted))


def made_texts(store: Store, corpus: str) -> dict[str, dict[str, str]]:
    """What systems made of the documents of a corpus: texts by role, by identifier."""
    found: dict[str, dict[str, str]] = {}
    statement = """SELECT d.identifier, s.role, s.text FROM kept.segment s JOIN kept.document d USING (document)
    WHERE d.corpus = $1 AND contains(s.role, ':')"""
    for identifier, role, text in store.sql(statement, [corpus]).iter_rows():
        found.setdefault(identifier, {})[role] = text
    return found
