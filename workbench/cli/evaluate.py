"""`workbench evaluate`: how far to trust what is said of a model, where it can be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    import polars as pl

    from workbench.evaluation.similarity_nouns_run import NounStudy
    from workbench.evaluation.similarity_study import SimilarityStudy

app = typer.Typer(help="How far to trust what is said of a model, measured.", no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """How far to trust what is said of a model, measured."""


@app.command()
def similarity(
    parts: Annotated[list[str] | None, typer.Argument(help="Of perturbation, alignment, nouns; by default all.")] = None,
    model: Annotated[str | None, typer.Option(help="A sentence encoder; by default all-MiniLM-L6-v2, else the embedded one.")] = None,
    pairs: Annotated[int, typer.Option(min=2, help="Most pairs of each set.")] = 200,
    methods: Annotated[str, typer.Option(help="Methods compared, with commas between; by default all but integrated Jacobians.")] = "",
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of the noun encoder, to try things on.")] = None,
    seed: Annotated[int, typer.Option(help="Draws pairs and trains the noun encoder.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Does BiLRP say what an encoder relies on? Beside other methods: perturbation, human alignments, an encoder of known reasons."""
    from workbench.cli.progress import progress
    from workbench.errors import InputError
    from workbench.evaluation.similarity_alignment import COMPARED
    from workbench.evaluation.similarity_nouns import NounSettings
    from workbench.evaluation.similarity_study import PARTS, similarity_study

    if unknown := set(parts or ()) - set(PARTS):
        raise InputError("evaluate similarity", f"unknown parts {', '.join(sorted(unknown))}", f"choose among {', '.join(PARTS)}")
    settings = NounSettings(seed=seed, pairs=pairs) if steps is None else NounSettings(seed=seed, pairs=pairs, steps=steps)
    with progress() as show:
        found = similarity_study(
            [part for part in PARTS if part in (parts or PARTS)], model=model, pairs=pairs, seed=seed, nouns=settings, progress=show,
            methods=tuple(name.strip() for name in methods.split(",") if name.strip()) or COMPARED,
        )  # fmt: skip
    if as_json:
        typer.echo(found.to_json())
    else:
        print_study(found)


def print_study(found: SimilarityStudy) -> None:
    """One table for each part, and what was left out."""
    from workbench.cli.terminal import console, visible

    out = console()
    if found.perturbation is not None:
        print_perturbation(found.perturbation, f"{found.encoder}, {found.perturbation['pairs'][0]} pairs of {found.source}")
    if found.alignment is not None:
        print_alignment(found.alignment, found.encoder)
    if found.nouns is not None:
        print_nouns(found.nouns)
    for reason in found.left_out:
        out.print(visible(f"left out: {reason}", "yellow"))


def print_perturbation(summary: pl.DataFrame, about: str) -> None:
    """Area by method, best first."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    shown = summary.select(
        pl.col("area").round(2).map_elements("{:.2f}".format, pl.String),
        interval("low", "high", 2),
        difference=pl.col("to_chance").map_elements("{:+.2f}".format, pl.String) if "to_chance" in summary.columns else pl.lit(None),
        **({"95 % of it": interval("to_chance_low", "to_chance_high", 2, signed=True)} if "to_chance" in summary.columns else {}),
        share=pl.col("share").map_elements("{:.2f}".format, pl.String),
        ms=(pl.col("seconds") * 1000).round(1),
        method=named(pl.col("method"), pl.when(pl.col("cells") == "all").then(pl.lit(", all cells")).otherwise(pl.lit(""))),
    )
    out.print(visible(f"perturbation: {about}"))
    out.print(table(shown, title="mean distance to the embedding while tokens come back, most relevant first", last="method"))
    out.print(visible("low is good; difference: to random order; share: median sum of cells over the cosine; ms: a text\n"))


def print_alignment(summary: pl.DataFrame, encoder: str) -> None:
    """Average precision by set and method, all words and words that differ."""
    import polars as pl

    from workbench.cli.terminal import console
    from workbench.viz.terminal import table

    out = console()
    for (name,), part in summary.group_by("set", maintain_order=True):
        sides = {
            words: part.filter(words=words).select(
                "method",
                pl.col("precision").map_elements("{:.3f}".format, pl.String).alias(words),
                interval("low", "high", 3).alias(f"95 %, {words}"),
                pl.col("pairs").alias(f"pairs, {words}"),
            )
            for words in ("different", "all")
        }
        joined = sides["different"].join(sides["all"], on="method", how="full", coalesce=True, maintain_order="left_right")
        columns = [column for column in joined.columns if column != "method"]
        title = f"average precision against the alignments of people: {name}, {encoder}"
        out.print(table(joined.select(*columns, named(pl.col("method"))), title=title, last="method"))
        out.print()


def print_nouns(found: NounStudy) -> None:
    """How well the encoder learnt its task, and agreement with its reasons by method."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    shown = found.agreement.select(
        pl.col("cosine").map_elements("{:.3f}".format, pl.String), interval("low", "high", 3), "published", named(pl.col("method"))
    )
    out.print(table(shown, title="an encoder that counts shared nouns: cosine of cells with the true ones", last="method"))
    learnt = f"Spearman {found.spearman:.3f} held out ({found.trained_spearman:.3f} trained), {found.exact:.0%} of held-out pairs exact"
    out.print(visible(f"encoder: {learnt}; {found.words:,} words, {found.pairs} pairs of {found.source}, {found.seconds:.0f} s"))
    out.print(visible("published: Vasileiou and Eberle 2024, a BERT-base with Spearman 0.89 held out\n"))


def interval(low: str, high: str, digits: int, *, signed: bool = False) -> pl.Expr:
    """Two columns as one interval."""
    import polars as pl

    form = f"{{:{'+' if signed else ''}.{digits}f}}".format
    return pl.format("{} to {}", *(pl.col(name).map_elements(form, pl.String) for name in (low, high))).alias("95 %")


def named(method: pl.Expr, more: pl.Expr | None = None) -> pl.Expr:
    """Names of methods in words."""
    import polars as pl

    words = method.str.replace_all("_", " ")
    return (words if more is None else pl.concat_str(words, more)).alias("method")
