"""`workbench report`: the page to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import DEFAULT_STORE, StorePath


def report(
    store: StorePath = DEFAULT_STORE,
    run: Annotated[
        int | None, typer.Option("--run", min=1, help="Report on this run, a number of the view runs; by default the last.")
    ] = None,
    target: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; by default beside the store.")] = None,
) -> None:
    """Write a run, by default the last, as one self-contained HTML page."""
    from workbench.cli.terminal import console, visible

    console().print(visible(f"report: {write_report(store, target or store.with_suffix('.html'), run)}"))


def write_report(store: Path, target: Path, run: int | None = None) -> Path:
    """Writes the report, whole or not at all, and returns its path."""
    from workbench.pipeline.reporting import page

    temporary = target.with_name(target.name + ".part")
    temporary.write_text(page(store, run), "utf-8")
    temporary.replace(target)
    return target
