"""The prompt of `workbench sql`: statements of several lines, a history that stays, views and columns completed as they are typed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from workbench.cli.failure import answer as say
from workbench.cli.formats import Format
from workbench.cli.sql import note, tell, waiting
from workbench.errors import WorkbenchError
from workbench.store.literal import quoted

if TYPE_CHECKING:
    from workbench.store.confined import Confined

KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY ALL", "GROUP BY", "ORDER BY", "ORDER BY ALL", "LIMIT", "HAVING", "QUALIFY", "WITH", "AS", "JOIN",
    "LEFT JOIN", "SEMI JOIN", "ANTI JOIN", "USING", "ON", "AND", "OR", "NOT", "IN", "IS NULL", "IS NOT NULL", "BETWEEN", "LIKE", "CASE",
    "WHEN", "THEN", "ELSE", "END", "DISTINCT", "FILTER", "OVER", "PARTITION BY", "UNION ALL", "DESC", "DESCRIBE", "SUMMARIZE",
    "SHOW TABLES", "EXPLAIN", "PIVOT",
)  # fmt: skip
VIEWS = """
SELECT c.table_name AS view, c.column_name AS name, c.data_type AS type, c.comment AS meaning, v.comment AS of_view
FROM duckdb_columns() c JOIN duckdb_views() v
  ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name
WHERE c.schema_name = 'main' AND NOT v.internal ORDER BY c.table_name, c.column_index"""
FUNCTIONS = """
SELECT function_name AS name, any_value(description) AS meaning FROM duckdb_functions()
WHERE function_type IN ('scalar', 'aggregate') AND function_name ~ '^[a-z][a-z_0-9]+$' GROUP BY ALL ORDER BY ALL"""
HELP = """\
A semicolon or an empty line ends a statement; Tab completes; arrows and Ctrl-R go through the history; Ctrl-C ends a running statement.
.views             all views, and what they hold
.columns VIEW      the columns of a view, and what they mean
.format FORMAT     table, csv, json, jsonl or md
.limit ROWS        rows to show, 0 for all
.help  .quit"""
ENDS = ("exit", "quit", ".quit", ".exit")


@dataclass(frozen=True, slots=True)
class Word:
    """Something to complete, and what it is."""

    text: str
    meaning: str
    kind: str


class Words(Completer):
    """Completes views behind FROM and JOIN, columns of a view behind its name and a dot, and everything elsewhere."""

    def __init__(self, words: Iterable[Word], columns: dict[str, list[Word]]) -> None:
        self.words, self.columns = list(words), columns

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - as it is called
        """What the word in front of the cursor may become."""
        before = document.text_before_cursor
        typed = document.get_word_before_cursor(WORD=False)
        typed = "" if typed == "." else typed
        owner = before[: len(before) - len(typed)]
        if owner.endswith("."):
            name = owner[:-1].split()[-1].split("(")[-1] if owner[:-1].split() else ""
            candidates = self.columns.get(name, [word for found in self.columns.values() for word in found])
        elif owner.split() and owner.split()[-1].upper() in ("FROM", "JOIN", "DESCRIBE", "SUMMARIZE", ".COLUMNS"):
            candidates = [word for word in self.words if word.kind == "view"]
        else:
            candidates = self.words if typed else []
        seen = set()
        for word in candidates:
            if word.text.lower().startswith(typed.lower()) and word.text not in seen:
                seen.add(word.text)
                yield Completion(word.text, -len(typed), display_meta=word.meaning)


def completer(confined: Confined) -> Words:
    """The views, columns and functions of a store."""
    rows = confined.ask(VIEWS).frame.rows(named=True)
    columns: dict[str, list[Word]] = {}
    for row in rows:
        columns.setdefault(row["view"], []).append(Word(row["name"], row["meaning"] or row["type"], "column"))
    views = [Word(row["view"], row["of_view"] or "", "view") for row in rows]
    functions = [Word(row["name"], row["meaning"] or "function", "function") for row in confined.ask(FUNCTIONS).frame.rows(named=True)]
    keywords = [Word(text, "", "keyword") for text in KEYWORDS]
    return Words([*views, *(word for found in columns.values() for word in found), *keywords, *functions], columns)


def history() -> History:
    """What was asked before, kept for this person alone; in memory where no file can be written."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "workbench"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / "sql_history"
        file.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


def finished(text: str) -> bool:
    """Whether Enter ends the statement instead of beginning a line: a semicolon, an empty line, a command, nothing at all."""
    bare = text.strip()
    return not bare or bare.endswith(";") or bare.startswith(".") or bare.lower() in ENDS or text.endswith("\n")


def keys() -> KeyBindings:
    """Enter, which ends a statement or begins a line."""
    bindings = KeyBindings()

    def ends() -> bool:
        from prompt_toolkit.application import get_app

        return finished(get_app().current_buffer.document.text)

    @bindings.add("enter", filter=Condition(ends))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return bindings


class Prompt:
    """One sitting: statements are answered, commands change how answers are shown."""

    def __init__(self, confined: Confined, limit: int, form: Format) -> None:
        self.confined, self.limit, self.form = confined, limit, form
        self.commands: dict[str, Callable[[str], None]] = {
            ".help": lambda _: note(HELP, Format.table),
            ".views": lambda _: self.run("SELECT view_name AS view, comment AS text FROM duckdb_views() WHERE NOT internal ORDER BY ALL"),
            ".columns": self.columns,
            ".format": self.set_format,
            ".limit": self.set_limit,
        }

    def take(self, text: str) -> bool:
        """Answers one input; False where it ends the sitting."""
        bare = text.strip()
        if bare.rstrip(";").lower() in ENDS:
            return False
        try:
            if bare.startswith("."):
                name, _, rest = bare.partition(" ")
                if command := self.commands.get(name):
                    command(rest.strip().rstrip(";"))
                else:
                    note(f"no command {name}; .help lists them", Format.table)
            elif bare:
                self.run(bare)
        except WorkbenchError as error:
            say(error)
        except KeyboardInterrupt:
            note("interrupted", Format.table)
        return True

    def run(self, text: str) -> None:
        """Answers statements."""
        with waiting():
            results = list(self.confined.each(text, self.limit))
        for result in results:
            tell(result, self.form, None)

    def columns(self, view: str) -> None:
        """The columns of a view with their meaning."""
        self.run(
            "SELECT column_name AS name, data_type AS type, comment AS text FROM duckdb_columns() "
            f"WHERE schema_name = 'main' AND table_name = {quoted(view)} ORDER BY column_index"
        )

    def set_format(self, name: str) -> None:
        """Another format for what follows."""
        known = [form.value for form in Format if form is not Format.parquet]
        if name in known:
            self.form = Format(name)
        else:
            note(f"formats here: {', '.join(known)}", Format.table)

    def set_limit(self, number: str) -> None:
        """Another number of rows for what follows."""
        if number.isdecimal():
            self.limit = int(number)
        else:
            note("give a number of rows, 0 for all", Format.table)


def prompt(confined: Confined, *, limit: int, form: Format, **options: Any) -> None:
    """Asks for statements and answers them until the person leaves; `options` go to the prompt's session (input and output, in tests)."""
    form = Format.table if form is Format.parquet else form
    sitting = Prompt(confined, limit, form)
    session: PromptSession[str] = PromptSession(
        message="sql> ",
        prompt_continuation="  -> ",
        multiline=True,
        completer=completer(confined),
        complete_while_typing=False,
        history=options.pop("history", None) or history(),
        lexer=PygmentsLexer(SqlLexer),
        key_bindings=keys(),
        enable_open_in_editor=True,
        **options,
    )
    note(f"{confined.path}: read-only; .help for help, .views for views, .quit to leave", Format.table)
    while True:
        try:
            text = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not sitting.take(text):
            return
