"""`workbench evaluate synthetic-translation`: contributions to translations judged where the answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    import polars as pl

    from workbench.evaluation.bars import Bar


def synthetic_translation(
    seeds: Annotated[int, typer.Option(min=1, help="Models, each trained here in about three minutes.")] = 1,
    sentences: Annotated[int, typer.Option(min=2, help="Sentences explained for each model.")] = 60,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each model, to try things on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train small translation models whose alignments are known; compare every method's contributions; exit code 1 below a bar."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.evaluation.bars import all_met
    from workbench.evaluation.lexicon_model import Shape
    from workbench.evaluation.synthetic_translation import bars, synthetic

    with progress() as show:
        frame = synthetic(range(seeds), show, sentences=sentences, shape=None if steps is None else Shape(steps=steps))
    asked = bars(frame)
    if as_json:
        print_json({"passed": all_met(asked), "rows": frame.fill_nan(None).to_dicts(), "bars": [bar.row() for bar in asked]})
    else:
        print_table(frame, asked)
    if not all_met(asked):
        raise typer.Exit(1)


def print_table(frame: pl.DataFrame, asked: list[Bar]) -> None:
    """One line for each method and target, means over the models; the bars below."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    models = frame["seed"].n_unique()
    figures = {
        "AER": "error_rate", "corrected": "corrected", "as input": "input", "AUC": "area", "content": "content_share",
        "function": "function_share", "entropy": "entropy",
    }  # fmt: skip
    means = frame.group_by("method", "target", maintain_order=True).agg(pl.col(*figures.values(), "seconds").mean())
    shown = means.select(
        *(rounded(means, name, column, 3) for name, column in figures.items()),
        rounded(means, "seconds", "seconds", 4),
        (pl.col("method") + pl.when(pl.col("target") != "").then(" · " + pl.col("target")).otherwise(pl.lit(""))).alias("method")
        .str.replace_all("_", " "),
    )  # fmt: skip
    out.print(table(shown, title=f"contributions to synthetic translations, {models} model{'s' * (models > 1)}", last="method"))
    out.print(
        visible("AER: content words; AUC, content, function: source share of content words against function words; seconds a sentence")
    )
    out.print(table(pl.DataFrame([bar.row() for bar in asked]), title="bars", last="bar"))


def rounded(frame: pl.DataFrame, name: str, column: str, digits: int) -> pl.Series:
    """A column as text of so many digits; nothing where there is no number."""
    import polars as pl

    return pl.Series(name, [None if value is None or value != value else f"{value:.{digits}f}" for value in frame[column]], pl.String)
