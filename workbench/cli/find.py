"""`workbench find`: a pattern of words and their relevance, in context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.counting import Composite, Model, Role
from workbench.cli.formats import Format, FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Run, ShowSql, cut, trusted

if TYPE_CHECKING:
    import polars as pl

    from workbench.patterns import Hits

HELP = "A pattern: 'good', or CQL such as '[upos=\"ADJ\" & relevance>0.1] [upos=\"NOUN\"]'."


def find(
    pattern: Annotated[str, typer.Argument(help=HELP)],
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    lexicon: Annotated[Path | None, typer.Option(help='File of term, tab, category, for [lexicon="category"].')] = None,
    order: Annotated[Literal["relevance", "document"], typer.Option(help="The most relevant first, or as they stand.")] = "relevance",
    width: Annotated[int, typer.Option(min=0, help="Words of context on each side.")] = 8,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Find words, phrases, arcs and pairs of words by a pattern, in their context, the most relevant first."""
    from workbench.patterns import as_pattern, concordance, sql_of
    from workbench.patterns import find as search
    from workbench.queries import trust

    reading = Reading(store, run, limit, form, out, sql)
    pattern = as_pattern(pattern)
    with reading.open() as opened:
        if sql:
            typer.echo(
                sql_of(
                    pattern, store=opened, model=model, composite=composite, role=role, run=run, lexicon=lexicon, limit=limit, order=order
                )
            )
            return
        hits = search(opened, pattern, model=model, composite=composite, role=role, run=run, lexicon=lexicon, limit=limit, order=order)
        context = concordance(opened, hits, width=width)
        notes = [cut(hits.shown, hits.total - len(hits)), *hits.notices]
        notes += trusted(trust(opened, model=hits.model, composite=hits.composite))
    if reading.wanted is not Format.table:
        reading.write(machine(hits, context), notes)
        return
    show(hits, context)
    reading.tell(notes)


def machine(hits: Hits, context: pl.DataFrame) -> pl.DataFrame:
    """Hits with their contexts as text; a pair has the contexts of both texts."""
    import polars as pl

    frame = hits.frame
    if not hits.is_pair:
        place = frame.columns.index("match")
        return frame.insert_column(place + 1, context["right"].alias("right")).insert_column(place, context["left"].alias("left"))
    whole = (pl.col("left") + " [" + pl.col("match") + "] " + pl.col("right")).str.strip_chars().alias("context")
    texts = context.select("hit", whole)
    first, second = texts.filter(pl.int_range(pl.len()) % 2 == 0), texts.filter(pl.int_range(pl.len()) % 2 == 1)
    return frame.with_columns(left_context=first["context"], right_context=second["context"])


def show(hits: Hits, context: pl.DataFrame) -> None:
    """The concordance for a person."""
    from workbench.cli.kwic import lines
    from workbench.cli.terminal import console, visible

    screen = console()
    whose = [f"{name} {value}" for name, value in (("model", hits.model), ("composite", hits.composite)) if value is not None]
    screen.print(visible(hits.pattern, "bold"))
    screen.print(visible(" · ".join(whose), "dim"))
    for line in lines(context, width=screen.width):
        screen.print(line, soft_wrap=True)
