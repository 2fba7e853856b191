"""Progress on long work: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.pipeline.worker import Progress

TITLES = {
    "load": "loading corpus, model, annotator",
    "explain": "explaining documents",
    "evaluate": "measuring faithfulness",
    "control": "planted control",
}
PLAIN_SECONDS = 10.0


@contextmanager
def progress() -> Iterator[Progress]:
    """A function that is told stage, done and total, and shows them on standard error."""
    if sys.stderr.isatty():
        with live() as show:
            yield show
    else:
        yield plain()


@contextmanager
def live() -> Iterator[Progress]:
    """Bars with counts, speed and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<32}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                if "load" in tasks:
                    bars.update(tasks["load"], completed=1, total=1)
                tasks[stage] = bars.add_task(TITLES.get(stage, stage), total=total)
            bars.update(tasks[stage], completed=done, total=max(total, 1) if done else total)

        yield show


def plain() -> Progress:
    """A line at the start and end of each stage and every few seconds between."""
    said: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage in said and done < total and now - said[stage] < PLAIN_SECONDS:
            return
        said[stage] = now
        counted = "" if stage == "load" else f": {done:,} of {total:,}"
        print(f"{TITLES.get(stage, stage)}{counted}", file=sys.stderr, flush=True)  # noqa: T201 - the terminal is this room's business

    return show
