"""`workbench diff`: what changed between two runs, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen, write
from workbench.cli.options import DEFAULT_STORE, StorePath

if TYPE_CHECKING:
    from workbench.queries.comparison.runs import RunDifference

What = Literal["changes", "terms", "turned", "texts"]
TITLES = {
    "changes": "what changed; moved: share of a text's |relevance| on other words or with another sign",
    "terms": "words that changed most: mean share of a text's |relevance| of one occurrence, second minus first",
    "turned": "words that changed sides",
    "texts": "texts that moved farthest",
}
ROWS = 10


def diff(
    first: Annotated[int, typer.Argument(help="Number of a run: `workbench sql 'SELECT run, pipeline, started FROM runs'`.")],
    second: Annotated[int, typer.Argument(help="Number of a later run.")],
    store: StorePath = DEFAULT_STORE,
    what: Annotated[What | None, typer.Option(help="One part alone; by default a page of all, and the changes where piped.")] = None,
    minimum_texts: Annotated[int, typer.Option(min=1, help="Only words in at least so many texts that changed.")] = 3,
    limit: Annotated[int, typer.Option(min=1, help="At most so many words.")] = 20,
    form: FormatOption = None,
    out: Out = None,
) -> None:
    """Say what changed from one run to another: texts that are new, edited or explained anew, and how far their words moved."""
    from workbench.queries.comparison.runs import runs_compared
    from workbench.store import Store

    with Store.open(store, "read") as opened:
        found = runs_compared(opened, first, second, minimum_texts=minimum_texts, limit=limit)
    written = chosen(form, out)
    if written is Format.table:
        page(found, [what] if what else list(TITLES))
    else:
        write(getattr(found, what or "changes"), written, out)


def page(found: RunDifference, parts: list[str]) -> None:
    """All parts, one below the other."""
    from workbench.cli.reading import print_frame
    from workbench.cli.terminal import console, visible

    out = console()
    out.print(visible(f"run {found.first} → run {found.second}", "bold"))
    if set(found.changes["change"]) <= {"unchanged"}:
        out.print(visible(f"nothing changed: {found.changes['texts'].sum():,} texts are as they were"))
        return
    for name in parts:
        frame = getattr(found, name)
        if len(frame):
            print_frame(frame.head(ROWS), TITLES[name])
            if len(frame) > ROWS:
                out.print(visible(f"{ROWS} of {len(frame):,}; all: --what {name} --format csv", "dim"))
