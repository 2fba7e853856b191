"""Relevance patching judged on models trained here: does it say what patching would do, and does attribution patching?

1. Train a small GPT-2 for each seed on a small English (`agreement_language`).
2. Verify that it agrees: right answers after at least 98 % of held-out prompts. A model that fails is flagged and its figures do not count.
3. Patch every component at every position of held-out pairs, by all three methods (`patching`).
4. Pearson correlation of each estimate with activation patching, over pairs, layers and positions (`patching_agreement`).
5. Ask how each model moves the number of the subject (`frozen_attention`): by values, or by where it attends.

Measured with the default shape, which was chosen on seeds 0, 2 and 3: of seeds 0 to 7 six models reach .95 on residual stream and MLP
outputs; seed 6 (MLP .76) and seed 7 (.89) do not. No shape or training that was tried brought all seeds there. The rest is attention, which
RelP leaves at its plain derivative: where patching itself runs with the attention weights of the corrupted run, relevance patching that
takes them as constants agrees with it by .98 and more on all components of these two models as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time

import polars as pl
import torch

from workbench.errors import InputError
from workbench.evaluation.agreement import agreement_pairs
from workbench.evaluation.agreement_model import Shape, accuracy, train
from workbench.evaluation.frozen_attention import carried_by_values
from workbench.evaluation.interventions import KINDS
from workbench.evaluation.patching import METHODS, Cost, Method, patching
from workbench.evaluation.patching_agreement import PUBLISHED, pearson
from workbench.fingerprint import Json

ACCURACY_BAR = 0.98
PEARSON_BAR = 0.95
#: Components whose agreement with relevance patching has a bar.
BARRED = ("residual", "mlp")

#: Told after each model: models done, models in all, the run that ended.
Progress = Callable[[int, int, "Run"], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One model: accuracy on held-out prompts, effects (columns `patching.EFFECTS`), cost by method, CPU seconds of training.

    `carried_by_values` tells how the model moves the number of the subject (`frozen_attention`): by values (1) or by where it attends (0).
    """

    seed: int
    accuracy: float
    effects: pl.DataFrame
    costs: dict[Method, Cost]
    seconds: float
    carried_by_values: float

    @property
    def sound(self) -> bool:
        """Whether the model does the task: its figures count."""
        return self.accuracy >= ACCURACY_BAR


@dataclass(frozen=True, slots=True)
class Study:
    """All models of one study, and what they say together."""

    runs: tuple[Run, ...]

    @property
    def flagged(self) -> list[Run]:
        """Models that do not do the task; they say nothing about any method."""
        return [run for run in self.runs if not run.sound]

    def by_seed(self, by: Sequence[str] = ("kind",)) -> pl.DataFrame:
        """Agreement by seed, kind (and layer) and method of the models that count (columns of `pearson`); empty where none does."""
        frames = [pearson(run.effects, by).select(pl.lit(run.seed).alias("seed"), pl.all()) for run in self.runs if run.sound]
        return pl.concat(frames) if frames else pl.DataFrame()

    def summary(self) -> pl.DataFrame:
        """By kind and method: correlation over all pairs of all models with its interval, the lowest and highest model, GPT-2 small's."""
        by_seed = self.by_seed()
        if by_seed.is_empty():
            return by_seed
        sound = [run for run in self.runs if run.sound]
        numbered = [run.effects.with_columns(pl.col("pair") + number * 1_000_000) for number, run in enumerate(sound)]
        spread = by_seed.group_by("kind", "method").agg(
            pl.len().alias("models"), pl.col("pearson").min().alias("lowest"), pl.col("pearson").max().alias("highest")
        )
        published = pl.DataFrame(
            [(kind, method, value) for (kind, method), value in PUBLISHED.items()], schema=["kind", "method", "gpt2_small"], orient="row"
        )
        found = pearson(pl.concat(numbered)).join(spread, on=["kind", "method"], maintain_order="left")
        return found.join(published, on=["kind", "method"], how="left", maintain_order="left")

    def models(self) -> pl.DataFrame:
        """By model: accuracy, correlation of relevance patching by kind (null where the model does not count), how it moves number."""
        rows: list[dict[str, float | None]] = []
        for run in self.runs:
            found = {
                line["kind"]: line["pearson"] for line in pearson(run.effects, resamples=2).filter(method="relevance_patching").to_dicts()
            }
            rows.append({
                "seed": run.seed, "accuracy": run.accuracy, "training_seconds": run.seconds,
                **{kind: found[kind] if run.sound else None for kind in KINDS}, "carried_by_values": run.carried_by_values,
            })  # fmt: skip
        return pl.DataFrame(rows)

    def costs(self) -> pl.DataFrame:
        """By method: prompts run forward and backward for one pair, and CPU milliseconds, over all models."""
        pairs = sum(run.effects["pair"].n_unique() for run in self.runs)
        rows = []
        for method in METHODS:
            parts = [run.costs[method] for run in self.runs]
            rows.append({
                "method": method, "forward": sum(part.forward for part in parts) / pairs,
                "backward": sum(part.backward for part in parts) / pairs, "milliseconds": 1e3 * sum(part.seconds for part in parts) / pairs,
            })  # fmt: skip
        return pl.DataFrame(rows)

    @property
    def lowest(self) -> float | None:
        """The lowest correlation of relevance patching on the components that have a bar, over models; None where no model counts."""
        by_seed = self.by_seed()
        if by_seed.is_empty():
            return None
        value = by_seed.filter(pl.col("kind").is_in(BARRED), pl.col("method") == "relevance_patching")["pearson"].min()
        return float(value) if isinstance(value, float) else None

    @property
    def reaching(self) -> int:
        """Models in which relevance patching reaches .95 on residual stream and MLP outputs."""
        return self.models().filter(pl.min_horizontal(*BARRED) >= PEARSON_BAR).height

    @property
    def passed(self) -> bool:
        """Every model does the task, and relevance patching reaches .95 on residual stream and MLP outputs in each of them."""
        return not self.flagged and self.lowest is not None and self.lowest >= PEARSON_BAR

    def to_json(self) -> dict[str, Json]:
        """All figures: summary, by seed, by layer, costs, accuracies."""
        return {
            "passed": self.passed, "lowest": self.lowest, "models": self.models().to_dicts(), "summary": self.summary().to_dicts(),
            "by_seed": self.by_seed().to_dicts(), "by_layer": self.by_seed(("kind", "layer")).to_dicts(), "costs": self.costs().to_dicts(),
        }  # fmt: skip


def patching_study(seeds: int = 3, pairs: int = 200, *, shape: Shape | None = None, progress: Progress | None = None) -> Study:
    """Trains a model for each seed from 0 and compares the methods on held-out pairs. Raises InputError for no seed or no pair."""
    if seeds < 1 or pairs < 2:
        raise InputError("study patching", f"{seeds} models and {pairs} pairs", "ask for one model and two pairs at least")
    runs: list[Run] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the models are small: more threads only wait for each other
    try:
        for seed in range(seeds):
            runs.append(patching_run(seed, pairs, shape or Shape()))
            if progress is not None:
                progress(len(runs), seeds, runs[-1])
    finally:
        torch.set_num_threads(threads)
    return Study(tuple(runs))


def patching_run(seed: int, count: int, shape: Shape) -> Run:
    """One model, trained and asked."""
    before = process_time()
    model = train(seed, shape)
    seconds = process_time() - before
    drawn = agreement_pairs(count, seed)
    done = patching(model, drawn)
    return Run(seed, accuracy(model, drawn), done.effects, done.costs, seconds, carried_by_values(model, drawn))
