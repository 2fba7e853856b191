"""`workbench compact`: parts become a store, a store over parts gets rows of its own, an old store loses its holes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.errors import StoreError

if TYPE_CHECKING:
    from workbench.pipeline.worker import Progress

Source = Annotated[str, typer.Argument(help="A store, or parts: their folder or address (s3://…).")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="The store to write; by default the store itself is written again.")]
Views = Annotated[bool, typer.Option("--views", help="Leave the rows where they are: a store over the parts.")]
Sweep = Annotated[bool, typer.Option("--sweep", help="Remove files that killed runs left. Only while no run is at work there.")]


def compact(source: Source, out: Out = None, views: Views = False, sweep: Sweep = False) -> None:
    """Write a store again in order and without gaps; or make one of parts, as rows of its own or as views."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible

    with progress() as show:
        lines = of_parts(source, out, views, sweep, show) if is_place(source) else of_a_store(Path(source), out, views or sweep, show)
    for line in lines:
        console().print(visible(line))


def is_place(source: str) -> bool:
    """Whether a source is a folder or address of parts."""
    return "://" in source or Path(source).is_dir()


def of_a_store(path: Path, out: Path | None, asks_for_parts: bool, show: Progress) -> list[str]:
    """A store written again; what that did."""
    from workbench.store.compact import compact as write_again

    if asks_for_parts:
        raise StoreError(f"compact {path}", "a store, where parts are needed", "give the folder or address of the parts")
    done = write_again(path, out, told=show)
    return [f"{done.rows:,} rows written; {done.before / 1e6:,.1f} MB before, {done.after / 1e6:,.1f} MB now"]


def of_parts(source: str, out: Path | None, views: bool, sweep: bool, show: Progress) -> list[str]:
    """A store made of parts, or files removed that no part has; what that did."""
    from workbench.store.building import building
    from workbench.store.compact import compact as write_again
    from workbench.store.parts.over import over
    from workbench.store.parts.parts import Parts
    from workbench.store.parts.taking import take_in

    if out is None and (views or not sweep):
        raise StoreError(f"compact the parts in {source}", "no store to write", "name it: --out STORE.duckdb")
    parts = Parts(source)
    if not parts.state.records:
        raise StoreError(f"compact the parts in {source}", "no parts there", "write some: workbench run PIPELINE --parts " + source)
    lines = [f"{len(found)} parts of an interrupted run were whole and count now"] if (found := parts.adopt()) else []
    if sweep:
        removed = parts.sweep()
        lines.append(f"{removed:,} files that no part has were removed" if removed else "every file belongs to a part: nothing to remove")
    if out is not None and views:
        over(parts, out)
        lines.append(f"{out} stands over {len(parts.state.parts):,} parts")
    elif out is not None and out.exists():
        lines.append(f"{take_in(parts, out, told=show):,} parts taken into {out}")
    elif out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with building(out, "over") as between:
            over(parts, between)
            done = write_again(between, out, told=show)
        lines.append(f"{done.rows:,} rows of {len(parts.state.parts):,} parts written to {out}; {done.after / 1e6:,.1f} MB")
    return lines
