"""A pipeline's throughput by who works: one process, two, actors of a Ray cluster on this machine; whole runs, as a user starts them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.errors import PipelineError
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.workplace import Workplace, posts
from workbench.store import content_hash

#: Posts of the sample that are joined to one document.
JOINED = 5
#: Two processes do so much more than one, and Ray takes at most so much of their time.
FASTER, RATIO = 1.7, 1.15
ONE, TWO, RAY = "1 process", "2 processes", "Ray, 2 actors"
WAYS = {ONE: ("--workers", "1"), TWO: ("--workers", "2"), RAY: ("--executor", "ray", "--workers", "2")}


def cluster(model: str, documents: int, *, tell: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Findings for one process, two, and Ray on the same documents, each a run into a store of its own; `tell` hears what goes on.

    Raises PipelineError where a run fails, or where the stores differ in what they say.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        place = Workplace(Path(name), model)
        place.write(posts(documents, JOINED))
        seconds: dict[str, float] = {}
        hashes = set()
        for way, options in WAYS.items():
            tell(f"{way}: {documents:,} documents")
            store = Path(name) / f"{len(seconds)}.duckdb"
            seconds[way], summary = place.run(store, *options)
            hashes.add(content_hash(store))
            found = {
                ONE: (way, 1.0, None),
                TWO: ("2 processes, throughput over 1", seconds[ONE] / seconds.get(TWO, 1.0), FASTER),
                RAY: ("Ray, 2 actors, time over 2 processes", seconds[way] / seconds.get(TWO, 1.0), RATIO),
            }
            what, value, bar = found[way]
            beside = {"s": seconds[way], "docs/s": documents / seconds[way], "tokens/s": summary["tokens"] / seconds[way]}
            shape = f"{documents:,} documents"
            yield Finding(
                f"whole runs, start-up included; {os.cpu_count()} processors",
                shape,
                what,
                "ratio",
                value,
                bar,
                least=way == TWO,
                beside=beside,
            )
        if len(hashes) > 1:
            raise PipelineError("compare runs by processes and on Ray", "stores that say different things", "this is a defect: report it")
