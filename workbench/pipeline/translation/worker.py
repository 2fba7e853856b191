"""The worker of a pipeline that explains translations."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workbench import fingerprint
from workbench.attribution.contributions import BUDGET, solver
from workbench.batch import Batch
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.models.encoder import load_encoder
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import METHOD_NAMES, Pipeline, TranslationChoice
from workbench.pipeline.documents import documents
from workbench.pipeline.plan import Wanted, by_length, identity
from workbench.pipeline.translation.choice import Systems
from workbench.pipeline.translation.work import HYPOTHESIS, work
from workbench.pipeline.worker import Job, Model, Progress, Rules, Told, no_one, rules_of
from workbench.store import Store


class TranslationWorker:
    """Systems of one or several languages with the annotators of a pipeline, and the sentence encoder that judges their outputs."""

    def __init__(self, pipeline: Pipeline, device: str = "cpu") -> None:
        torch.set_num_threads(1)
        self.pipeline = pipeline
        self.choice = pipeline.translation or TranslationChoice()
        solver(self.choice.method, self.choice.target)
        self.systems = Systems(pipeline, device)
        self.encoder = load_encoder(self.choice.encoder.name, device=device) if self.choice.encoder else None
        self.annotators = Annotators(pipeline.annotation)
        self.judge = self.encoder.fingerprint if self.encoder else ""
        self.fingerprint = fingerprint.of_json({"systems": self.systems.weights, "encoder": self.judge})

    def __call__(self, job: Job, told: Told = no_one) -> Batch:
        """The batch of one job."""
        return work(job, self.systems, self.annotators, self.encoder, self.pipeline, told)

    def sparingly(self, item: Wanted, step: int) -> Batch:
        """The batch of one translation with fewer steps at a time; its numbers are the same."""
        return work([item], self.systems, self.annotators, self.encoder, self.pipeline, budget=max(1, BUDGET // 8 ** (step + 1)))

    def read(self, progress: Progress) -> tuple[Declaration, list[Document], Report]:
        """The documents of the corpus, and the systems of their languages."""
        progress("read", 0, 1)
        declaration, found, report = documents(self.pipeline)
        self.systems.meet(found)
        return declaration, found, report

    def wanted(self, documents: Sequence[Document]) -> list[Wanted]:
        """For each document, each system that translates it and each text that is to be explained."""
        return [item for document in by_length(documents) for item in self.asked(document)]

    def asked(self, document: Document) -> list[Wanted]:
        """What is wanted of one document."""
        found = []
        for system in self.systems.of(document):
            for prefix in self.choice.prefix:
                role = f"{HYPOTHESIS}{system.name}" if prefix == "output" else prefix
                made: dict[str, int] = {"beams": self.choice.beams} if prefix == "output" else {}
                model = fingerprint.of_json({"system": system.fingerprint, "encoder": self.judge, **made})
                found.append(Wanted(document, role, identity(document, role, model, self.pipeline), system.name))
        return found

    def models(self) -> list[Model]:
        """Every system between languages of the corpus, and the encoder; a process that has not read the corpus reads it now."""
        if not self.systems.known:
            self.systems.meet(documents(self.pipeline)[1])
        models = [Model(one.name, one.fingerprint, "translator", one.parameters) for one in self.systems.met()]
        if self.encoder:
            models.append(Model(self.encoder.name, self.encoder.fingerprint, "encoder", {"tokenizer": self.encoder.tokenizer_name}))
        return models

    def rules(self) -> Rules:
        """The composite, or the method of shares."""
        if self.choice.method in METHOD_NAMES:
            name = METHOD_NAMES[self.choice.method]
            return Rules(name, fingerprint.of_json({"method": name}), {"method": self.choice.method})
        return rules_of(self.choice.composite)

    def evaluate(self, _store: Store, _number: int, _progress: Progress, /) -> int:
        """Nothing is measured sentence by sentence; `workbench evaluate synthetic-translation` measures the methods."""
        return 0
