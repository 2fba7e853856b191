"""The planted control: small models, texts whose signal is known. Is it found, and is nothing found where nothing is?

1. Train a small BERT for each task (`planted_texts`) and seed.
2. Verify reliance: about every held-out label right, chance without the signal. A model that fails is flagged and not asked.
3. precision@k and mean rank of every method (Bastings et al. 2022), signed and absolute, and of position relevance.
4. With random labels: how many words does the corpus-level test (`significance`) call significant? With single tokens: does it find them?

Methods may lose here, and the table shows it. A faithfulness figure is never shown without this one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import polars as pl

from workbench.errors import InputError
from workbench.evaluation.planted_model import Reliance
from workbench.evaluation.planted_run import FOUND, PlantedRun, Size, WordTest, planted_run
from workbench.evaluation.planted_texts import TASKS, Task
from workbench.fingerprint import Json

SINGLE_TOKEN_BAR = 0.99
FALSE_ALARM_BAR = 0.05

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
        """Smallest precision@k of AttnLRP and CP-LRP over seeds and orderings on the single token; None where it was not asked."""
        asked = self.found.filter(
            pl.col("task") == "single_token", pl.col("reading") == "tokens", pl.col("method").is_in(["attnlrp", "cplrp"])
        )
        smallest = asked["precision_at_k"].min()
        return float(smallest) if isinstance(smallest, float) else None

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
    def passed(self) -> bool:
        """Both bars: precision@k at least .99 on the single token in every seed, false alarms at most 5 %, no model of the two flagged."""
        precision, alarms = self.single_token, self.false_alarms
        sound = not any(run.task in ("single_token", "random_labels") for run in self.flagged)
        return sound and precision is not None and precision >= SINGLE_TOKEN_BAR and alarms is not None and alarms <= FALSE_ALARM_BAR

    def _share(self, task: Task, part: str, whole: str) -> float | None:
        tests = [run.words for run in self.runs if run.task == task and run.words is not None]
        total: int = sum(getattr(test, whole) for test in tests)
        return sum(getattr(test, part) for test in tests) / total if total else None

    def summary(self) -> pl.DataFrame:
        """By task, reading, method and ordering: models asked, mean, smallest and largest precision@k over seeds, mean rank."""
        keys = ("task", "reading", "method", "ordering")
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
                "task": run.task, "seed": run.seed, "seconds": round(run.seconds, 2), "reliance": asdict(run.reliance),
                "words": asdict(run.words) if run.words else None, "found": run.found.to_dicts(),
            }
            for run in self.runs
        ]  # fmt: skip
        bars: Json = {
            "single_token_precision_at_k": self.single_token, "false_alarms": self.false_alarms,
            "naive_false_alarms": self.naive_false_alarms, "families_with_alarm": self.families_with_alarm, "passed": self.passed,
        }  # fmt: skip
        return json.dumps({"bars": bars, "seconds": round(self.seconds, 1), "runs": runs}, sort_keys=True, indent=1)


def from_json(text: str) -> PlantedResult:
    """The result that `to_json` wrote. Raises InputError for anything else."""
    try:
        given = json.loads(text)
        runs = tuple(
            PlantedRun(
                run["task"], run["seed"], Reliance(**run["reliance"]), pl.DataFrame(run["found"], schema=FOUND, orient="row"),
                WordTest(**run["words"]) if run["words"] else None, run["seconds"],
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
    workers: int = 2,
    size: Size | None = None,
    progress: Progress | None = None,
) -> PlantedResult:
    """Runs every task for seeds 0 to `seeds` - 1, in `workers` processes of one thread each (1: in this process).

    Same seeds, same numbers, whatever the number of workers. Raises InputError for an unknown task or no seed.
    """
    if seeds < 1 or (unknown := set(tasks) - set(TASKS)):
        found = "no seed" if seeds < 1 else f"unknown tasks {', '.join(sorted(unknown))}"
        raise InputError("run the planted control", found, f"give at least one seed and tasks among {', '.join(TASKS)}")
    started = time.monotonic()
    # The slowest task first, so that no process is left alone with it at the end.
    wanted = [(task, seed) for task in sorted(tasks, key=lambda task: task != "ordered_pair") for seed in range(seeds)]
    done: list[PlantedRun] = []

    def keep(run: PlantedRun) -> None:
        done.append(run)
        if progress is not None:
            progress(len(done), len(wanted), run)

    if workers <= 1:
        for task, seed in wanted:
            keep(planted_run(task, seed, size or Size()))
    else:
        with ProcessPoolExecutor(min(workers, len(wanted)), mp_context=get_context("spawn")) as pool:
            for future in as_completed([pool.submit(planted_run, task, seed, size or Size()) for task, seed in wanted]):
                keep(future.result())
    done.sort(key=lambda run: (TASKS.index(run.task), run.seed))
    return PlantedResult(tuple(done), time.monotonic() - started)
