"""`workbench repair`: take out what is damaged, and compute just that again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DEFAULT_STORE

if TYPE_CHECKING:
    from workbench.store.repair import Repaired


def repair(
    store: Annotated[Path, typer.Argument(help="The relevance store.")] = DEFAULT_STORE,
    parts: Annotated[str | None, typer.Option(help="Where the parts are that it stands over, if its file cannot tell any more.")] = None,
    recompute: Annotated[bool, typer.Option(help="Run the pipelines again that had made what was damaged.")] = True,
) -> None:
    """Take out what is damaged, set aside what cannot be read, and compute just that again. What is sound stays as it is."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible
    from workbench.store.repair import repair as mend

    out = console()
    with progress() as show:
        steps = ("open", "parts", "rows", "verify")
        done = mend(store, parts=parts, told=lambda step: show(step, steps.index(step), len(steps)))
    for said in done.done:
        out.print(visible(said, "yellow"))
    for what, count in sorted(done.removed.items()):
        out.print(visible(f"{count:,} {what}", "yellow"))
    if done.is_gone:
        out.print(visible("nothing is left to repair: run your pipelines again (workbench run), which makes a new store", "bold red"))
        raise typer.Exit(1)
    if not done.was_damaged:
        out.print(visible("nothing is damaged", "bold green"))
        return
    out.print(visible("the store is sound", "bold green"))
    if done.runs:
        made_again(done, recompute=recompute)


def made_again(done: Repaired, *, recompute: bool) -> None:
    """Run the pipelines, or say which."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.again import again, declarations

    out = console()
    declared = [pipeline.name for pipeline in declarations(done.path, done.runs)]
    if not declared:
        out.print(visible("what was removed was made by no pipeline that the store knows: run yours again (workbench run)", "yellow"))
    if not recompute:
        for name in declared:
            out.print(visible(f"to be computed again: workbench run {name} --store {done.path}"))
        return
    with progress() as show:
        results = list(again(done.path, done.runs, done.over, progress=show))
    for name, summary in results:
        said = f"{name}: {summary.explained:,} documents explained, {summary.reannotated:,} annotated again, {summary.stored:,} were sound"
        out.print(visible(said, "yellow" if summary.failed else "green"))
