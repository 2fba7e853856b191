"""Faithfulness of a run's explanations, measured on a seeded sample of its documents and kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from workbench import corpora
from workbench.corpora import language_of
from workbench.document import Document
from workbench.evaluation.faithfulness import faithfulness
from workbench.evaluation.subject import subject_of, texts_of
from workbench.models.ensemble import Ensemble
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.store import Store


def evaluate(
    store: Store, pipeline: Pipeline, ensemble: Ensemble, annotators: Annotators, number: int, progress: Callable[[str, int, int], None]
) -> int:
    """Measures the documents of the sample that have no scores yet; returns how many were measured."""
    chosen = unmeasured(store, sample(pipeline), ensemble.name, pipeline)
    if not chosen:
        return 0
    (role,) = {role for document, _ in chosen for role in document.segments}
    written = [document.segments[role] for document, _ in chosen]
    languages = [language_of(document, role) for document, _ in chosen]
    texts = texts_of(ensemble, written, annotators.annotate(written, languages))
    labels = [ensemble.labels.index(label) for _, label in chosen]
    progress("evaluate", 0, len(chosen))
    subject = subject_of(ensemble, seed=pipeline.evaluation.seed)
    found = faithfulness(
        subject, texts, labels, model=ensemble.name, role=role, progress=lambda done, total: progress("evaluate", done, total)
    )
    names = pl.DataFrame(
        {
            "document": range(len(chosen)),
            "corpus": [document.corpus for document, _ in chosen],
            "identifier": [document.identifier for document, _ in chosen],
        },
        schema={"document": pl.Int32, "corpus": pl.String, "identifier": pl.String},
    )
    store.append_scores(found.scores.join(names, on="document").drop("document"), number)
    return len(chosen)


def sample(pipeline: Pipeline) -> list[Document]:
    """The documents to measure: a seeded choice among those of the evaluation's split."""
    reading = corpora.read(corpora.find(pipeline.corpus.name), pipeline.evaluation.split, pipeline.corpus.limit)
    documents = sorted(reading, key=lambda document: document.identifier)
    count = min(pipeline.evaluation.documents, len(documents))
    chosen = np.random.default_rng(pipeline.evaluation.seed).choice(len(documents), count, replace=False)
    return [documents[index] for index in sorted(chosen)]


def unmeasured(store: Store, documents: Sequence[Document], model: str, pipeline: Pipeline) -> list[tuple[Document, str]]:
    """Documents with the label that was explained, without those that have scores of this model."""
    rules = pipeline.relevance
    explained = store.sql(
        """
        SELECT d.corpus, d.identifier, any_value(e.label) AS label
        FROM kept.explanation e JOIN kept.document d USING (document)
        WHERE e.model = $model AND e.composite = $composite AND e.target = $target
          AND NOT EXISTS (FROM faithfulness s WHERE s.document = d.document AND s.model = $model)
        GROUP BY ALL
        """,
        {"model": model, "composite": rules.composite, "target": rules.target},
    )
    labels = {(corpus, identifier): label for corpus, identifier, label in explained.iter_rows()}
    keyed = ((document, labels.get((document.corpus, document.identifier))) for document in documents)
    return [(document, label) for document, label in keyed if label is not None]
