"""Which documents faithfulness is measured on: a seeded sample, without those that have been measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench import corpora
from workbench.document import Document
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import corpus_of
from workbench.store import Store


def sample(pipeline: Pipeline) -> list[Document]:
    """The documents to measure: a seeded choice among those of the evaluation's split."""
    reading = corpora.read(corpus_of(pipeline.corpus), pipeline.evaluation.split, pipeline.corpus.limit)
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
