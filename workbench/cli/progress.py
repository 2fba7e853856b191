"""Progress on long work: one live display on a terminal, plain lines elsewhere, lines of JSON or a file for other programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench.cli.terminal import duration
from workbench.fingerprint import Json

if TYPE_CHECKING:
    from workbench.pipeline.worker import Progress

TITLES = {
    "load": "loading model and annotator",
    "read": "reading the corpus",
    "plan": "looking at what is missing",
    "search": "searching passages",
    "explain": "explaining documents",
    "annotate": "finding words anew",
    "evaluate": "measuring faithfulness",
    "control": "planted control",
    "edit": "editing texts",
    "shuffle": "shuffling the corpus",
    "store": "making the store over the parts",
    "compact": "compacting",
}
#: Stages that are not counted in documents.
WHOLE = frozenset({"load", "read", "plan", "store", "compact"})
PLAIN_SECONDS, FILE_SECONDS = 10.0, 1.0


class Counts(Protocol):
    """Figures of a run that grow while it goes on."""

    explained: int
    failed: int
    rejected: int
    tokens: int
    characters: int
    characters_wanted: int


class Log(StrEnum):
    """How a run says what it does on standard error: as fits the terminal, or a JSON object a line."""

    text = "text"
    json = "json"


@dataclass(slots=True)
class Standing:
    """Where a run is: its stage, how much of it is done, and the figures of the whole run."""

    counts: Counts | None = None  # grows elsewhere
    clock: Callable[[], float] = time.monotonic
    stage: str = ""
    done: int = 0
    total: int = 0
    begun: float = 0.0
    first: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def move(self, stage: str, done: int, total: int) -> bool:
        """Takes in what progress was told; whether another stage has begun."""
        now, fresh = self.clock(), stage != self.stage
        if fresh:
            if self.stage:
                self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.begun
            self.stage, self.begun, self.first = stage, now, done
        self.done, self.total = done, total
        return fresh

    @property
    def elapsed(self) -> float:
        """Seconds in this stage."""
        return self.clock() - self.begun

    @property
    def left(self) -> float | None:
        """Seconds that the stage will still take at its pace so far; None before there is a pace.

        Explaining goes by characters: a long text takes longer than a short one, and the longest come first.
        """
        counts = self.counts
        if self.stage == "explain" and counts is not None and counts.characters_wanted:
            did, rest = counts.characters, counts.characters_wanted - counts.characters
        else:
            did, rest = self.done - self.first, self.total - self.done
        return self.elapsed / did * rest if did > 0 and self.stage not in WHOLE else None

    def said_left(self) -> str:
        """The same as a person says it; nothing before there is a pace, and when the stage has ended."""
        return f"{duration(self.left)} left" if self.left and self.done < self.total else ""

    @property
    def speed(self) -> float | None:
        """Tokens a second while documents are explained."""
        spent = self.seconds.get("explain", 0.0) + (self.elapsed if self.stage == "explain" else 0.0)
        return self.counts.tokens / spent if self.counts is not None and self.counts.tokens and spent > 0 else None

    def figures(self) -> str:
        """Tokens a second and failures, where there are any."""
        said = [f"{self.speed:,.0f} tokens/s"] if self.speed else []
        failed = (self.counts.failed + self.counts.rejected) if self.counts is not None else 0
        return ", ".join([*said, *([f"{failed:,} failed"] if failed else [])])

    def as_data(self) -> dict[str, Json]:
        """The same for other programs."""
        counts = self.counts
        return {
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "left_seconds": None if self.left is None else round(self.left, 1),
            "tokens_per_second": None if self.speed is None else round(self.speed, 1),
            "explained": counts.explained if counts else None,
            "failed": counts.failed if counts else None,
            "rejected": counts.rejected if counts else None,
            "tokens": counts.tokens if counts else None,
        }


@contextmanager
def progress(counts: Counts | None = None, file: Path | None = None, log: Log = Log.text) -> Iterator[Progress]:
    """A function that is told stage, done and total, and shows them on standard error; `counts` are figures that grow meanwhile.

    `file` always holds one JSON object that says where the run is; a program may read it at any moment.
    """
    standing = Standing(counts)
    with ExitStack() as stack:
        if log is Log.json:
            shows = [lines(standing)]
        elif sys.stderr.isatty():
            shows = [stack.enter_context(live(standing))]
        else:
            shows = [plain(standing)]
        if file is not None:
            shows.append(stack.enter_context(kept(standing, file)))

        def show(stage: str, done: int, total: int) -> None:
            fresh = standing.move(stage, done, total)
            for each in shows:
                each(fresh)

        yield show


@contextmanager
def live(standing: Standing) -> Iterator[Callable[[bool], None]]:
    """One display of the whole run: a bar for each stage with counts, time gone, time left, tokens a second and failures."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<28}"), BarColumn(18), TextColumn("{task.fields[counted]:>15}"), TimeElapsedColumn(),
        TextColumn("{task.fields[left]:>15}"), TextColumn("{task.fields[figures]}"),
    )  # fmt: skip
    with Bars(*columns, console=Console(stderr=True), refresh_per_second=4) as bars:
        tasks: dict[str, TaskID] = {}

        def show(fresh: bool) -> None:
            stage = standing.stage
            if fresh:
                for other in tasks.values():
                    bars.update(other, total=bars.tasks[other].total or 1, completed=bars.tasks[other].total or 1, figures="", left="")
            if stage not in tasks:
                tasks[stage] = bars.add_task(TITLES.get(stage, stage), total=standing.total or None, counted="", figures="", left="")
            counted = "" if stage in WHOLE else f"{standing.done:,}/{standing.total:,}"
            total = None if stage in WHOLE else max(standing.total, 1)
            left = standing.said_left()
            bars.update(tasks[stage], completed=standing.done, total=total, counted=counted, figures=standing.figures(), left=left)

        yield show
        for task in tasks.values():
            bars.update(task, total=bars.tasks[task].total or 1, completed=bars.tasks[task].total or 1, left="")


def paced(seconds: float, standing: Standing, say: Callable[[], None]) -> Callable[[bool], None]:
    """Says something when a stage begins, when it ends, and every few seconds between."""
    last = 0.0

    def show(fresh: bool) -> None:
        nonlocal last
        now = standing.clock()
        ended = standing.total > 0 and standing.done >= standing.total
        if fresh or ended or now - last >= seconds:
            last = now
            say()

    return show


def plain(standing: Standing) -> Callable[[bool], None]:
    """A line at the start and end of each stage and every few seconds between."""

    def say() -> None:
        counted = "" if standing.stage in WHOLE else f": {standing.done:,} of {standing.total:,}"
        left = standing.said_left()
        more = ", ".join(filter(None, (standing.figures(), left and f"about {left}")))
        title = TITLES.get(standing.stage, standing.stage)
        print(f"{title}{counted}{' (' + more + ')' if more else ''}", file=sys.stderr, flush=True)  # noqa: T201 - the terminal is ours

    return paced(PLAIN_SECONDS, standing, say)


def lines(standing: Standing) -> Callable[[bool], None]:
    """The same as JSON objects, one a line."""
    return paced(PLAIN_SECONDS, standing, lambda: logged("progress", standing.as_data()))


@contextmanager
def kept(standing: Standing, file: Path) -> Iterator[Callable[[bool], None]]:
    """A file that always holds where the run is, and at last how it ended; each state replaces the one before in one step."""
    started = stamp()
    temporary = file.with_name(f".{file.name}.{os.getpid()}")

    def write(state: str) -> None:
        said = {"state": state, "pid": os.getpid(), "started": started, "updated": stamp(), **standing.as_data()}
        temporary.write_text(json.dumps(said) + "\n", "utf-8")
        temporary.replace(file)

    write("running")
    try:
        yield paced(FILE_SECONDS, standing, lambda: write("running"))
    except BaseException as error:
        write("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    write("finished")


def logged(event: str, fields: dict[str, Json]) -> None:
    """One JSON object on standard error: when, what, and its fields."""
    said = {"time": stamp(), "event": event, **fields}
    print(json.dumps(said, ensure_ascii=False, default=str), file=sys.stderr, flush=True)  # noqa: T201 - the terminal is ours


def stamp() -> str:
    """The moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
