"""The command `workbench`: its subcommands, and one clear answer to whatever goes wrong.

A subcommand's module imports nothing heavy at its top: what it needs is imported when it is called, so that help comes at once.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from workbench.cli import (
    bench,
    check,
    clusters,
    collocates,
    compact,
    compare,
    corpus,
    demo,
    diff,
    doctor,
    evaluate,
    evaluate_false_discovery,
    evaluate_phrases,
    evaluate_shortcuts,
    evaluate_translation,
    find,
    keyness,
    lab,
    patching,
    prune,
    read,
    repair,
    report,
    run,
    schedule,
    shortcuts,
    show,
    sql,
    torture,
    validate,
)
from workbench.cli.failure import answer

app = typer.Typer(
    name="workbench",
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


app.add_typer(corpus.app, name="corpus")
app.add_typer(bench.app, name="bench")
evaluate.app.command("synthetic-translation")(evaluate_translation.synthetic_translation)
evaluate.app.command()(evaluate_translation.alignment)
evaluate.app.command()(evaluate_translation.hallucination)
evaluate.app.command("phrases")(evaluate_phrases.phrases)
evaluate.app.command()(evaluate_shortcuts.shortcuts)
evaluate.app.command("false-discovery")(evaluate_false_discovery.false_discovery)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(schedule.app, name="schedule")
app.add_typer(torture.app, name="torture")
for command in (
    demo.demo,
    run.run,
    run.plan,
    prune.prune,
    diff.diff,
    read.query,
    sql.sql,
    find.find,
    clusters.clusters,
    compare.compare,
    keyness.keyness,
    collocates.collocates,
    shortcuts.shortcuts,
    shortcuts.counterfactual,
    show.show,
    report.report,
    lab.lab,
    read.verify,
    repair.repair,
    read.export,
    compact.compact,
    check.check,
    validate.validate,
    patching.patching,
    doctor.doctor,
):
    app.command()(command)


def main() -> None:
    """Run the command line: exit code 0 done, 1 something is broken, 2 the request cannot be met, 75 it can be met later, 130 interrupted.

    An error becomes one clear answer on standard error; a stack trace stands for a defect of ours alone.
    """
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
