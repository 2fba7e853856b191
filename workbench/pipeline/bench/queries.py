"""How long the everyday questions take on a store of 20 million token rows and as many interactions, and in how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench import queries as asking
from workbench.errors import WorkbenchError
from workbench.pipeline.bench.finding import Finding
from workbench.store.generated import generate

ROWS = 20_000_000
#: Wall seconds of a question that has been asked before, on two cores, and GB of memory.
SECONDS, RESIDENT = 2.0, 4.0


def queries(
    path: Path, rows: int = ROWS, *, repetitions: int = 3, beside: bool = True, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Findings for each question, then for memory; the store is generated where there is none. `tell` hears what is going on.

    Raises WorkbenchError where the measuring process fails.
    """
    if not path.exists():
        for stage in generate(path, rows):
            tell(f"generating {rows:,} rows: {stage}")
    # as a file: DuckDB takes a process without one for a person's and draws its progress
    command = [sys.executable, "-P", str(Path(asking.__file__).with_name("speed.py")), str(path), str(repetitions), str(beside)]
    kept = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kept) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        for line in child.stdout:
            found = json.loads(line)
            if "resident" in found:
                size = f"{found['words']:,} token rows, {found['interactions']:,} interactions"
                yield Finding("memory of reading", size, "largest resident memory", "GB", found["resident"], RESIDENT)
            else:
                tell(found["question"])
                yield Finding(
                    "questions, asked before", f"{os.cpu_count()} cores", found["question"], "seconds", found["wall"],
                    SECONDS if found["barred"] else None, beside={"CPU seconds": found["cpu"]},
                )  # fmt: skip
        complaint = child.stderr.read()
    if child.returncode:
        said = complaint.strip().splitlines()[-1] if complaint.strip() else f"exit code {child.returncode}"
        raise WorkbenchError(f"time questions on {path}", said, "look at the store: workbench verify")
