"""What a pipeline's whole work costs over the forward passes of its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from workbench.encoding import by_length
from workbench.models.encode import encode
from workbench.pipeline.bench.clock import paired
from workbench.pipeline.bench.passes import backward, forward
from workbench.pipeline.classification.worker import ClassificationWorker
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import documents as documents_of
from workbench.pipeline.plan import wanted


@dataclass(frozen=True, slots=True)
class Cost:
    """Median CPU seconds of each thing measured, and what they are compared with."""

    seconds: Mapping[str, float]
    floor: str
    reference: str
    tokens: int

    def rows(self) -> list[dict[str, Any]]:
        """One row for each thing: seconds, ratio to the floor and to the reference, tokens a second."""
        return [
            {
                "seconds": seconds,
                f"over {self.floor}": seconds / self.seconds[self.floor],
                f"over {self.reference}": seconds / self.seconds[self.reference],
                "tokens/s": self.tokens / seconds,
                "what": name,
            }
            for name, seconds in self.seconds.items()
        ]


def corpus(pipeline: Pipeline, *, documents: int = 512, repetitions: int = 3) -> Cost:
    """Cost of a pipeline's whole work on documents of its corpus, beside the forward passes of its models on the same batches."""
    worker = ClassificationWorker(pipeline)
    _, everything, _ = documents_of(pipeline)
    step = max(1, len(everything) // documents)
    ordered = wanted(everything, worker.ensemble.fingerprint, pipeline)[::step][:documents]
    jobs = [ordered[start : start + pipeline.batch] for start in range(0, len(ordered), pipeline.batch)]
    passes = [batch for job in jobs for batch in batches_of(job, worker)]
    things = {
        "forward passes": lambda: [forward(module, given) for module, given in passes],
        "forward+backward": lambda: [backward(module, given) for module, given in passes],
        "whole work": lambda: [worker(job) for job in jobs],
    }
    tokens = sum(given["input_ids"].numel() for _, given in passes)
    return Cost(paired(things, repetitions), "forward passes", "forward+backward", tokens)


def batches_of(job: list[Any], worker: ClassificationWorker) -> list[tuple[nn.Module, dict[str, torch.Tensor]]]:
    """The equal-length batches of a job for every member, as the arguments of its model."""
    found = []
    for member in worker.ensemble.members:
        encodings = [encode(member.tokenizer, item.document.segments[item.role], member.window) for item in job]
        for places in by_length(encodings):
            ids = torch.tensor([encodings[place].ids for place in places])
            found.append((member.module, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}))
    return found
