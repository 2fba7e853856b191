"""A study's store: the declared pipeline brought up to date where it lacks something, and nothing computed twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from IPython.display import display

from workbench.notebook.html import aside
from workbench.pipeline.declaration import Pipeline, find
from workbench.pipeline.run import Summary, run

#: Where studies keep their stores; several studies share one.
FOLDER_VARIABLE, FOLDER = "WORKBENCH_STUDY", "study"


def prepared(
    pipeline: str | Pipeline,
    *,
    split: str | None = None,
    languages: Sequence[str] | None = None,
    evaluated: int | None = None,
    store: str | None = None,
) -> Path:
    """The path of the store that a pipeline fills, after filling it; studies that name the same pipeline share it.

    `split` and `languages` narrow the declared corpus, `evaluated` is the number of documents on which faithfulness is measured. The file
    bears the pipeline's name, or that of `store`, in the folder `study` (or that of WORKBENCH_STUDY). Errors are those of a run.
    """
    declared = find(pipeline) if isinstance(pipeline, str) else pipeline
    corpus = {name: value for name, value in (("split", split), ("languages", languages)) if value is not None}
    chosen = declared.model_copy(update={"corpus": declared.corpus.model_copy(update=corpus)})
    if evaluated is not None:
        chosen = chosen.model_copy(update={"evaluation": chosen.evaluation.model_copy(update={"documents": evaluated})})
    folder = Path(os.environ.get(FOLDER_VARIABLE, FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{store or declared.name}.duckdb"
    display(aside(told(run(chosen, path), path)))
    return path


def told(summary: Summary, path: Path) -> str:
    """What a run did, in a sentence."""
    done = f"{summary.explained:,} explained now, {summary.stored:,} were there" if summary.explained else "all were there"
    failed = f", {summary.failed:,} FAILED" if summary.failed else ""
    return f"{path.name}: {summary.documents:,} documents, {done}{failed} ({summary.seconds:.0f} s)"
