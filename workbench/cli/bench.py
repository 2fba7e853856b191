"""`workbench bench`: what relevance costs, as ratios to what the same model costs without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson, PipelineName

if TYPE_CHECKING:
    from workbench.pipeline.bench import Cost

app = typer.Typer(no_args_is_help=True, help="Measure costs, as ratios of paired runs in one process.")
Repetitions = Annotated[int, typer.Option(min=1, help="Paired runs; medians are reported.")]


@app.command()
def engine(repetitions: Repetitions = 9, as_json: AsJson = False) -> None:
    """One batch under each composite beside the model's plain forward and backward pass."""
    from workbench.pipeline.bench import engine as measure

    show(measure(repetitions=repetitions), "4 texts of 128 tokens, BERT of 6 layers, 384 wide, one thread", as_json)


@app.command()
def corpus(
    pipeline: PipelineName = "bengali-hate",
    documents: Annotated[int, typer.Option(min=1, help="Documents, spread evenly over all lengths.")] = 512,
    repetitions: Repetitions = 3,
    as_json: AsJson = False,
) -> None:
    """A pipeline's whole work beside the forward passes of its models."""
    from workbench.pipeline.bench import corpus as measure
    from workbench.pipeline.declaration import find

    show(measure(find(pipeline), documents=documents, repetitions=repetitions), f"pipeline {pipeline}, one thread", as_json)


def show(cost: Cost, title: str, as_json: bool) -> None:
    """Prints a cost as a table or as JSON."""
    import polars as pl

    from workbench.cli.terminal import console, print_json
    from workbench.viz.terminal import table

    if as_json:
        print_json(cost.rows())
    else:
        console().print(table(pl.DataFrame(cost.rows()), title=f"CPU time: {title}", last="what"))
