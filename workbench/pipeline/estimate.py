"""How long it would take, by what earlier runs of the same models and rules took on this store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from workbench.pipeline.declaration import Pipeline
from workbench.store import Store

#: So many runs back; machines and libraries change.
LATEST = 20
#: Runs with less to do say little of the time that a text takes.
FEWEST_CHARACTERS = 500
#: What of a declaration the time depends on.
DECIDES = ("model", "relevance", "similarity", "translation")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that work is likely to take, the shortest and longest by the runs that were looked at, and their number."""

    seconds: float
    shortest: float
    longest: float
    runs: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: characters to explain, characters to annotate anew, documents to measure, processes that explain."""

    explain: int = 0
    annotate: int = 0
    evaluate: int = 0
    workers: int = 1

    @property
    def nothing(self) -> bool:
        """Whether all is there."""
        return not (self.explain or self.annotate or self.evaluate)


def estimate(store: Store, pipeline: Pipeline, work: Work) -> Estimate | None:
    """The time that `work` is likely to take; None where no finished run can tell."""
    if work.nothing:
        return Estimate(0.0, 0.0, 0.0, 0)
    declared = pipeline.model_dump(mode="json")
    runs = store.sql("SELECT parameters, counts FROM kept.run WHERE status = 'finished' ORDER BY run DESC LIMIT $1", [LATEST])
    past = [json.loads(counts) for parameters, counts in runs.iter_rows() if same(json.loads(parameters), declared)]
    found = [
        seconds for counts in past if counts.get("characters", 0) >= FEWEST_CHARACTERS if (seconds := projected(counts, work)) is not None
    ]
    return Estimate(median(found), min(found), max(found), len(found)) if found else None


def same(parameters: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    """Whether a run computed as the pipeline would."""
    return all(parameters.get(part) == declared.get(part) for part in DECIDES)


def projected(counts: Mapping[str, Any], work: Work) -> float | None:
    """Seconds that the work would take at the pace of one run; None where that run did nothing of the kind."""
    stages, seconds = counts.get("stages", {}), 0.0
    if work.explain or work.evaluate:
        seconds += stages.get("load", 0.0)
    for stage, amount, done, workers in (
        ("explain", work.explain, counts.get("characters", 0), work.workers / max(counts.get("workers", 1), 1)),
        ("annotate", work.annotate, counts.get("annotated", 0), 1),
        ("evaluate", work.evaluate, counts.get("evaluated", 0), 1),
    ):
        if amount and not (done and stages.get(stage)):
            if stage == "explain" or not work.explain:
                return None
            continue  # words and measurements are the smaller part: without them the estimate is of what is known
        if amount:
            seconds += stages[stage] / done * amount / workers
    return seconds
