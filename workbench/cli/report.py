"""`workbench report` and `workbench planted`: the page to read, and the control that says how far to trust it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DEFAULT_STORE, StorePath, Workers

if TYPE_CHECKING:
    from workbench.evaluation.planted import PlantedResult


def report(
    store: StorePath = DEFAULT_STORE,
    target: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; by default beside the store.")] = None,
) -> None:
    """Write the last run as one self-contained HTML page."""
    from workbench.cli.terminal import console, visible

    console().print(visible(f"report: {write_report(store, target or store.with_suffix('.html'))}"))


def write_report(store: Path, target: Path) -> Path:
    """Writes the report, whole or not at all, and returns its path."""
    from workbench.pipeline.reporting import report_data
    from workbench.viz.report import report as draw

    page = draw(report_data(store))
    temporary = target.with_name(target.name + ".part")
    temporary.write_text(page, "utf-8")
    temporary.replace(target)
    return target


def planted(
    store: Annotated[Path | None, typer.Option("--store", "-s", help="A store whose reports are to show the result.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Models for each task.")] = 5,
    workers: Workers = 2,
    target: Annotated[Path | None, typer.Option("--out", "-o", help="Write all numbers to this JSON file.")] = None,
) -> None:
    """Plant a known signal, train small models on it, and see which methods find it; exit code 1 where a bar is missed."""
    import sys

    from workbench.evaluation.planted import planted as control
    from workbench.pipeline.reporting import planted_path

    def tell(done: int, total: int, _: object) -> None:
        print(f"planted control: {done} of {total} models", file=sys.stderr, flush=True)  # noqa: T201 - a line of progress

    result = control(seeds, workers=workers, progress=tell)
    for path in filter(None, (target, planted_path(store) if store else None)):
        path.write_text(result.to_json(), "utf-8")
    print_planted(result)
    if not result.passed:
        raise typer.Exit(1)


def print_planted(result: PlantedResult) -> None:
    """precision@k of every method by task, and the two bars."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    found = result.summary().with_columns((pl.col("method") + " · " + pl.col("reading")).alias("method")).drop("reading")
    out = console()
    for (task,), part in found.group_by("task", maintain_order=True):
        shown = part.sort("ordering", "precision_at_k", descending=[False, True]).drop("task")
        out.print(table(shown, title=f"planted: {str(task).replace('_', ' ')}", last="method"))
    for run in result.flagged:
        out.print(visible(f"flagged: the model of {run.task}, seed {run.seed}, does not rely on the signal and says nothing", "yellow"))
    out.print(visible(verdict(result), "" if result.passed else "bold red"))


def verdict(result: PlantedResult) -> str:
    """The two bars in one sentence."""
    single = "not asked" if result.single_token is None else f"{result.single_token:.3f} (bar 0.99)"
    alarms = "not asked" if result.false_alarms is None else f"{result.false_alarms:.2%} (bar 5 %)"
    return f"planted control: precision@k of LRP on the single token, smallest {single}; false alarms with random labels {alarms}"
