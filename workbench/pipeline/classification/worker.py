"""The worker of a pipeline that explains labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.models.ensemble import load_ensemble
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.classification.windows import explain_in_windows
from workbench.pipeline.classification.work import work
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import documents
from workbench.pipeline.plan import Wanted, wanted
from workbench.pipeline.worker import Job, Model, Progress, Rules, Told, no_one, rules_of
from workbench.store import Store


class ClassificationWorker:
    """A classifier or ensemble of them with the annotators of a pipeline."""

    def __init__(self, pipeline: Pipeline, device: str = "cpu") -> None:
        torch.set_num_threads(1)
        self.pipeline = pipeline
        choice = pipeline.model
        self.ensemble = load_ensemble(choice.name, revision=choice.revision, precision=choice.precision, device=device)
        self.annotators = Annotators(pipeline.annotation)
        self.fingerprint = self.ensemble.fingerprint

    def __call__(self, job: Job, _told: Told = no_one) -> Batch:
        """The batch of one job."""
        return work(job, self.ensemble, self.annotators, self.pipeline)

    def sparingly(self, item: Wanted, step: int) -> Batch:
        """The batch of one document in little memory: whole at step 0, then in twice as many windows at each step."""
        return explain_in_windows(item, 2**step, self.ensemble, self.annotators, self.pipeline)

    def read(self, progress: Progress) -> tuple[Declaration, list[Document], Report]:
        """The documents of the corpus or split."""
        progress("read", 0, 1)
        return documents(self.pipeline)

    def wanted(self, documents: Sequence[Document]) -> list[Wanted]:
        """One explanation a document."""
        return wanted(documents, self.fingerprint, self.pipeline)

    def models(self) -> list[Model]:
        """Every member, and the ensemble where there are several."""
        ensemble = self.ensemble
        members = [
            Model(
                member.name,
                member.fingerprint,
                "classifier",
                {
                    "tokenizer": member.tokenizer_name,
                    "labels": list(member.labels),
                    "revision": member.revision,
                    "window": member.window,
                },
            )
            for member in ensemble.members
        ]
        if len(members) == 1:
            return members
        parameters = {"members": [member.name for member in ensemble.members], "labels": list(ensemble.labels)}
        return [*members, Model(ensemble.name, ensemble.fingerprint, "ensemble", parameters)]

    def rules(self) -> Rules:
        """The composite."""
        return rules_of(self.pipeline.composite)

    def evaluate(self, store: Store, number: int, progress: Progress) -> int:
        """Faithfulness of word relevance on a seeded sample."""
        from workbench.pipeline.classification.evaluate import evaluate  # brings much that most processes never use

        return evaluate(store, self.pipeline, self.ensemble, self.annotators, number, progress)
