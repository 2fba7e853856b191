"""`workbench torture`: kill the store's writer at random moments, again and again, and compare what is left with an undisturbed run."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Try to lose data: what a store must survive.")


@app.callback()
def torture() -> None:
    """Try to lose data: what a store must survive."""


@app.command()
def kill(
    number: Annotated[int, typer.Option("--n", min=1, help="How many times to kill.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the moments.")] = 0,
) -> None:
    """Kill a writing process with SIGKILL at random moments and run it again; exit code 1 where anything is lost."""
    from workbench.cli.terminal import console, visible
    from workbench.store import torture as store_torture

    found = store_torture.kill(number, seed)
    console().print(visible(found))
    if not found.passed:
        raise typer.Exit(1)
