"""`workbench query`, `verify` and `export`: what is in a store, and whether it is sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.counting import Chart
from workbench.cli.formats import FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Row, Rows, Run, ShowSql
from workbench.errors import InputError

Settings = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the query, name=value; may be given several times.")]


def query(
    name: Annotated[str | None, typer.Argument(help="Name of a question; without it all questions are listed.")] = None,
    store: StorePath = DEFAULT_STORE,
    settings: Settings = None,
    chart: Chart = None,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """Ask the store a question by name; `--row 3` follows the third row to its words in context and its documents."""
    from workbench.cli.terminal import console, visible
    from workbench.queries import answer, describe, names, sql_of

    if name is None:
        width = max(map(len, names()))
        for known in names():
            console().print(visible(f"{known:<{width}} {describe(known).title}"))
        return
    given = dict(setting(text) for text in settings or [])
    if sql:  # needs no store
        Reading(store, run).print_sql(sql_of(name, **given))
        return
    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = answer(opened, name, **given)
        if chart is not None:
            from workbench.viz.chart_page import write_chart
            from workbench.viz.grammar_charts import lifts

            write_chart(lifts(found.frame, found.title), chart)
        reading.show(opened, found)


def setting(text: str) -> tuple[str, str]:
    """Splits name=value; InputError where there is no '='."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"set a parameter by {text!r}", "no '='", "write --set name=value")
    return name, value


def verify(store: Annotated[Path, typer.Argument(help="The relevance store.")] = DEFAULT_STORE) -> None:
    """Read the whole store and compare it with its ledger; exit code 1 where something is wrong."""
    from workbench.cli.terminal import console, visible
    from workbench.store import verify as check

    findings = check(store)
    console().print(visible(findings))
    if not findings.clean:
        console().print(visible(f"to take out what is damaged and compute just that again: workbench repair {store}", "bold red"))
        raise typer.Exit(findings.exit_status)


def export(
    what: Annotated[str, typer.Argument(help="A view (documents, words, word_relevance …) or a question by name.")],
    target: Annotated[Path | None, typer.Argument(help="File to write: .csv, .json, .jsonl, .parquet, .md; - to pipe.")] = None,
    settings: Settings = None,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Rows = None,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Write a view, or the answer to a question, to a file."""
    from workbench.queries import Answer, answer, names, sql_of, trust

    if target is not None and out is not None:
        raise InputError(f"export {what}", f"two files, {target} and {out}", "name one of them")
    target = None if target is not None and str(target) == "-" else target
    reading = Reading(store, run, limit, form, target or out, sql)
    given = dict(setting(text) for text in settings or [])
    if what not in names() and not what.isidentifier():
        raise InputError(f"export {what}", "no view or question of that name", "list the questions: workbench query")
    if sql:
        reading.print_sql(sql_of(what, **given) if what in names() else f"FROM {what}")
        return
    with reading.open() as opened:
        if what in names():
            found = replace(answer(opened, what, **given), evidence=None)
        else:
            total = int(opened.sql(f"SELECT count(*) FROM {what}").item())
            rows = opened.sql(f"FROM {what}" + (f" LIMIT {reading.most}" if reading.most else ""))
            found = Answer(what, rows, trust(opened), f"FROM {what}", total=total)
        reading.show(opened, found)
    if reading.out is not None:
        typer.echo(f"{len(found.head(reading.most)):,} rows written to {reading.out}", err=True)
