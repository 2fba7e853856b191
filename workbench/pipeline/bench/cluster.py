"""A pipeline's throughput by who works: one process, two, actors of Ray Data on this machine; whole runs, as a user starts them."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.errors import PipelineError
from workbench.pipeline.bench.clock import ratio
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.workplace import Workplace, posts
from workbench.store import content_hash

#: Posts of the sample that are joined to one document.
JOINED = 5
#: Two processes do so much more than one, and Ray takes at most so much of their time.
FASTER, RATIO = 1.7, 1.15
ONE, TWO, RAY = "1 process", "2 processes", "Ray, 2 actors"
WAYS = {ONE: ("--workers", "1"), TWO: ("--workers", "2"), RAY: ("--executor", "ray", "--workers", "2")}


def cluster(model: str, documents: int, *, rounds: int = 1, tell: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Findings for one process, two, and Ray on the same documents, each a run into a store of its own; `tell` hears what goes on.

    Of several `rounds` the medians count, for ratios of times of the same round; the order of ways turns from round to round.
    Raises PipelineError where a run fails, or where the stores differ in what they say.
    """
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    hashes, tokens = set(), 0
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        place = Workplace(Path(name), model)
        place.write(posts(documents, JOINED))
        for number in range(rounds):
            for way in list(WAYS)[:: -1 if number % 2 else 1]:
                tell(f"{way}: {documents:,} documents" + (f" (round {number + 1} of {rounds})" if rounds > 1 else ""))
                store = Path(name) / f"{number}-{list(WAYS).index(way)}.duckdb"
                seconds, summary = place.run(store, *WAYS[way])
                taken[way].append(seconds)
                tokens = summary["tokens"]
                hashes.add(content_hash(store))
    if len(hashes) > 1:
        raise PipelineError("compare runs by processes and on Ray", "stores that say different things", "this is a defect: report it")
    found = {
        ONE: (ONE, 1.0, None),
        TWO: ("2 processes, throughput over 1", ratio(taken[ONE], taken[TWO]), FASTER),
        RAY: ("Ray, 2 actors, time over 2 processes", ratio(taken[RAY], taken[TWO]), RATIO),
    }
    for way, (what, value, bar) in found.items():
        middle = statistics.median(taken[way])
        beside = {"s": middle, "docs/s": documents / middle, "tokens/s": tokens / middle}
        shape = f"{documents:,} documents"
        part = f"whole runs, start-up included; {os.cpu_count()} processors"
        yield Finding(part, shape, what, "ratio", value, bar, least=way == TWO, beside=beside)
