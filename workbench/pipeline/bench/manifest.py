"""Planning and manifest of a place with a thousand million token rows: simulated parts, and the code that a run uses."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workbench.document import Document
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.declaration import find
from workbench.pipeline.plan import asked, plan, wanted
from workbench.store import Store
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.parts.simulated import simulate
from workbench.store.wanted import waiting

#: Seconds that each step may take, and documents that are missing when a run is planned.
SECONDS, MISSING = 300.0, 1_000


@dataclass(slots=True)
class Watch:
    """Seconds of steps by name."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Takes the time of one step."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began


def manifest(rows: int, documents: int, *, tell: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Findings for each step of a run over parts that tell of so many rows and documents; `tell` hears what goes on."""
    watch, pipeline = Watch(), find("bengali-hate")
    shape = f"{documents:,} documents"
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        place, store = Path(name) / "parts", Path(name) / "over.duckdb"
        texts = [Document("simulated", f"{number:010}", {"text": f"the text {number}"}) for number in range(documents + MISSING)]
        tell(f"identities of {len(texts):,} documents")
        with watch.step("plan: what is wanted, document by document"):
            everything = wanted(texts, "weights", pipeline)
            frame = asked(everything)
        yield finding(watch, shape)
        parts, taken, count = Parts(place), 0.0, 0
        for one in simulate(parts, frame.head(documents), rows):
            began = time.monotonic()
            parts.commit([one])
            taken, count = taken + time.monotonic() - began, count + 1
            if count % 2_000 == 0:
                tell(f"{count:,} parts written and committed, {count * len(frame) // documents:,} records")
        watch.seconds["commit every part by a record of its own"] = taken
        yield finding(watch, f"{count:,} parts")
        size = sum(path.stat().st_size for path in (place / "manifest").iterdir()) / 1e6
        tell("reading the manifest")
        with watch.step("read the manifest"):
            again = Parts(place)
        yield finding(watch, f"{count:,} parts, {size:,.0f} MB")
        tell("making the store over the parts")
        with watch.step("make the store over the parts"):
            over(again, store)
        yield finding(watch, f"{count:,} parts")
        tell("planning")
        with Store.open(store) as opened, watch.step("plan: what is missing, cut into jobs"):
            lacking = opened.missing(frame, failed=True)
            lacking = lacking.join(waiting(opened.connection, store, lacking), on=frame.columns, how="anti")
            jobs = plan(everything, set(lacking.select("identifier", "fingerprint").iter_rows()), pipeline.batch)
        assert jobs.missing == MISSING
        yield finding(watch, shape)
        scale = 1 if sys.platform == "darwin" else 1024
        yield Finding(
            "memory", f"{rows:,} rows", "largest resident memory", "GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9
        )


def finding(watch: Watch, shape: str) -> Finding:
    """The step that ended last."""
    what, seconds = list(watch.seconds.items())[-1]
    return Finding("steps of a run", shape, what, "s", seconds, SECONDS)
