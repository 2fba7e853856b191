"""`workbench find`: a pattern of words and their relevance, in context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.counting import Composite, Model, Role
from workbench.cli.formats import Format, FormatOption, Out, whole
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Run, ShowSql, cut, trusted
from workbench.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from workbench.patterns import Hits
    from workbench.store import Store

HELP = "A pattern: 'good', or CQL such as '\\[upos=\"ADJ\" & relevance>0.1] \\[upos=\"NOUN\"]'."
WHERE = "Instead of a pattern: an SQL condition on word_relevance (upos = 'NOUN' AND relevance > 0.5), or a SELECT of explanation and word."


def find(
    pattern: Annotated[str | None, typer.Argument(help=HELP)] = None,
    lemma: Annotated[str | None, typer.Option("--lemma", help="Instead of a pattern: all forms of this lemma.")] = None,
    where: Annotated[str | None, typer.Option("--where", help=WHERE)] = None,
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    lexicon: Annotated[Path | None, typer.Option(help='File of term, tab, category, for \\[lexicon="category"].')] = None,
    order: Annotated[Literal["relevance", "document"], typer.Option(help="The most relevant first, or as they stand.")] = "relevance",
    width: Annotated[int, typer.Option(min=0, help="Words of context on each side.")] = 8,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page that needs no network to this .html file as well.")] = None,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Find words, phrases, arcs and pairs of words in their context (KWIC), coloured by relevance, the most relevant first."""
    from workbench.patterns import concordance
    from workbench.queries import trust

    reading = Reading(store, run, limit, form, out, sql)
    asked = request(pattern, lemma, where)
    if html is not None and html.suffix != ".html":
        raise InputError(f"write the page {html}", f"the ending {html.suffix or 'of nothing'}", "end it in .html")
    with reading.open() as opened:
        hits = answer(opened, asked, where, model, composite, role, run, lexicon, limit, order, only_sql=sql)
        if isinstance(hits, str):
            typer.echo(hits)
            return
        context = concordance(opened, hits, width=width)
        notes = [cut(hits.shown, hits.total - len(hits)), *hits.notices]
        notes += trusted(trust(opened, model=hits.model, composite=hits.composite))
    if html is not None:
        from workbench.viz.concordance_page import concordance_page

        whole(html, concordance_page(context, f"{hits.pattern}: {hits.shown}", notes=notes[1:], sql=hits.sql).encode())
        notes.append(f"page: {html}")
    if reading.wanted is not Format.table:
        reading.write(machine(hits, context), notes)
        return
    show(hits, context)
    reading.tell(notes)


def request(pattern: str | None, lemma: str | None, where: str | None) -> str:
    """The pattern that is asked for, or the SQL; InputError where there are none or several."""
    from workbench.patterns import as_pattern
    from workbench.queries.evidence import cql

    given = [value for value in (pattern, lemma, where) if value is not None]
    if len(given) != 1:
        found = "several of a pattern, --lemma and --where" if given else "nothing to look for"
        raise InputError("find words", found, "give one: a word or pattern, --lemma LEMMA, or --where SQL")
    if lemma is not None:
        return f"[lemma={cql(lemma, 'c')} | !lemma & form={cql(lemma, 'c')}]"
    return as_pattern(pattern) if pattern is not None else given[0]


def answer(
    store: Store, asked: str, where: str | None, model: str | None, composite: str | None, role: str | None, run: int | None,
    lexicon: Path | None, limit: int, order: Literal["relevance", "document"], *, only_sql: bool,
) -> Hits | str:  # fmt: skip
    """The hits, or the SQL that finds them."""
    from workbench.patterns import find as search
    from workbench.patterns import sql_of
    from workbench.patterns import where as by_sql

    if where is not None:
        hits = by_sql(store, asked, model=model, composite=composite, role=role, run=run, limit=1 if only_sql else limit, order=order)
        return hits.sql if only_sql else hits
    if only_sql:
        return sql_of(asked, store=store, model=model, composite=composite, role=role, run=run, lexicon=lexicon, limit=limit, order=order)
    return search(store, asked, model=model, composite=composite, role=role, run=run, lexicon=lexicon, limit=limit, order=order)


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
