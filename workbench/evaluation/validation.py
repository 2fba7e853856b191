"""The validation suite: planted signals, the randomisation test and human rationales, every method side by side, held to bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import polars as pl

from workbench.errors import InputError
from workbench.evaluation.bars import Bar, all_met
from workbench.evaluation.methods import LRP_FAMILY
from workbench.evaluation.planted import PlantedResult, planted
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding
from workbench.evaluation.planted_run import Size
from workbench.evaluation.planted_texts import TASKS, Task
from workbench.evaluation.randomization_run import RandomizationResult, randomization_control
from workbench.evaluation.rationales import rationales, review_rationales
from workbench.fingerprint import Json

Part: TypeAlias = Literal["planted", "randomization", "rationales"]
PARTS: tuple[Part, ...] = get_args(Part)
#: A difference in precision@k that counts as a loss.
LEAST_LOSS = 0.005

#: Told of each part: its name, steps done, steps in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Validation:
    """The parts that were run; `left_out` says why one was not."""

    planted: PlantedResult | None
    randomization: RandomizationResult | None
    rationales: pl.DataFrame | None
    left_out: tuple[str, ...] = ()

    @property
    def bars(self) -> list[Bar]:
        """Every bar of every part that was run."""
        found = self.planted.bars if self.planted else []
        return found + (self.randomization.bars if self.randomization else [])

    @property
    def passed(self) -> bool:
        """All bars met; no model of a task that must be asked flagged."""
        return all_met(self.bars) and (self.planted is None or self.planted.passed)

    def to_json(self) -> str:
        """All numbers as JSON (sorted keys)."""
        result: Json = {
            "passed": self.passed, "bars": [bar.row() for bar in self.bars], "left_out": list(self.left_out),
            "planted": json.loads(self.planted.to_json()) if self.planted else None,
            "randomization": self.randomization.found.to_dicts() if self.randomization else None,
            "rationales": self.rationales.to_dicts() if self.rationales is not None else None,
        }  # fmt: skip
        return json.dumps(result, sort_keys=True, indent=1)


def validate(
    seeds: int = 3,
    *,
    parts: Sequence[Part] = PARTS,
    tasks: Sequence[Task] = TASKS,
    encodings: Sequence[PositionEncoding] = POSITION_ENCODINGS,
    posts: int | None = 100,
    workers: int = 2,
    size: Size | None = None,
    progress: Progress = lambda *_: None,
) -> Validation:
    """Runs the parts; `posts` is the most posts of each corpus of rationales (None: all).

    Rationales are left out where their corpora are not at hand. Raises InputError for an unknown part, task or encoding.
    """
    if not parts or (unknown := set(parts) - set(PARTS)):
        found = f"unknown parts {', '.join(sorted(unknown))}" if parts else "no part"
        raise InputError("run the validation suite", found, f"choose parts among {', '.join(PARTS)}")
    control = shaken = agreement = None
    left_out: tuple[str, ...] = ()
    if "planted" in parts:
        control = planted(
            seeds, tasks=tasks, encodings=encodings, workers=workers, size=size,
            progress=lambda done, total, _: progress("planted signals", done, total),
        )  # fmt: skip
    if "randomization" in parts:
        shaken = randomization_control(
            encodings, workers=workers, progress=lambda done, total: progress("models with random weights", done, total)
        )
    if "rationales" in parts:
        agreement, left_out = human_rationales(posts, progress)
    return Validation(control, shaken, agreement, left_out)


def human_rationales(posts: int | None, progress: Progress) -> tuple[pl.DataFrame | None, tuple[str, ...]]:
    """Agreement with the rationales of the corpora that are at hand, and why others are left out."""
    frames, left_out = [], []
    sources: dict[str, Callable[..., pl.DataFrame]] = {"human rationales": rationales, "rationales of movie reviews": review_rationales}
    for done, (name, measure) in enumerate(sources.items()):
        progress("human rationales", done, len(sources))
        try:
            frames.append(measure(limit=posts))
        except InputError as error:
            left_out.append(f"{name}: {error.found}; {error.remedy}")
    progress("human rationales", len(sources), len(sources))
    return (pl.concat(frames) if frames else None), tuple(left_out)


def lost(summary: pl.DataFrame) -> pl.DataFrame:
    """Where a method of another kind finds a planted signal better than the best of the LRP family, largest loss first.

    `summary` is `PlantedResult.summary(by_encoding=True)`. Rows: task, encoding, ordering, precision@k of both, and which methods they are.
    """
    keys = ("task", "encoding", "ordering")
    family = pl.col("method").is_in(LRP_FAMILY)
    ranked = summary.filter(pl.col("reading") == "tokens", pl.col("method") != "random").sort("precision_at_k", descending=True)
    best = [
        ranked.filter(chosen).group_by(*keys, maintain_order=True).agg(
            pl.col("precision_at_k").first().alias(name), pl.col("method").first().alias(f"method_{name}")
        )
        for name, chosen in (("lrp", family), ("other", ~family))
    ]  # fmt: skip
    return (
        best[0]
        .join(best[1], on=keys)
        .filter(pl.col("other") - pl.col("lrp") > LEAST_LOSS)
        .sort(pl.col("other") - pl.col("lrp"), *keys, descending=[True, False, False, False])
    )
