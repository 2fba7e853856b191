"""What relevance costs: ratios of paired runs in one process, beside the floor (what forward passes alone cost).

CPU time of one thread is compared, because it does not depend on what else the machine is doing; medians over the repetitions.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from workbench.attribution.trace import trace
from workbench.encoding import Encoding, by_length
from workbench.models.encode import encode
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.executors import Worker
from workbench.pipeline.plan import wanted
from workbench.pipeline.run import read

COMPOSITES = ("attnlrp.v1", "cplrp.v1", "gradient_x_input.v1")


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


def paired(things: Mapping[str, Callable[[], Any]], repetitions: int) -> dict[str, float]:
    """Median CPU seconds of each, measured in turns so that all meet the same weather; one warm-up round."""
    taken: dict[str, list[float]] = {name: [] for name in things}
    for repetition in range(repetitions + 1):
        for name, thing in things.items():
            start = time.process_time()
            thing()
            if repetition:
                taken[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def engine(*, layers: int = 6, hidden: int = 384, batch: int = 4, length: int = 128, repetitions: int = 9) -> Cost:
    """Cost of a batch under each composite on a BERT with random weights, beside its plain forward and forward+backward pass."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 32, intermediate_size=4 * hidden, vocab_size=1000
    )
    module: nn.Module = BertForSequenceClassification(config)
    module.eval().requires_grad_(False)
    ids = torch.randint(5, 1000, (batch, length))
    encodings = [Encoding(tuple(row), ("",) * length, ((0, 0),) * length, (False,) * length) for row in ids.tolist()]

    def explained(name: str) -> Callable[[], Any]:
        def run() -> None:
            traced = trace(module, encodings, name)
            traced.explanations(traced.logits.argmax(1))

        return run

    things = {
        "forward": lambda: forward(module, ids),
        "forward+backward": lambda: backward(module, ids),
        **{name: explained(name) for name in COMPOSITES},
    }
    return Cost(paired(things, repetitions), "forward", "forward+backward", ids.numel())


def forward(module: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """A plain forward pass."""
    with torch.inference_mode():
        logits: torch.Tensor = module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return logits


def backward(module: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """A plain forward and backward pass to the word embeddings."""
    embeddings: Any = module.get_input_embeddings()  # type: ignore[operator]
    leaf = embeddings(ids).detach().requires_grad_(True)
    logits = module(inputs_embeds=leaf, attention_mask=torch.ones_like(ids)).logits
    gradient: torch.Tensor = torch.autograd.grad(logits.max(1).values.sum(), leaf)[0]
    return gradient


def corpus(pipeline: Pipeline, *, documents: int = 512, repetitions: int = 3) -> Cost:
    """Cost of a pipeline's whole work on documents of its corpus, beside the forward passes of its models on the same batches."""
    worker = Worker(pipeline)
    _, everything, _ = read(pipeline)
    step = max(1, len(everything) // documents)
    ordered = wanted(everything, worker.ensemble.fingerprint, pipeline)[::step][:documents]
    jobs = [ordered[start : start + pipeline.batch] for start in range(0, len(ordered), pipeline.batch)]
    passes = [batch for job in jobs for batch in batches_of(job, worker)]
    things = {
        "forward passes": lambda: [forward(module, ids) for module, ids in passes],
        "forward+backward": lambda: [backward(module, ids) for module, ids in passes],
        "whole work": lambda: [worker(job) for job in jobs],
    }
    return Cost(paired(things, repetitions), "forward passes", "forward+backward", sum(ids.numel() for _, ids in passes))


def batches_of(job: list[Any], worker: Worker) -> list[tuple[nn.Module, torch.Tensor]]:
    """The equal-length batches of a job for every member."""
    found = []
    for member in worker.ensemble.members:
        encodings = [encode(member.tokenizer, item.document.segments[item.role], member.window) for item in job]
        found += [(member.module, torch.tensor([encodings[place].ids for place in places])) for places in by_length(encodings)]
    return found
