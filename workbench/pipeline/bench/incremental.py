"""What it costs to follow a corpus that changes a little: planning, the work itself, and finding that there is nothing to do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.workplace import Workplace, posts

#: Documents of work for 200 that changed; seconds of planning; seconds of a whole command that finds nothing to do.
WORK, PLANNING, NOTHING = 250, 3.0, 2.0
WORKERS = ("--workers", "2")
WHOLE = "whole commands"


def incremental(
    model: str, documents: int, changed: int, *, repetitions: int = 3, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Findings on a store of so many documents of which `changed` are edited, with as many new ones; `tell` hears what goes on.

    Times are those of commands in processes of their own, the best of `repetitions` where nothing changes by repeating.
    Raises PipelineError where a command fails.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        place, store = Workplace(Path(name), model), Path(name) / "store.duckdb"
        texts = posts(documents + changed)
        before = dict(list(texts.items())[:documents])
        place.write(before)
        tell(f"explaining {documents:,} documents")
        first, summary = place.run(store, *WORKERS)
        yield Finding(WHOLE, f"{documents:,} documents", f"the first run: {summary['explained']:,} explained", "s", first)
        tell("nothing to do")
        nothing = min(place.run(store, *WORKERS)[0] for _ in range(repetitions))
        yield Finding(WHOLE, f"{documents:,} documents", "run, nothing to do", "s", nothing, NOTHING)
        nothing = min(place.plan(store)[0] for _ in range(repetitions))
        yield Finding(WHOLE, f"{documents:,} documents", "plan, nothing to do", "s", nothing, NOTHING)
        step = max(1, documents // changed)
        edited = {name for number, name in enumerate(before) if number % step == 0 and number < step * changed}
        new = dict(list(texts.items())[documents:])
        place.write({name: f"{text} আবার" if name in edited else text for name, text in before.items()} | new)
        tell(f"{len(edited):,} edited, {len(new):,} new")
        shape = f"+{len(edited)} edited, +{len(new)} new"
        seconds, planned = min((place.plan(store) for _ in range(repetitions)), key=lambda pair: pair[0])
        yield Finding(WHOLE, shape, f"plan: {planned['missing']:,} missing", "s", seconds, PLANNING)
        seconds, summary = place.run(store, *WORKERS)
        yield Finding(WHOLE, shape, "run", "s", seconds)
        planning = summary["stages"]["read"] + summary["stages"]["plan"]
        yield Finding("within that run", shape, "reading and planning: seconds", "value", planning, PLANNING)
        work = float(summary["explained"] + summary["failed"] + summary["reannotated"])
        yield Finding("within that run", shape, "work: documents", "value", work, WORK * changed / 100)
