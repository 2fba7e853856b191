"""SQL cells: `%load_ext workbench`, then `%%sql store` with a question below it.

    %%sql store >> frame          the answer is shown, and kept as a Polars frame under this name
    SELECT upos, avg(relevance) AS mean FROM word_relevance WHERE label = $label GROUP BY upos

The store is a variable of the notebook (a path or an open Store) or a path; the next cell that names none asks the same one. `$name` is the
notebook's variable of that name, handed over as a value, never as SQL. Statements run where they can change and read nothing else, within
`--seconds` and `--memory` (GiB); at most `--limit` rows come back (0 for all). `%sql store SELECT …` in a line gives the frame.
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import HTML, display

from workbench.errors import StoreError, WorkbenchError
from workbench.notebook.drawing import enable
from workbench.notebook.html import aside
from workbench.queries import trust
from workbench.queries.evidence import with_parameters
from workbench.store import Store
from workbench.store.confined import Confined, Limits
from workbench.viz.escape import escape
from workbench.viz.frame_table import data

PLACE = re.compile(r"\$([A-Za-z_]\w*)")
GIVEN = (str, bool, int, float, list, tuple, type(None))
GIB = 1 << 30


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise UsageError(f"%%sql: {message}. {self.format_usage().strip()}")


def arguments() -> argparse.ArgumentParser:
    """What stands behind `%%sql`."""
    found = _Arguments(prog="%%sql", add_help=False)
    found.add_argument("store", nargs="?", help="a variable that holds a path or a Store, or a path")
    found.add_argument("--run", type=int)
    found.add_argument("--limit", type=int, default=10_000)
    found.add_argument("--seconds", type=float, default=60.0)
    found.add_argument("--memory", type=float, default=2.0)
    return found


@magics_class
class Sql(Magics):
    """The magic; it remembers the store that was asked last."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.variables = shell.user_ns
        self.last: Path | None = None

    @no_var_expand
    @line_cell_magic
    def sql(self, line: str, cell: str | None = None) -> pl.DataFrame | None:
        """Ask a store in SQL."""
        head, arrow, name = line.partition(">>")
        name = name.strip()
        if arrow and not name.isidentifier():
            raise UsageError("%%sql: write >> NAME, the variable that is to hold the frame")
        words = shlex.split(head if cell is not None else head.split(" ", 1)[0])
        options = arguments().parse_args(words)
        statement = cell if cell is not None else head.partition(" ")[2]
        if not statement.strip():
            raise UsageError("%%sql: no statement; write it below the first line")
        path = self.path(options.store)
        limits = Limits(seconds=options.seconds, memory=int(options.memory * GIB))
        with Confined(path, run=options.run, limits=limits) as confined:
            result = confined.ask(filled(statement, self.variables), options.limit)
        if name:
            self.variables[name] = result.frame
        if cell is None:
            return result.frame
        display(result.frame)
        cut = [] if result.total == len(result.frame) else [f"{result.shown}; all: --limit 0"]
        display(aside(*cut, trusted(path, options.run)))
        return None

    def path(self, given: str | None) -> Path:
        """The store that is meant."""
        if given is None:
            if self.last is None:
                raise UsageError("%%sql: which store? Write %%sql STORE, a path or a variable that holds one")
            return self.last
        value = self.variables.get(given, given)
        found = value.path if isinstance(value, Store) else value
        if not isinstance(found, str | Path):
            raise UsageError(f"%%sql: {given} is a {type(value).__name__}; give a path or a Store")
        self.last = Path(found)
        return self.last


def filled(statement: str, names: dict[str, Any]) -> str:
    """A statement with the notebook's variables as SQL values; StoreError for a variable that is not there, or no value."""
    values: dict[str, Any] = {}
    for name in dict.fromkeys(PLACE.findall(statement)):
        if name not in names:
            raise StoreError("answer your SQL", f"${name}, and no variable of that name", "define it in a cell above")
        if not isinstance(names[name], GIVEN):
            found = f"${name}, which is a {type(names[name]).__name__}"
            raise StoreError("answer your SQL", found, "give a text, a number, true or false, or a list of these")
        values[name] = names[name]
    return with_parameters(statement, values)


def trusted(path: Path, run: int | None) -> str:
    """The trust line of a store, or of one of its runs."""
    with Store.open(path, "read", run=run) as store:
        return f"trust: {trust(store).line}"


def told(_shell: InteractiveShell, _kind: object, error: BaseException, _trace: object, tb_offset: int | None = None) -> None:  # noqa: ARG001
    """What a person asked, what is there and what to do, without the stack that led there."""
    assert isinstance(error, WorkbenchError)
    rows = (("asked", error.asked), ("found", error.found), ("do", error.remedy))
    lines = "".join(f"<div><b>{name}</b> {escape(text)}</div>" for name, text in rows)
    display(HTML(f'<div style="border-left:4px solid #d55e00;padding-left:.8em">{lines}</div>'))


def load(shell: InteractiveShell) -> None:
    """Everything that `%load_ext workbench` brings: the magic, frames and charts as a journal prints them, errors in a person's words."""
    shell.register_magics(Sql(shell))
    formatter = shell.display_formatter
    if formatter is not None:
        formatter.formatters["text/html"].for_type(pl.DataFrame, data)
    shell.set_custom_exc((WorkbenchError,), told)
    enable()
