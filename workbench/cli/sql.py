"""`workbench sql`: your own SQL over the views of a store, where it can neither change nor read anything else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen, write
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Rows, Run, ShowSql
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.store.confined import Result

Seconds = Annotated[float, typer.Option(min=0.1, help="Seconds after which a statement is given up.")]
Memory = Annotated[float, typer.Option(min=0.1, help="Memory that a statement may take, in GiB.")]
#: What a reader sees of an answer: more than a table needs, less than a terminal chokes on.
TABLE_BYTES = 64 << 20
GIB = 1 << 30


def sql(
    statement: Annotated[str | None, typer.Argument(help="A question in SQL; - for standard input; without one: a prompt.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-i", help="A file with statements, each ended by a semicolon.")] = None,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Rows = None,
    form: FormatOption = None,
    out: Out = None,
    seconds: Seconds = 30.0,
    memory: Memory = 2.0,
    show: ShowSql = False,
    reference: Annotated[bool, typer.Option("--reference", help="Print a page of all views, columns and questions.")] = False,
) -> None:
    """Ask the store in SQL: one statement, a file, standard input or a prompt. It reads the views and nothing else, within limits.

    Views and columns: `workbench sql "SHOW TABLES"`, `workbench sql "DESCRIBE word_relevance"`.
    """
    from workbench.store.confined import Confined, Limits

    if reference:
        from workbench.queries.reference import page

        typer.echo(page(), nl=False)
        return
    text = given(statement, file)
    if show:
        typer.echo(text if text is not None else "-- a prompt: every statement is shown as it is typed")
        return
    wanted = chosen(form, out)
    limits = Limits(seconds=seconds, memory=int(memory * GIB), answer=answer_bytes(wanted, memory))
    if text is None:
        from workbench.cli.sql_prompt import prompt

        with Confined(store, run=run, limits=limits) as confined:
            prompt(confined, limit=LIMIT if limit is None else limit, form=wanted)
        return
    rows = limit if limit is not None else LIMIT if wanted is Format.table else 0
    with Confined(store, run=run, limits=limits) as confined, waiting():
        results = list(confined.each(text, rows))
    if wanted is not Format.table and len(results) > 1:
        raise InputError("write the answer to your SQL", f"{len(results)} answers", "give one statement, or --format table")
    for result in results:
        tell(result, wanted, out)
    note(trusted(store, run), wanted)


def answer_bytes(wanted: Format, memory: float) -> int:
    """How large an answer may be."""
    return TABLE_BYTES if wanted is Format.table else int(max(1.0, memory) * GIB)


def given(statement: str | None, file: Path | None) -> str | None:
    """The text to run; None where a person is to be asked for it."""
    if statement is not None and file is not None:
        raise InputError("answer your SQL", "a statement and a file", "give one of them")
    if file is not None:
        try:
            return file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"read the SQL file {file}", str(error), "give a text file in UTF-8") from None
    if statement == "-" or (statement is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    return statement


@contextmanager
def waiting() -> Iterator[None]:
    """Says on a terminal that an answer is under way."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("asking …"):
        yield


def tell(result: Result, wanted: Format, out: Path | None) -> None:
    """One answer, and beside it how much of it is shown."""
    said = result.shown if result.total == len(result.frame) else f"{result.shown}; all: --limit 0"
    if wanted is Format.table:
        show_table(result)
        note(said, wanted)
        return
    for text in [*write(result.frame, wanted, out), said]:
        note(text, wanted)


def show_table(result: Result) -> None:
    """An answer for a person; a plan as DuckDB draws it."""
    from workbench.cli.reading import print_frame
    from workbench.cli.terminal import console, visible

    if result.frame.columns == ["explain_key", "explain_value"]:
        for plan in result.frame["explain_value"]:
            console().print(visible(plan.rstrip()), soft_wrap=True)
    elif result.frame.width:
        print_frame(result.frame, " ".join(result.statement.split()))


def note(text: str, wanted: Format) -> None:
    """What a reader must know: under a table, or on standard error."""
    from workbench.cli.terminal import console, visible

    if wanted is Format.table:
        console().print(visible(text, "dim"))
    else:
        typer.echo(text, err=True)


def trusted(store: Path, run: int | None) -> str:
    """The trust line of the whole store, or of the run: no one can say which part of it a statement rests on."""
    from workbench.queries import trust
    from workbench.store import Store

    with Store.open(store, run=run) as opened:
        return f"trust: {'run ' + str(run) if run is not None else 'the whole store'}: {trust(opened).line}"
