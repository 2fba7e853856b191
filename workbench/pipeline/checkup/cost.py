"""What relevance costs on this model and machine: time and memory of one text beside the plain passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.attribution.trace import record
from workbench.models.model import Model
from workbench.pipeline.bench import paired
from workbench.pipeline.checkup.cases import Case, plain
from workbench.pipeline.checkup.interference import gradients
from workbench.pipeline.memory import peak

LENGTH = 128
REPETITIONS = 7
#: Seconds that the repetitions may take together.
PATIENCE = 20.0
NAMES = ("forward", "forward+backward")


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through the model: median CPU seconds, peak bytes beyond the model, and their ratios to forward+backward."""

    name: str
    seconds: float
    tokens_per_second: float
    bytes: int
    time_ratio: float
    memory_ratio: float


def passes(model: Model, case: Case, composite: str) -> list[Pass]:
    """Costs of the plain forward pass, forward and backward, and an explanation under a composite, measured in turns."""
    module = model.module
    work: dict[str, Callable[[], Any]] = {
        NAMES[0]: lambda: plain(module, case.inputs),
        NAMES[1]: lambda: gradients(module, case.inputs, case.target),
        composite: lambda: record(module, case.inputs, composite).explain(case.target),
    }
    begun = time.perf_counter()
    most = {name: peak(module, one) for name, one in work.items()}
    once = time.perf_counter() - begun
    taken = paired(work, max(1, min(REPETITIONS, int(PATIENCE / max(once, 1e-3)))))
    tokens = len(case.encoding)
    return [
        Pass(name, taken[name], tokens / taken[name], most[name], taken[name] / taken[NAMES[1]], most[name] / max(most[NAMES[1]], 1))
        for name in work
    ]
