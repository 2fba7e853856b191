"""The result of a block of work and its numbers, counted where the work was done."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from workbench.batch import Batch
from workbench.store.parts.part import Part
from workbench.store.prepared import Prepared

#: |gap| / max(|target|, 1) up to which a ledger counts as closed, by precision.
LARGEST_GAP = {"float32": 1e-4, "float64": 1e-10, "bfloat16": 5e-2}


@dataclass(frozen=True, slots=True)
class Tally:
    """Documents, tokens and what needs attention in one batch."""

    explained: int
    failed: int
    tokens: int
    open_ledgers: int
    tokenizer_losses: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    effort: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of so many wanted explanations of so many characters, and its numbers.

    The batch is as it was computed, made ready for a store, or written as a part.
    """

    wanted: int
    batch: Batch | Prepared | Part
    tally: Tally
    characters: int = 0


def tally(batch: Batch) -> Tally:
    """The numbers of a batch."""
    losses: dict[str, dict[str, int]] = {}
    lost = batch["score"].filter(pl.col("method") == "tokenizer")
    for model, kind, documents in lost.group_by("model", "metric").len().iter_rows():
        losses.setdefault(model, {})[kind] = documents
    stages = dict(batch["failure"]["stage"].value_counts().iter_rows())
    counts = len(batch["document"]), len(batch["failure"]), len(batch["token"]), open_ledgers(batch["explanation"])
    return Tally(*counts, losses, stages, dict(batch.effort))


def open_ledgers(explanations: pl.DataFrame) -> int:
    """How many explanations have a relative gap above what their precision allows: relevance went somewhere that no rule has booked."""
    allowed = pl.col("precision").replace_strict(LARGEST_GAP, return_dtype=pl.Float64)
    relative = pl.col("gap").abs() / pl.max_horizontal(pl.col("target_value").abs(), 1.0)
    return explanations.filter(relative > allowed).height
