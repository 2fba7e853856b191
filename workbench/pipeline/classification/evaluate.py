"""Faithfulness of a run's explanations, measured on a seeded sample of its documents and kept beside them."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from workbench.corpora import language_of
from workbench.evaluation.faithfulness import faithfulness
from workbench.evaluation.subject import subject_of, texts_of
from workbench.models.ensemble import Ensemble
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.sample import sample, unmeasured
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
