"""The command `workbench`: its subcommands, and one clear answer to whatever goes wrong.

Help knows the subcommands by a table; a subcommand's module is imported when it is called, and imports nothing heavy at its top.
"""

from __future__ import annotations

import gc
import io
import sys
from typing import Annotated

import typer

from workbench.cli.deferred import Commands
from workbench.cli.failure import answer

#: New objects between two sweeps for cycles: at Python's 700 a command spends a tenth of its start on sweeping what it imports.
SWEEP = 100_000

app = typer.Typer(
    name="workbench",
    cls=Commands,
    help="What a language model relies on, across a whole corpus.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        import workbench

        typer.echo(f"workbench {workbench.__version__}")
        raise typer.Exit


@app.callback()
def workbench(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """What a language model relies on, across a whole corpus."""


def main() -> None:
    """Run the command line: exit code 0 done, 1 something is broken, 2 the request cannot be met, 75 it can be met later, 130 interrupted.

    An error becomes one clear answer on standard error; a stack trace stands for a defect of ours alone.
    """
    gc.set_threshold(SWEEP)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a lone surrogate in a text must not end a command
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        code = answer(error)
        if code is None:
            raise
        sys.exit(code)
