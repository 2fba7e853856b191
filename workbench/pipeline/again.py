"""Computing again what a repair took out: the pipelines that had made it, as they were declared last.

Who stands in a batch with a text can change the last bits of its relevance. So what is missing is computed in the batches in which one run
explains the whole corpus, and a store that came about so says to the last bit what it said. Where documents came or changed later, their
batches were smaller, and what is computed again can differ from it by a few units of the last place of float32.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.into_parts import run_into_parts
from workbench.pipeline.run import Summary, run
from workbench.pipeline.worker import Progress, silent
from workbench.store import Store


def again(path: Path, runs: Collection[int], parts: str | None = None, *, progress: Progress = silent) -> Iterator[tuple[str, Summary]]:
    """Runs the pipelines of these runs of a store; gives the name of each and what it did.

    Raises the WorkbenchError of whatever cannot be read, loaded, explained or kept.
    """
    for declared in declarations(path, runs):
        if parts:
            yield declared.name, run_into_parts(declared, parts, path, progress=progress, as_before=True)
        else:
            yield declared.name, run(declared, path, progress=progress, as_before=True)


def declarations(path: Path, runs: Collection[int]) -> list[Pipeline]:
    """Pipelines by the names of these runs, each as the last run of its name declared it; runs that no pipeline began are left out."""
    with Store.open(path) as store:
        found = store.sql(
            """SELECT arg_max(parameters, run) AS parameters FROM kept.run WHERE pipeline IN (
                   SELECT pipeline FROM kept.run WHERE list_contains($1::INTEGER[], run))
               GROUP BY pipeline HAVING arg_max(parameters, run) <> '{}' ORDER BY pipeline""",
            [sorted(runs)],
        )
    return [Pipeline.model_validate(json.loads(parameters)) for parameters in found["parameters"]]
