"""`workbench diff`: what changed between two runs, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.formats import Format, FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import Limit, Reading, ShowSql, print_frame, trusted

if TYPE_CHECKING:
    from workbench.queries.comparison.runs import RunDifference
    from workbench.store import Store

What = Literal["changes", "terms", "turned", "texts"]
#: Rows of each part on a page of all.
ROWS = 10


def diff(
    first: Annotated[int, typer.Argument(help="Number of a run: `workbench sql 'SELECT run, pipeline, started FROM runs'`.")],
    second: Annotated[int, typer.Argument(help="Number of a later run.")],
    what: Annotated[What | None, typer.Option(help="One part alone; by default a page of all, and the changes where piped.")] = None,
    minimum_texts: Annotated[int, typer.Option(min=1, help="Only words in at least so many texts that changed.")] = 3,
    store: StorePath = DEFAULT_STORE,
    limit: Limit = 20,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Say what changed from one run to another: texts that are new, edited or explained anew, and how far their words moved."""
    from workbench.queries.comparison.runs import answer, runs_compared

    reading = Reading(store, None, limit, form, out, sql)
    with reading.open() as opened:
        found = runs_compared(opened, first, second, minimum_texts=minimum_texts, limit=limit)
        if what is None and not sql and reading.wanted is Format.table:
            page(opened, found, reading)
        else:
            reading.show(opened, answer(opened, found, what or "changes"))


def page(store: Store, found: RunDifference, reading: Reading) -> None:
    """All parts, one below the other."""
    from workbench.cli.terminal import console, visible
    from workbench.queries.comparison.runs import TITLES, answer

    out = console()
    out.print(visible(f"run {found.first} → run {found.second}", "bold"))
    parts = {name: answer(store, found, name) for name in TITLES}
    if set(found.changes["change"]) <= {"unchanged"}:
        out.print(visible(f"nothing changed: {found.changes['texts'].sum():,} texts are as they were"))
        parts = {}
    for notice in found.notices:
        out.print(visible(notice, "yellow"))
    for name, part in parts.items():
        if len(part):
            out.print()
            shown = part.head(ROWS)
            print_frame(shown.frame, part.title)
            if len(shown) < shown.rows:
                out.print(visible(f"{shown.shown}; all: --what {name} --limit 0", "dim"))
    reading.tell(trusted(answer(store, found).trust))
