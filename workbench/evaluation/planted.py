"""The planted control: small models, texts whose signal is known. Is it found, and is nothing found where nothing is?

1. Train a small encoder for each task (`planted_texts`), way of telling positions (`planted_encoders`) and seed.
2. Verify reliance: about every held-out label right, chance without the signal. A model that fails is flagged and not asked.
3. Keep the texts whose signal decides: with it the answer is right, without it wrong (`decided`).
4. precision@k and mean rank of every method (Bastings et al. 2022), signed and absolute, and of position relevance.
5. With random labels: how many words does the corpus-level test (`significance`) call significant? With single tokens: does it find them?
   With a source tag that was a good guess in training only: does it name the tag as what drives the model's answers?

Methods may lose here, and the table shows it. A faithfulness figure is never shown without this one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from workbench.errors import InputError
from workbench.evaluation.bars import Bar, all_met
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding
from workbench.evaluation.planted_model import Reliance
from workbench.evaluation.planted_run import FOUND, PlantedRun, Size, WordTest, planted_run
from workbench.evaluation.planted_texts import TASKS, Task
from workbench.evaluation.spread import spread
from workbench.fingerprint import Json

SINGLE_TOKEN_BAR = 0.99
FALSE_ALARM_BAR = 0.05
POSITION_BAR = 0.9
#: A tag must be among the first words, of about ninety.
TAG_BAR = 5
#: Rules whose position relevance is held to the bar: PA-LRP, which differs from AttnLRP where positions are rotary.
POSITION_METHOD: dict[PositionEncoding, str] = {"absolute": "attnlrp", "rotary": "palrp", "relative": "attnlrp"}

SLOWEST: tuple[Task, ...] = ("token_in_context", "ordered_pair")

#: Told after each model: models done, models in all, the run that ended.
Progress = Callable[[int, int, PlantedRun], None]


@dataclass(frozen=True, slots=True)
class PlantedResult:
    """All runs of one planted control, the numbers a report shows and the two bars."""

    runs: tuple[PlantedRun, ...]
    seconds: float

    @property
    def found(self) -> pl.DataFrame:
        """One row for each task, seed, method, reading and ordering: precision@k and mean rank (columns `FOUND`)."""
        return pl.concat([run.found for run in self.runs])

    @property
    def flagged(self) -> list[PlantedRun]:
        """Runs whose model does not rely on the signal; they say nothing about any method."""
        return [run for run in self.runs if not run.reliance.holds]

    @property
    def single_token(self) -> float | None:
        """Smallest precision@k of AttnLRP and CP-LRP over seeds, encodings and orderings on the single token; None where not asked."""
        asked = self.found.filter(
            pl.col("task") == "single_token", pl.col("reading") == "tokens", pl.col("method").is_in(["attnlrp", "cplrp"])
        )
        return _number(asked["precision_at_k"].min())

    @property
    def positions(self) -> pl.DataFrame:
        """precision@k of the position reading of each model of the position-only task, places ranked by size: encoding, seed."""
        held = pl.concat([pl.DataFrame({"encoding": [encoding], "method": [name]}) for encoding, name in POSITION_METHOD.items()])
        return (
            self.found.filter(task="position_only", reading="positions", ordering="absolute")
            .join(held, on=["encoding", "method"])
            .select("encoding", "seed", "precision_at_k")
            .sort("encoding", "seed")
        )

    @property
    def position_only(self) -> float | None:
        """Median of `positions` over seeds and encodings; None where it was not asked."""
        return _number(self.positions["precision_at_k"].median())

    @property
    def tag_rank(self) -> int | None:
        """Worst place, over all models, of the first source tag among the words that drive a model's answers; None where not asked."""
        return max((run.words.rank for run in self.runs if run.words is not None and run.words.rank), default=None)

    @property
    def false_alarms(self) -> float | None:
        """Share of the words tested that are called significant with random labels; None where it was not asked."""
        return self._share("random_labels", "wrong", "tested")

    @property
    def naive_false_alarms(self) -> float | None:
        """The same for a t-test of the relevance against zero: why that test is not used."""
        return self._share("random_labels", "naive_wrong", "tested")

    @property
    def families_with_alarm(self) -> float | None:
        """Share of redrawn random labels with any word called significant: at most the test's level if it is honest."""
        return self._share("random_labels", "families_wrong", "families")

    @property
    def bars(self) -> list[Bar]:
        """What is asked of the control, beside what was found; the first two must have been asked."""
        return [
            Bar("precision@k of AttnLRP and CP-LRP on the single token, smallest", self.single_token, SINGLE_TOKEN_BAR, needed=True),
            Bar("words called significant where labels are random, share", self.false_alarms, FALSE_ALARM_BAR, at_most=True, needed=True),
            Bar("precision@k of position relevance, position only, median", self.position_only, POSITION_BAR),
            Bar("place of the source tag among words that drive answers, worst", self.tag_rank, TAG_BAR, at_most=True),
        ]

    @property
    def passed(self) -> bool:
        """All bars met, and no model flagged of the two tasks that must be asked."""
        sound = not any(run.task in ("single_token", "random_labels") for run in self.flagged)
        return sound and all_met(self.bars)

    def _share(self, task: Task, part: str, whole: str) -> float | None:
        tests = [run.words for run in self.runs if run.task == task and run.words is not None]
        total: int = sum(getattr(test, whole) for test in tests)
        return sum(getattr(test, part) for test in tests) / total if total else None

    def summary(self, *, by_encoding: bool = False) -> pl.DataFrame:
        """By task (and encoding), reading, method and ordering: models, mean, smallest and largest precision@k over them, mean rank."""
        keys = (*(["encoding"] if by_encoding else []), "task", "reading", "method", "ordering")
        precision = pl.col("precision_at_k")
        return (
            self.found.group_by(*keys)
            .agg(
                pl.len().alias("models"), precision.mean().alias("precision_at_k"), precision.min().alias("lowest"),
                precision.max().alias("highest"), pl.col("mean_rank").mean(),
            )
            .sort(*keys)
        )  # fmt: skip

    def to_json(self) -> str:
        """The result as JSON (sorted keys), read back by `from_json`."""
        runs: list[Json] = [
            {
                "task": run.task, "encoding": run.encoding, "seed": run.seed, "seconds": round(run.seconds, 2),
                "reliance": asdict(run.reliance), "words": asdict(run.words) if run.words else None, "found": run.found.to_dicts(),
            }
            for run in self.runs
        ]  # fmt: skip
        bars: Json = [bar.row() for bar in self.bars]
        result: Json = {
            "bars": bars, "passed": self.passed, "naive_false_alarms": self.naive_false_alarms,
            "families_with_alarm": self.families_with_alarm, "seconds": round(self.seconds, 1), "runs": runs,
        }  # fmt: skip
        return json.dumps(result, sort_keys=True, indent=1)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def from_json(text: str) -> PlantedResult:
    """The result that `to_json` wrote. Raises InputError for anything else."""
    try:
        given = json.loads(text)
        runs = tuple(
            PlantedRun(
                run["task"], run["seed"], Reliance(**run["reliance"]), pl.DataFrame(run["found"], schema=FOUND, orient="row"),
                WordTest(**run["words"]) if run["words"] else None, run["seconds"], run["encoding"],
            )
            for run in given["runs"]
        )  # fmt: skip
        return PlantedResult(runs, float(given["seconds"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("read a planted control", f"{type(error).__name__}: {error}", "run the planted control again") from error


def planted(
    seeds: int = 5,
    *,
    tasks: Sequence[Task] = TASKS,
    encodings: Sequence[PositionEncoding] = ("absolute",),
    workers: int = 2,
    size: Size | None = None,
    progress: Progress | None = None,
) -> PlantedResult:
    """Runs every task and encoding for seeds 0 to `seeds` - 1, in `workers` processes of one thread each (1: in this process).

    Same seeds, same numbers, whatever the number of workers. Raises InputError for an unknown task or encoding, or
    where nothing is asked.
    """
    _refuse_unknown(seeds, tasks, encodings)
    started = time.monotonic()
    # The slowest task first, so that no process is left alone with it at the end.
    order = sorted(tasks, key=lambda task: SLOWEST.index(task) if task in SLOWEST else len(SLOWEST))
    wanted = [(task, seed, size or Size(), encoding) for task in order for encoding in encodings for seed in range(seeds)]
    done: list[PlantedRun] = []
    for run in spread(planted_run, wanted, workers):
        done.append(run)
        if progress is not None:
            progress(len(done), len(wanted), run)
    done.sort(key=lambda run: (TASKS.index(run.task), POSITION_ENCODINGS.index(run.encoding), run.seed))
    return PlantedResult(tuple(done), time.monotonic() - started)


def _refuse_unknown(seeds: int, tasks: Sequence[Task], encodings: Sequence[PositionEncoding]) -> None:
    asked = "run the planted control"
    for kind, given, known in (("tasks", tasks, TASKS), ("encodings", encodings, POSITION_ENCODINGS)):
        if not given or (unknown := set(given) - set(known)):
            found = f"unknown {kind} {', '.join(sorted(unknown))}" if given else f"no {kind}"
            raise InputError(asked, found, f"choose {kind} among {', '.join(known)}")
    if seeds < 1:
        raise InputError(asked, "no seed", "give at least one seed")
