"""`workbench bench`: what relevance costs, as ratios to what the same model costs without it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import AsJson, PipelineName

if TYPE_CHECKING:
    from workbench.pipeline.bench.finding import Finding

app = typer.Typer(no_args_is_help=True, help="Measure costs, as ratios of paired runs in one process.")
Repetitions = Annotated[int, typer.Option(min=1, help="Paired runs; medians are reported.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a bar is missed.")]
Parts = Annotated[
    list[str] | None,
    typer.Argument(help="cost, released, memory, checkpoint, lengths, captum, long; all where none is named."),
]


@app.command()
def engine(
    parts: Parts = None,
    repetitions: Repetitions = 9,
    device: Annotated[str, typer.Option(help="cpu (one thread), or cuda: bfloat16, large shapes, parts cost and long.")] = "cpu",
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Time and memory of explanations over plain passes, mixed and long texts, captum beside it; bars and whether they are met."""
    from workbench.pipeline.bench.engine import engine as measure

    tell(measure(parts or (), repetitions=repetitions, device=device), strict, as_json)


@app.command()
def similarity(
    model: Annotated[str | None, typer.Option(help="Sentence encoder: name, folder; all-MiniLM-L6-v2 where it is installed.")] = None,
    repetitions: Repetitions = 5,
    dimensions: Annotated[int, typer.Option(min=1, help="Dimensions that the published procedure is measured on.")] = 3,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences of the STS-B test split, spread over all lengths.")] = 128,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Factors of sentence embeddings beside forward passes and the published procedure, by length and on STS-B where it is present."""
    from workbench.pipeline.bench.similarity import similarity as measure

    tell(measure(model, repetitions=repetitions, dimensions=dimensions, sentences=sentences), strict, as_json)


@app.command()
def translation(
    model: Annotated[str, typer.Option(help="Translation model: name or folder.")] = "translation-fr-en",
    corpus: Annotated[str, typer.Option(help="Corpus of sentences with reference translations.")] = "multi30k",
    length: Annotated[int, typer.Option(min=1, help="Tokens of the references that are explained.")] = 20,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences, those nearest to that length.")] = 16,
    inseq: Annotated[str | None, typer.Option(help="Python of an environment with inseq, to measure it beside.")] = None,
    repetitions: Repetitions = 3,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Contributions of translations beside teacher-forced passes, one at a time and in batches, and beside inseq where it is at hand."""
    from workbench.pipeline.bench.translation import translation as measure

    tell(measure(model, inseq, corpus=corpus, length=length, sentences=sentences, repetitions=repetitions), strict, as_json)


@app.command()
def queries(
    store: Annotated[Path | None, typer.Option("--store", "-s", help="A store; by default one is generated in the user's cache.")] = None,
    rows: Annotated[int, typer.Option(min=1000, help="Token rows, and interactions, of a store that is generated.")] = 20_000_000,
    repetitions: Repetitions = 3,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Five everyday questions on a store of 20 million token rows and as many interactions, each at most 2 seconds, in less than 4 GB."""
    from workbench.corpora.cache import cache_folder
    from workbench.pipeline.bench.queries import queries as measure

    path = store or cache_folder() / f"generated-{rows}.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    tell(measure(path, rows, repetitions=repetitions, tell=lambda text: typer.echo(text, err=True)), strict, as_json)


@app.command()
def cluster(
    model: Annotated[str, typer.Option(help="Embedded Bengali classifier or ensemble.")] = "bengali-hate",
    documents: Annotated[int, typer.Option(min=10, help="Documents of five posts each.")] = 5_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each; where a machine's pace changes, take several.")] = 1,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """One process, two processes and two actors of Ray Data at the same work: throughput, and whether their stores say the same."""
    from workbench.pipeline.bench.cluster import cluster as measure

    tell(measure(model, documents, rounds=rounds, tell=lambda text: typer.echo(text, err=True)), strict, as_json)


@app.command()
def incremental(
    model: Annotated[str, typer.Option(help="Embedded Bengali classifier or ensemble.")] = "bengali-hate/wordpiece",
    documents: Annotated[int, typer.Option(min=10, help="Documents that are stored before.")] = 10_000,
    changed: Annotated[int, typer.Option(min=1, help="Documents that are edited then; as many are new.")] = 100,
    repetitions: Repetitions = 3,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """A store follows a corpus that changes a little: planning, the work, and finding nothing to do, as whole commands."""
    from workbench.pipeline.bench.incremental import incremental as measure

    tell(measure(model, documents, changed, repetitions=repetitions, tell=lambda text: typer.echo(text, err=True)), strict, as_json)


@app.command()
def manifest(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of token relevance that the parts tell of.")] = 1_000_000_000,
    documents: Annotated[int, typer.Option(min=100, help="Documents with an explanation each, 100 a part.")] = 400_000,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Planning and manifest of a place with a thousand million token rows, simulated: each step at most five minutes."""
    from workbench.pipeline.bench.manifest import manifest as measure

    tell(measure(rows, documents, tell=lambda text: typer.echo(text, err=True)), strict, as_json)


def tell(measures: Iterable[Finding], strict: bool, as_json: bool) -> None:
    """Prints findings by part as they come and how many bars are met; with `strict` exits with 1 where one is missed."""
    from itertools import groupby

    from workbench.cli.terminal import print_json

    found: list[Finding] = []
    for part, group in groupby(measures, key=lambda finding: finding.part):
        findings = list(group)
        found += findings
        if not as_json:
            show([finding.row() for finding in findings], part)
    missed = [finding for finding in found if finding.met is False]
    if as_json:
        print_json([{"part": finding.part, **finding.row()} for finding in found])
    else:
        barred = sum(finding.met is not None for finding in found)
        typer.echo(f"{barred - len(missed)} of {barred} bars met")
    if strict and missed:
        raise typer.Exit(1)


@app.command()
def corpus(
    pipeline: PipelineName = "bengali-hate",
    documents: Annotated[int, typer.Option(min=1, help="Documents, spread evenly over all lengths.")] = 512,
    repetitions: Repetitions = 3,
    as_json: AsJson = False,
) -> None:
    """A pipeline's whole work beside the forward passes of its models."""
    from workbench.cli.terminal import print_json
    from workbench.pipeline.bench.corpus import corpus as measure
    from workbench.pipeline.declaration import find

    rows = measure(find(pipeline), documents=documents, repetitions=repetitions).rows()
    if as_json:
        print_json(rows)
    else:
        show(rows, f"CPU time: pipeline {pipeline}, one thread")


def show(rows: list[dict[str, Any]], title: str) -> None:
    """Prints rows as a table of at most 100 columns."""
    import polars as pl

    from workbench.cli.terminal import console
    from workbench.viz.terminal import table

    console().print(table(pl.DataFrame(rows), title=title, last="what"))
