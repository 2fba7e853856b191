"""`workbench prune`: remove what nothing current refers to; first it only says what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DEFAULT_STORE, AsJson, StorePath

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.pipeline.prune import Outdated


def prune(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="Pipelines whose results stay; by default all that filled the store and are still declared.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it. Without this nothing is removed.")] = False,
    keep_earlier: Annotated[bool, typer.Option("--keep-earlier", help="Keep what superseded results said, for workbench diff.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what in a store no pipeline wants any more: documents that left their corpus, results of other settings; --yes removes it."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.pipeline.prune import outdated
    from workbench.pipeline.prune import prune as remove
    from workbench.store import Store

    with progress() as told:
        if yes:
            found = remove(store, pipelines or (), earlier=not keep_earlier, progress=told)
        else:
            with Store.open(store, "read") as opened:
                found = outdated(opened, pipelines or (), progress=told)
    if as_json:
        print_json(
            {
                "removed": yes, "documents": len(found.documents), "explanations": len(found.explanations), "failures": len(found.failures),
                "earlier": 0 if keep_earlier else found.earlier, "current": list(found.declared), "kept": list(found.unknown),
            }
        )  # fmt: skip
    else:
        show(found, store, yes, keep_earlier)


def show(found: Outdated, store: Path, yes: bool, keep_earlier: bool) -> None:
    """What can go, or has gone, in a few lines."""
    from workbench.cli.terminal import console, visible

    out = console()
    out.print(visible(f"current: {', '.join(found.declared)}"))
    for count, said in (
        (len(found.documents), "documents that left their corpus, with all that hangs on them"),
        (len(found.explanations), "explanations that no pipeline wants any more and that have a successor"),
        (len(found.failures), "failures of documents that are no more"),
        (0 if keep_earlier else found.earlier, "superseded explanations, kept word by word for workbench diff"),
    ):
        if count:
            out.print(visible(f"  {count:>9,} {said}"))
    if found.unknown:
        kept = f"kept: results of {', '.join(found.unknown)}, not declared here; name the pipelines that are to stay to remove the others"
        out.print(visible(kept, "yellow"))
    if found.nothing:
        out.print(visible("nothing to remove"))
    elif yes:
        out.print(visible(f"removed from {store}; DuckDB uses the room again"))
    else:
        out.print(visible("nothing was removed: --yes removes it", "bold"))
