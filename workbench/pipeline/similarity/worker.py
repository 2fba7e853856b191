"""The worker of a pipeline that explains similarities."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workbench import fingerprint
from workbench.annotation.translations import lexicons, translations
from workbench.attribution.factors import BUDGET
from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.models.encoder import load_encoder
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import documents
from workbench.pipeline.plan import Wanted, wanted
from workbench.pipeline.similarity.retrieval import retrieved
from workbench.pipeline.similarity.work import work
from workbench.pipeline.worker import Job, Model, Progress, Rules, Told, no_one, rules_of
from workbench.rules.composite import composite
from workbench.store import Store


class SimilarityWorker:
    """A sentence encoder with the annotators of a pipeline; words are what cells stand for, so annotators are part of the fingerprint."""

    def __init__(self, pipeline: Pipeline, device: str = "cpu") -> None:
        torch.set_num_threads(1)
        composite(pipeline.composite)
        choice = pipeline.model
        self.pipeline = pipeline
        self.encoder = load_encoder(choice.name, revision=choice.revision, precision=choice.precision, device=device)
        self.annotators = Annotators(pipeline.annotation)
        words = {annotator.name: annotator.fingerprint for annotator in self.annotators.all()}
        self.fingerprint = fingerprint.of_json({"encoder": self.encoder.fingerprint, "annotators": words, "translations": lexicons()})

    def __call__(self, job: Job, _told: Told = no_one) -> Batch:
        """The batch of one job."""
        return work(job, self.encoder, self.annotators, translations, self.pipeline)

    def sparingly(self, item: Wanted, step: int) -> Batch:
        """The batch of one pair with fewer streams at a time at each step; its numbers are the same."""
        return work([item], self.encoder, self.annotators, translations, self.pipeline, budget=BUDGET // 8 ** (step + 1))

    def read(self, progress: Progress) -> tuple[Declaration, list[Document], Report]:
        """The pairs of the corpus, or each query with the passages that are nearest to it."""
        if self.pipeline.retrieval:
            return retrieved(self.pipeline, self.encoder, progress)
        progress("read", 0, 1)
        return documents(self.pipeline)

    def wanted(self, documents: Sequence[Document]) -> list[Wanted]:
        """One explanation a document."""
        return wanted(documents, self.fingerprint, self.pipeline)

    def models(self) -> list[Model]:
        """The encoder."""
        encoder = self.encoder
        parameters = {
            "tokenizer": encoder.tokenizer_name,
            "revision": self.pipeline.model.revision,
            "window": encoder.window,
            "dimension": encoder.dimension,
            "layout": [type(part).__name__ for part in encoder.module.children()],
        }
        return [Model(encoder.name, encoder.fingerprint, "encoder", parameters)]

    def rules(self) -> Rules:
        """The composite."""
        return rules_of(self.pipeline.composite)

    def evaluate(self, _store: Store, _number: int, _progress: Progress, /) -> int:
        """Nothing is measured pair by pair; `workbench evaluate similarity` measures the method."""
        return 0
