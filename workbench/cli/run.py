"""`workbench run` and `workbench plan`: bring a store up to a pipeline, or say what that would take."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DEFAULT_STORE, AsJson, LogOption, PipelineName, ProgressFile, StorePath, Workers
from workbench.cli.progress import Log
from workbench.errors import PipelineError

if TYPE_CHECKING:
    from workbench.pipeline.declaration import Pipeline
    from workbench.pipeline.executors import Executor
    from workbench.pipeline.run import Summary


class Kind(StrEnum):
    """Who works."""

    local = "local"
    ray = "ray"


Hands = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes, one thread each (by default 1), or Ray actors (by default one a GPU or processor)."),
]
Retry = Annotated[bool, typer.Option("--retry", help="Also try again what failed and would not be tried yet.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many documents.")]
ExecutorOption = Annotated[Kind, typer.Option("--executor", help="Who works: processes of this machine, or actors of Ray Data.")]
Address = Annotated[str | None, typer.Option(help="Address of a running Ray cluster (auto: this machine's); else one is started here.")]
PartsOption = Annotated[
    str | None,
    typer.Option("--parts", help="Leave results as Parquet parts in a folder or address (s3://…); the store stands over them."),
]


def run(
    pipeline: PipelineName,
    store: StorePath = DEFAULT_STORE,
    workers: Hands = None,
    executor: ExecutorOption = Kind.local,
    address: Address = None,
    parts: PartsOption = None,
    limit: Limit = None,
    retry: Retry = False,
    log: LogOption = Log.text,
    progress_file: ProgressFile = None,
    as_json: AsJson = False,
) -> None:
    """Explain what the store has not got yet, and keep it. Safe to interrupt: run it again and it goes on.

    Exit code 0: done; 1: ledgers do not close; 2: cannot be done; 75: can be done later (another process writes, memory ran out).
    """
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.pipeline.run import Summary
    from workbench.pipeline.run import run as execute

    declared, summary, who = limited(pipeline, limit), Summary(), chosen(executor, workers, address)
    with progress(summary, progress_file, log) as show:
        if parts is None:
            execute(declared, store, executor=who, progress=show, retry=retry, summary=summary)
        else:
            from workbench.pipeline.into_parts import run_into_parts

            run_into_parts(declared, parts, store, executor=who, progress=show, retry=retry, summary=summary)
    print_json(asdict(summary)) if as_json else print_summary(summary)
    if summary.open_ledgers:
        raise typer.Exit(1)


def plan(
    pipeline: PipelineName, store: StorePath = DEFAULT_STORE, workers: Workers = 1, limit: Limit = None, as_json: AsJson = False
) -> None:
    """Say what is missing in the store, why, and about how long it would take; do nothing."""
    from workbench.cli.plan_page import as_data, show
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.pipeline.forecast import forecast

    with progress() as told:
        found = forecast(limited(pipeline, limit), store, workers=workers, progress=told)
    print_json(as_data(found)) if as_json else show(found, store, workers)


def chosen(executor: Kind, workers: int | None, address: str | None) -> Executor:
    """Who does the work."""
    from workbench.pipeline.executors import local

    if executor is Kind.local:
        if address is not None:
            raise PipelineError(f"run on the cluster {address}", "processes of this machine", "add --executor ray")
        return local(workers or 1)
    from workbench.pipeline.ray_data import RayData

    return RayData(workers or 0, address)


def limited(name: str, limit: int | None) -> Pipeline:
    """The declaration of this name, with another limit on its documents where one is given."""
    from workbench.pipeline.declaration import find

    declared = find(name)
    if limit is None:
        return declared
    return declared.model_copy(update={"corpus": declared.corpus.model_copy(update={"limit": limit})})


def print_summary(summary: Summary) -> None:
    """What a run did, in a few lines; what needs attention in colour."""
    from workbench.cli.terminal import console, visible

    out = console()
    explaining = summary.stages.get("explain", 0.0)  # faithfulness and controls take their own time
    speed = f", {summary.tokens / explaining:,.0f} tokens/s while explaining" if summary.tokens and explaining else ""
    out.print(
        visible(f"{summary.explained:,} documents explained, {summary.stored:,} were stored already ({summary.seconds:.1f} s{speed})")
    )
    for line in troubles(summary):
        out.print(visible(line, "yellow"))
    if summary.open_ledgers:
        said = f"{summary.open_ledgers:,} ledgers do not close: relevance was lost where no rule books it; do not use these numbers"
        out.print(visible(said, "bold red"))
    for model, kinds in summary.tokenizer_losses.items():
        for kind, documents in kinds.items():
            if kind == "unknown tokens":
                out.print(visible(f"{model} has tokens that its tokenizer does not know in {documents:,} documents", "yellow"))
                continue
            said = f"the tokenizer of {model} loses {kind} in {documents:,} documents: the model reads other words there"
            out.print(visible(said, "bold red"))
    for notice in summary.notices:
        out.print(visible(notice, "yellow"))


def troubles(summary: Summary) -> list[str]:
    """What failed and what it took to go on, a sentence each."""
    by_stage = ", ".join(f"{count:,} at {stage}" for stage, count in sorted(summary.failures.items()))
    counted = (
        (summary.failed, f"documents could not be explained ({by_stage}): workbench query failures"),
        (summary.waiting, "documents failed before and nothing has changed that could help: workbench query failures; --retry tries them"),
        (summary.rejected, "documents were refused by the reader: workbench query failures"),
        (summary.effort.get("halved", 0), "batches did not fit into memory and were halved: a smaller `batch` is faster"),
        (summary.effort.get("windowed", 0), "texts did not fit into memory whole and were read in windows: FROM windows"),
        (summary.effort.get("paused", 0), "times an error passed after a pause"),
    )
    return [f"{count:,} {said}" for count, said in counted if count]
