"""`workbench validate`: how far to trust a relevance number, measured where the answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from workbench.cli.options import AsJson, Workers

if TYPE_CHECKING:
    import polars as pl

    from workbench.evaluation.planted import PlantedResult
    from workbench.evaluation.validation import Validation

Choice = TypeVar("Choice", bound=str)
#: Short heads for a table of all tasks.
TASK_HEADS = {
    "single_token": "single", "token_in_context": "context", "ordered_pair": "pair", "position_only": "position",
    "natural_target": "natural", "source_tag": "tag",
}  # fmt: skip


def validate(
    seeds: Annotated[int, typer.Option(min=1, help="Models for each task and encoding.")] = 3,
    tasks: Annotated[str, typer.Option(help="Planted tasks, with commas between; by default all.")] = "",
    encodings: Annotated[str, typer.Option(help="Of absolute, rotary, relative, with commas between; by default all.")] = "",
    parts: Annotated[str, typer.Option(help="Of planted, randomization, rationales, with commas between; by default all.")] = "",
    posts: Annotated[int, typer.Option(min=1, help="Most posts of each corpus of human rationales.")] = 100,
    workers: Workers = 2,
    store: Annotated[Path | None, typer.Option("--store", "-s", help="A store whose reports are to show the planted signals.")] = None,
    target: Annotated[Path | None, typer.Option("--out", "-o", help="Write all numbers to this JSON file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every method on signals that we planted, on models made random, and beside human rationales; exit code 1 where a bar is missed."""
    from workbench.cli.progress import progress
    from workbench.evaluation.planted_encoders import POSITION_ENCODINGS
    from workbench.evaluation.planted_texts import TASKS
    from workbench.evaluation.validation import PARTS
    from workbench.evaluation.validation import validate as suite
    from workbench.pipeline.reporting import planted_path

    with progress() as show:
        result = suite(
            seeds, parts=chosen(parts, PARTS), tasks=chosen(tasks, TASKS), encodings=chosen(encodings, POSITION_ENCODINGS), posts=posts,
            workers=workers, progress=show,
        )  # fmt: skip
    if target:
        target.write_text(result.to_json(), "utf-8")
    if store and result.planted:
        planted_path(store).write_text(result.planted.to_json(), "utf-8")
    if as_json:
        typer.echo(result.to_json())
    else:
        print_validation(result)
    if not result.passed:
        raise typer.Exit(1)


def chosen(given: str, known: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """What is named between commas, in the order of what is known; everything where nothing is named."""
    from workbench.errors import InputError

    names = [name.strip() for name in given.split(",") if name.strip()]
    if unknown := set(names) - set(known):
        raise InputError(f"validate {given}", f"unknown: {', '.join(sorted(unknown))}", f"choose among {', '.join(known)}")
    return tuple(name for name in known if name in names) if names else known


def print_validation(result: Validation) -> None:
    """The tables of every part, where LRP loses, and the bars."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.evaluation.validation import lost
    from workbench.viz.terminal import table

    out = console()
    if result.planted:
        print_planted(result.planted)
        lines = lost(result.planted.summary(by_encoding=True))
        methods = (pl.col("method_other") + " over " + pl.col("method_lrp")).alias("methods")
        shown = rounded(lines, "other", "lrp").select("task", "encoding", "ordering", "other", "lrp", methods)
        out.print(table(shown, title="planted: where another method finds more than the best of the LRP family", last="methods"))
        out.print()
    if result.randomization:
        models = result.randomization.found["model"].unique(maintain_order=True).to_list()
        for stage in ("head", "everything"):
            found = result.randomization.at(stage)
            shown = rounded(found, *models).rename({name: name.removeprefix("topics ") for name in models})
            out.print(table(shown, title=f"weights random, {stage}: rank correlation of |relevance|", last="method"))
            out.print()
        out.print(visible(f"{len(models)} models with random weights in {result.randomization.seconds:.0f} s: topics, Bengali posts\n"))
    if result.rationales is not None:
        print_rationales(result.rationales)
    for reason in result.left_out:
        out.print(visible(f"left out: {reason}", "yellow"))
    if not result.bars:
        out.print(visible("no bars asked: agreement with people has none"))
        return
    out.print(table(pl.DataFrame([bar.row() for bar in result.bars]), title="bars", last="bar"))
    missed = any(bar.value is not None and not bar.met for bar in result.bars)
    unasked = ", ".join(bar.name for bar in result.bars if bar.value is None and bar.needed)
    said = "all bars met" if result.passed else "a bar is missed" if missed or not unasked else f"no verdict without: {unasked}"
    out.print(visible(said, "" if result.passed else "bold red"))


def print_planted(result: PlantedResult) -> None:
    """precision@k of every method by task and encoding; flagged models; the two bars that must have been asked."""
    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    for (encoding,), part in result.summary(by_encoding=True).group_by("encoding", maintain_order=True):
        for ordering, words in (("signed", "ranked by signed relevance"), ("absolute", "ranked by size")):
            title = f"planted, {encoding} positions, {words}: precision@k"
            out.print(table(by_task(part.filter(ordering=ordering)), title=title, last="method"))
            out.print()
    for run in result.flagged:
        name = f"{run.task.replace('_', ' ')}, {run.encoding}, seed {run.seed}"
        out.print(visible(f"flagged: the model of {name} does not rely on the signal and says nothing", "yellow"))
    seconds = sum(run.seconds for run in result.runs)
    out.print(visible(f"{len(result.runs)} models in {result.seconds:.0f} s ({seconds:.0f} s of processor time)"))
    out.print(visible(verdict(result), "" if result.passed else "bold red"))
    out.print()


def by_task(summary: pl.DataFrame) -> pl.DataFrame:
    """One row for each method and reading, one column for each task, best methods first."""
    import polars as pl

    wide = summary.with_columns(
        pl.concat_str("method", pl.when(pl.col("reading") != "tokens").then(pl.lit(" · ") + pl.col("reading")).otherwise(pl.lit(""))),
        pl.col("task").replace_strict(TASK_HEADS),
    ).pivot("task", index=["method", "reading"], values="precision_at_k")
    tasks = [head for head in TASK_HEADS.values() if head in wide.columns]
    order = [pl.col("reading") != "tokens", pl.mean_horizontal(*tasks) * -1]
    return rounded(wide.sort(order), *tasks).select(*tasks, "method")


def rounded(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Columns of shares and correlations as text of two digits."""
    import polars as pl

    texts = {name: [None if value is None else f"{value:.2f}" for value in frame[name]] for name in columns}
    return frame.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in texts.items())


def print_rationales(found: pl.DataFrame) -> None:
    """Agreement with human rationales by corpus."""
    from workbench.cli.terminal import console
    from workbench.viz.terminal import table

    out = console()
    for (corpus,), part in found.group_by("corpus", maintain_order=True):
        wide = part.pivot("metric", index=["documents", "method"], values="mean").sort("auprc", descending=True, nulls_last=True)
        metrics = [name for name in wide.columns if name not in ("documents", "method")]
        out.print(table(rounded(wide, *metrics), title=f"human rationales: {corpus}", last="method"))
        out.print()


def verdict(result: PlantedResult) -> str:
    """The two bars that must have been asked, in one sentence."""
    single = "not asked" if result.single_token is None else f"{result.single_token:.3f} (bar 0.99)"
    alarms = "not asked" if result.false_alarms is None else f"{result.false_alarms:.2%} (bar 5 %)"
    return f"planted control: precision@k of LRP on the single token, smallest {single}; false alarms with random labels {alarms}"
