"""What every reading verb shares: whose answers, how many, how they are written, the SQL behind them, and where a row leads.

A verb takes the options below under these names, opens the store by `Reading.open()` and hands its answer to `Reading.show`:

    def keyness(…, store: StorePath = DEFAULT_STORE, run: Run = None, limit: Limit = 50, form: FormatOption = None, out: Out = None,
                sql: ShowSql = False, row: Row = None) -> None:
        reading = Reading(store, run, limit, form, out, sql, row)
        with reading.open() as opened:
            reading.show(opened, workbench.keyness.keyness(opened, …))       # a workbench.queries.Answer

Tables on a terminal, CSV when piped; trust, truncation and notices under a table, on standard error beside other formats. A verb that
draws something of its own on a terminal uses `open`, `wanted`, `cut`, `tell` and `write` itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.formats import Format, chosen, write

if TYPE_CHECKING:
    import polars as pl

    from workbench.queries import Answer, Lead, Trust
    from workbench.store import Store

Run = Annotated[int | None, typer.Option("--run", min=1, help="Only what this run explained: a number of the view runs.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show, 0 for all.")]
Rows = Annotated[int | None, typer.Option("--limit", "-n", min=0, help="Rows to show, 0 for all; by default 50 in tables, else all.")]
ShowSql = Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")]
Row = Annotated[int | None, typer.Option("--row", min=1, help="Follow this row: its words in context, and its documents.")]
#: Rows that are shown unless `--limit` says otherwise, and contexts and documents of a row that is followed.
LIMIT, FOLLOWED = 50, 10
#: Columns that may hold any script stand last, where nothing has to be aligned behind them.
FREE = ("context", "word pair", "text", "edited", "phrase", "term", "item", "form", "lemma", "piece", "error", "change")
#: Columns that are said once where they are the same in all rows.
CONSTANT = ("model", "composite", "corpus", "target", "languages", "role", "measure", "identifier", "change")


@dataclass(frozen=True, slots=True)
class Reading:
    """The shared options of a reading verb, as they were given."""

    store: Path
    run: int | None = None
    limit: int | None = LIMIT
    form: Format | None = None
    out: Path | None = None
    sql: bool = False
    row: int | None = None

    def open(self) -> Store:
        """The store to read, narrowed to the run where one is named."""
        from workbench.store import Store

        chosen(self.form, self.out)  # what cannot be written is refused before anything is computed
        Thread(target=import_module, args=("pyarrow",)).start()  # DuckDB hands its frames over by it; it loads while the store opens
        return Store.open(self.store, "read", run=self.run)

    @property
    def wanted(self) -> Format:
        """The format that is wanted, or that suits where the answer goes."""
        return chosen(self.form, self.out)

    @property
    def most(self) -> int:
        """Rows that are shown at most, 0 for all; without a limit 50 in a table and all elsewhere."""
        return self.limit if self.limit is not None else LIMIT if self.wanted is Format.table else 0

    def show(self, store: Store, answer: Answer) -> None:
        """Print an answer, or its SQL, or where one of its rows leads."""
        if self.sql:
            self.print_sql(answer.sql + (f"\n-- {answer.method}" if answer.method else ""))
        elif self.row is not None:
            follow(store, answer, self.row)
        else:
            self.print(answer.head(self.most))

    def print_sql(self, statement: str) -> None:
        """The SQL behind an answer; of one run it has to be asked where the views hold that run alone."""
        typer.echo(statement)
        if self.run is not None:
            typer.echo(f"-- of run {self.run} alone: ask it by workbench sql --run {self.run}")

    def print(self, answer: Answer) -> None:
        """An answer in the format that is wanted, and beside it what a reader must know."""
        notes = [cut(answer.shown, answer.rows - len(answer)), *answer.notices, *trusted(answer.trust)]
        if self.wanted is not Format.table:
            self.write(answer.frame, notes)
            return
        print_frame(answer.frame, answer.title)
        if answer.evidence is not None and len(answer):
            notes.append("a row leads on: --row 1 shows its words in context and its documents")
        self.tell(notes)

    def write(self, frame: pl.DataFrame, notes: Sequence[str]) -> None:
        """Rows in a format for other programs, and on standard error what a reader must know."""
        self.tell([*notes, *write(frame, self.wanted, self.out)])

    def tell(self, notes: Sequence[str]) -> None:
        """What a reader must know: under a table, else on standard error."""
        if self.wanted is not Format.table:
            for note in notes:
                typer.echo(note, err=True)
            return
        from workbench.cli.terminal import console, visible

        out = console()
        for note in notes:
            out.print(visible(note, "dim"))


def cut(shown: str, missing: int) -> str:
    """How many of how many, and how to see the rest."""
    return f"{shown}; all: --limit 0" if missing else shown


def trusted(trust: Trust | None) -> list[str]:
    """The trust line, where there is one."""
    return [f"trust: {trust.line}"] if trust is not None else []


def print_frame(frame: pl.DataFrame, title: str) -> None:
    """A frame as a table that fits 100 columns."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.frame_table import with_intervals
    from workbench.viz.terminal import WIDTH, fitted, table

    out = console()
    constant = [name for name in CONSTANT if name in frame.columns and len(frame) and frame[name].n_unique() == 1]
    constant = constant if len(constant) < len(frame.columns) else []
    for name in constant:
        out.print(visible(f"{name}: {frame[name][0]}", "dim"))
    shown = frame.drop(constant)
    if {"left", "form", "right"} <= set(shown.columns):  # a concordance is read in one line, not in three columns
        in_context = pl.col("left") + "[" + pl.col("form") + "]" + pl.col("right")
        shown = shown.with_columns(in_context.alias("context")).drop("left", "form", "right")
    shown = with_intervals(with_words(shown))
    last = next((name for name in FREE if name in shown.columns), shown.columns[-1])
    shown = shown.with_columns(pl.col(pl.Float32, pl.Float64).cast(pl.Float64))
    out.print(visible(fitted(title, WIDTH), "bold"))
    out.print(table(shown, title="", last=last))


def with_words(frame: pl.DataFrame) -> pl.DataFrame:
    """The two ends of an interaction in one column, which may hold any script and stands last; ends without a word by their kind."""
    import polars as pl

    for ends in (("left_term", "right_term"), ("left_form", "right_form"), ("left", "right")):
        if set(ends) <= set(frame.columns):
            kinds = [name for name in ("left_kind", "right_kind") if name in frame.columns]
            named = [pl.coalesce(end, *kinds[place : place + 1]) for place, end in enumerate(ends)]
            return frame.with_columns(pl.concat_str(named, separator=" × ").alias("word pair")).drop(ends)
    return frame


def follow(store: Store, answer: Answer, number: int) -> None:
    """What stands behind one row: its values, its words in context, its documents, and the commands that show more."""
    from workbench.cli.terminal import console, visible
    from workbench.viz.figures import figure

    lead, out = answer.lead(number), console()
    values = [f"{name} {figure(value) if isinstance(value, float) else value}" for name, value in lead.values.items() if value is not None]
    out.print(visible(f"row {number} of {answer.title}", "bold"))
    out.print(visible(" · ".join(values)))
    if lead.pattern is not None:
        contexts(store, lead)
    documents = store.sql(lead.documents)
    print_frame(documents.head(FOLLOWED), "documents")
    if len(documents) > FOLLOWED:
        out.print(visible(f"{FOLLOWED} of {len(documents):,} documents", "dim"))
    out.print(visible("more:", "dim"))
    for command in commands(lead, store.path):
        out.print(visible(f"  {command}"), soft_wrap=True)


def contexts(store: Store, lead: Lead) -> None:
    """The words of a row, the most relevant first, each in its context."""
    from workbench.cli.kwic import lines
    from workbench.cli.terminal import console, visible
    from workbench.patterns import concordance

    out, hits = console(), lead.hits(store, FOLLOWED)
    out.print(visible(f"{lead.pattern}: {hits.shown}", "dim"))
    for line in lines(concordance(store, hits), width=out.width):
        out.print(line, soft_wrap=True)


def commands(lead: Lead, store: Path) -> list[str]:
    """The commands that show all contexts, documents and rows behind a row."""
    at = f"--store {shlex.quote(str(store))}"
    found = [lead.command(store)] if lead.pattern is not None else []
    return [*found, *(f"workbench sql {shlex.quote(' '.join(sql.split()))} {at}" for sql in (lead.documents, lead.rows))]
