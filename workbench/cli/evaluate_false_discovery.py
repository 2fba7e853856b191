"""`workbench evaluate false-discovery`: how often do keyness and shortcuts find something where nothing is?"""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.counting import Composite, Model, Seed
from workbench.cli.formats import Format, FormatOption, Out, chosen, write
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import Run


def false_discovery(
    store: StorePath = DEFAULT_STORE,
    corpora: Annotated[int, typer.Option(min=1, help="How often the corpus is shuffled.")] = 200,
    model: Model = None,
    composite: Composite = None,
    permutations: Annotated[int, typer.Option(min=99, help="Permutations of every test.")] = 9_999,
    seed: Seed = 0,
    run: Run = None,
    form: FormatOption = None,
    out: Out = None,
) -> None:
    """Shuffle labels and answers of a store's corpus and count what keyness and shortcuts still find; exit code 1 above 5 %."""
    from workbench.cli.progress import progress
    from workbench.cli.reading import print_frame
    from workbench.cli.terminal import console, visible
    from workbench.queries.false_discovery import false_discovery as count
    from workbench.queries.false_discovery import frame

    wanted = chosen(form, out)
    with progress() as show:
        found = count(
            store, corpora=corpora, run=run, model=model, composite=composite, permutations=permutations, seed=seed,
            progress=lambda done, total: show("shuffle", done, total),
        )  # fmt: skip
    met = all(alarms.met for alarms in found)
    if wanted is Format.table:
        print_frame(frame(found), f"alarms in {corpora:,} shuffled corpora")
        verdict = "at most 5 % of shuffled corpora raise an alarm" if met else "more than 5 % of shuffled corpora raise an alarm"
        console().print(visible(verdict, "" if met else "bold red"))
    else:
        write(frame(found), wanted, out)
    if not met:
        raise typer.Exit(1)
