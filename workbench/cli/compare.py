"""`workbench compare`: two runs, models, composites or tokenizers on the same texts, and a gate for those that must not drift."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import Limit, Reading, Row, Run, ShowSql, print_frame

if TYPE_CHECKING:
    from workbench.queries import Answer
    from workbench.queries.comparison import Comparison, Side
    from workbench.store import Store

SIDE = "A model, composite, run number or other store; or model=…,composite=…,run=…,store=… where one name is not enough."
What = Literal["summary", "terms", "parts", "turned", "documents", "flips"]
#: Rows of each table on the page that a terminal shows.
ROWS = 10


def compare(
    first: Annotated[str, typer.Argument(help=SIDE)],
    second: Annotated[str, typer.Argument(help="The other side, written in the same way.")],
    store: StorePath = DEFAULT_STORE,
    what: Annotated[What | None, typer.Option(help="One part alone; by default a page of all, and the terms where piped.")] = None,
    ground: Annotated[
        Literal["word", "character"], typer.Option(help="By word, or by the characters under the tokens of both tokenizers.")
    ] = "word",
    scale: Annotated[
        Literal["share", "relevance"], typer.Option(help="Relevance as a share of its text's sum of |relevance|, or as it is.")
    ] = "share",
    terms: Annotated[Literal["lemma", "form"], typer.Option(help="What a term is.")] = "lemma",
    minimum_documents: Annotated[int, typer.Option(min=1, help="Only terms in at least so many documents.")] = 3,
    fail_below: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Exit code 1 where the mean rank correlation is below this.")
    ] = None,
    run: Run = None,
    limit: Limit = 20,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """Compare the relevance of the same texts on two sides: agreement by document, words that changed most, decisions that flipped."""
    from workbench.queries.comparison import answer
    from workbench.queries.comparison import compare as compared

    with ExitStack() as opened:
        stores: dict[Path, Store] = {}
        sides = [chosen_side(text, store, run, stores, opened) for text in (first, second)]
        reading = Reading(store, run, limit, form, out, sql, row)
        found = compared(*sides, ground=ground, scale=scale, form=terms, limit=limit, minimum_documents=minimum_documents)
        if what is None and row is None and not sql and chosen(form, out) is Format.table:
            page(found)
        else:
            reading.show(found.first.store, answer(found, what or "terms"))
        gate(found, fail_below)


def chosen_side(text: str, store: Path, run: int | None, stores: dict[Path, Store], opened: ExitStack) -> Side:
    """One side; a store that both sides name is opened once."""
    from workbench.queries.comparison import parsed, side
    from workbench.store import Store

    given = parsed(text)
    path = Path(given.pop("store", store)).resolve()
    if path not in stores:
        stores[path] = opened.enter_context(Store.open(path, "read", run=run))
    number = int(given["run"]) if "run" in given else None
    return side(stores[path], name=given.get("name"), model=given.get("model"), composite=given.get("composite"), run=number)


def page(found: Comparison) -> None:
    """All parts, one below the other."""
    from workbench.cli.terminal import console, visible
    from workbench.queries.comparison import answer

    out = console()
    parts: dict[str, Answer] = {name: answer(found, name) for name in ("summary", "terms", "parts", "turned", "flips")}
    out.print(visible(f"{found.first.shown} → {found.second.shown}", "bold"))
    for name, part in parts.items():
        if len(part):
            cut = part.head(ROWS)
            print_frame(cut.frame, part.title.partition(": ")[0])
            if len(cut) < cut.rows:
                out.print(visible(f"{cut.shown}; all: --what {name} --limit 0", "dim"))
            out.print()
    whole = parts["summary"]
    for note in (*whole.notices, *([f"trust of the first side: {whole.trust.line}"] if whole.trust else [])):
        out.print(visible(note, "dim"))


def gate(found: Comparison, least: float | None) -> None:
    """Exit code 1 where both sides agree less than they must."""
    if least is None:
        return
    mean = found.summary.filter(measure="spearman")["mean"][0]
    if mean is None or mean < least:
        typer.echo(f"mean rank correlation {'not known' if mean is None else f'{mean:.3f}'}, below {least:g}", err=True)
        raise typer.Exit(1)
