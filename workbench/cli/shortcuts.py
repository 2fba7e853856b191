"""`workbench shortcuts` and `workbench counterfactual`: what a model may rely on instead of reading, and whether its answers hang on it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from workbench.cli.counting import Composite, Model, Role, Seed, Where, conditions
from workbench.cli.formats import Format, FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import Limit, Reading, Row, Run, ShowSql

PATTERN = "A word, or a pattern of one text: '\\[form=\"via\"]'."


def shortcuts(
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    where: Where = None,
    minimum_documents: Annotated[int, typer.Option(min=2, help="Only what stands in so many documents, and is missing in as many.")] = 10,
    least_pull: Annotated[
        float, typer.Option(min=0, max=1, help="Pull from which a suspect passes, at the lower end of its interval.")
    ] = 0.4,
    permutations: Annotated[int, typer.Option(min=99, help="Permutations of the test.")] = 999,
    seed: Seed = 0,
    gate: Annotated[bool, typer.Option("--gate", help="End with exit code 1 where a suspect passes.")] = False,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = 20,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """Rank shortcuts: words, tags, punctuation, places, length and metadata that carry a class beyond what the labels explain."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.queries.shortcuts import shortcuts as find

    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = find(
            opened, model=model, composite=composite, role=role, where=conditions(where), minimum_documents=minimum_documents,
            least_pull=least_pull, limit=limit, permutations=permutations, seed=seed,
        )  # fmt: skip
        table = reading.wanted is Format.table
        reading.show(opened, found.brief if table else found)
        if table and not sql and row is None:
            screen = console()
            numbered = found.frame.with_row_index()
            first = pl.concat([numbered.head(3), numbered.group_by("edit", maintain_order=True).first().select(numbered.columns)])
            for one in first.unique("index").sort("index").iter_rows(named=True):
                screen.print(visible(f"{one['item']}: {one['test']}; for example {', '.join(one['examples'])}", "dim"))
                screen.print(visible(f"  {one['command']}"), soft_wrap=True)
    if gate and found.passing:
        raise typer.Exit(1)


def counterfactual(
    pattern: Annotated[str, typer.Argument(help=PATTERN)],
    label: Annotated[
        str | None, typer.Option("--label", help="The class to follow, in documents explained for it; by default the answer of each.")
    ] = None,
    edit: Annotated[
        Literal["mask", "delete", "swap", "move", "length"] | None,
        typer.Option(
            help="What is done to the words that the pattern finds, by default mask; length: cut or repeat them until a text has --words."
        ),
    ] = None,
    swap: Annotated[str | None, typer.Option("--swap", help="Put this word in their place.")] = None,
    words: Annotated[int | None, typer.Option("--words", min=1, help="Words that a text should come near to, for --edit length.")] = None,
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    documents: Annotated[int, typer.Option(min=2, help="Documents that are edited at most, drawn at random.")] = 200,
    draws: Annotated[int, typer.Option(min=1, help="Matched random edits of each document.")] = 10,
    seed: Seed = 0,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = 20,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Mask, delete, swap or move words where they stand, or change lengths, ask the model again; beside matched random edits."""
    from workbench.cli.progress import progress
    from workbench.patterns import as_pattern, sql_of
    from workbench.pipeline.counterfactual import counterfactual as test

    reading = Reading(store, run, limit, form, out, sql)
    with reading.open() as opened:
        if sql:
            statement = sql_of(as_pattern(pattern), store=opened, model=model, composite=composite, role=role, limit=0, order="document")
            reading.print_sql(f"{statement}\n-- the texts that hold these words are edited, and the model is asked again")
            return
        with progress() as show:
            tested = test(
                opened, pattern, label=label, edit=edit or ("mask" if swap is None else "swap"), swap=swap, words=words, model=model,
                composite=composite, role=role, documents=documents, draws=draws, seed=seed,
                progress=lambda done, total: show("edit", done, total),
            )  # fmt: skip
        reading.show(opened, tested.answer)
