"""What the demos of pairs and of translations share: run, say what was found, write the page, and what to try next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store

#: The store and the report of a pipeline stand side by side in the folder.
ENDING = ".duckdb"


def demo_task(
    pipeline: Pipeline,
    folder: Path,
    workers: int,
    say: Callable[[Store, Pipeline], str],
    commands: Callable[[Path, str], Iterable[str]],
) -> None:
    """Runs the pipeline into a store in `folder`; `say` prints what is in it and names an example, `commands` are what to try on both."""
    from workbench.cli.demo import program
    from workbench.cli.progress import progress
    from workbench.cli.report import write_report
    from workbench.cli.run import print_summary
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.executors import local
    from workbench.pipeline.run import run
    from workbench.store import Store

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pipeline.name}{ENDING}"
    out = console()
    out.print(visible(f"{pipeline.title}\n{' '.join(pipeline.notes)}\n", "bold"))
    with progress() as show:
        summary = run(pipeline, path, executor=local(workers), progress=show)
    print_summary(summary)
    with Store.open(path, "read") as store:
        example = say(store, pipeline)
    page = write_report(path, path.with_suffix(".html"))
    out.print(visible(f"\nstore   {path}  (a DuckDB file: open it with any DuckDB, or ask as below)\nreport  {page}\n", "bold"))
    out.print(visible("next:"))
    for command in commands(path, example):
        out.print(visible(f"  {program()} {command}"))
