"""`workbench evaluate shortcuts`: are planted tags and places found and told apart, and is nothing found where labels are random?"""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import AsJson


def shortcuts(
    seeds: Annotated[int, typer.Option(min=1, help="Models of each kind.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Train models on planted tags, places, markers and random labels: are they found, and nothing else? Exit code 1 where not."""
    import dataclasses

    import polars as pl

    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, print_json, visible
    from workbench.pipeline.shortcut_control import TOP, shortcut_control
    from workbench.viz.terminal import table

    with progress() as show:
        found = shortcut_control(seeds, progress=lambda done, total: show("control", done, total))
    met = all(one.met for one in found)
    if as_json:
        print_json({"met": met, "models": [{**dataclasses.asdict(one), "met": one.met} for one in found]})
    else:
        rows = [
            {"seed": one.seed, "rank": one.rank or None, "passing": one.passing, "edit": one.edit, "effect": one.effect, "low": one.low,
             "high": one.high, "met": "yes" if one.met else "no", "task": one.task.replace("_", " ")}
            for one in found
        ]  # fmt: skip
        console().print(
            table(
                pl.DataFrame(rows), title="planted shortcuts: rank of what was planted, suspects that pass, effect of the edit", last="task"
            )
        )
        verdict = (
            f"planted words stand among the first {TOP}; masking them, or moving them where their place decides, takes the answer; moving "
            "them where they decide wherever they stand does not; nothing passes with random labels"
        )
        console().print(visible(verdict if met else "a bar is missed", "" if met else "bold red"))
    if not met:
        raise typer.Exit(1)
