"""`workbench patching`: does one backward pass say what patching every component would do?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    from workbench.evaluation.patching_study import Run, Study


def patching(
    seeds: Annotated[int, typer.Option(min=1, help="Models, each trained here.")] = 3,
    pairs: Annotated[int, typer.Option(min=2, help="Held-out pairs of prompts for each model.")] = 200,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each model, to try things on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train small models on subject-verb agreement; compare relevance and attribution patching with patching; exit code 1 below a bar."""
    from workbench.cli.terminal import print_json
    from workbench.evaluation.agreement_model import Shape
    from workbench.evaluation.patching_study import patching_study

    def tell(done: int, total: int, run: Run) -> None:
        said = f"patching: {done} of {total} models, accuracy {run.accuracy:.3f}, trained in {run.seconds:.0f} s"
        print(said, file=sys.stderr, flush=True)  # noqa: T201 - a line of progress

    study = patching_study(seeds, pairs, shape=None if steps is None else Shape(steps=steps), progress=tell)
    if as_json:
        print_json(study.to_json())
    else:
        show(study)
    if not study.passed:
        raise typer.Exit(1)


def show(study: Study) -> None:
    """Agreement by component and method, costs, models that say nothing, and the bar."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    summary = study.summary()
    if not summary.is_empty():
        shown = summary.select("kind", "pearson", "low", "high", "lowest", "slope", "gpt2_small", pl.col("method").str.replace("_", " "))
        out.print(table(shown, title="Pearson correlation with activation patching, by component", last="method"))
        out.print(visible("lowest: of the models; gpt2 small: published for it on indirect objects (arXiv 2508.21258)"))
    out.print(
        table(study.models(), title="each model: relevance patching by component, and how the number is carried", last="carried_by_values")
    )
    costs = study.costs().with_columns(pl.col("method").str.replace("_", " "))
    out.print(table(costs, title="cost of one pair: prompts run forward and backward", last="method"))
    for run in study.flagged:
        said = f"flagged: the model of seed {run.seed} is right after {run.accuracy:.1%} of prompts (bar 98 %) and says nothing"
        out.print(visible(said, "yellow"))
    lowest = "not asked" if study.lowest is None else f"{study.lowest:.3f}"
    counted = f"{study.reaching} of {len(study.runs)} models reach 0.95"
    verdict = f"relevance patching, residual stream and MLP outputs: lowest of the models {lowest} (bar 0.95); {counted}"
    out.print(visible(verdict, "" if study.passed else "bold red"))
