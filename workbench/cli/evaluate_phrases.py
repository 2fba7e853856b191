"""`workbench evaluate phrases`: do phrases of relevant words agree with spans that people marked?"""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen, write
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.read import Settings, setting


def phrases(
    store: StorePath = DEFAULT_STORE,
    gold: Annotated[str, typer.Option(help="Name of the spans in the documents' metadata, a list of \\[start, end].")] = "rationale",
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Places the phrases of the random control.")] = 0,
    form: FormatOption = None,
    out: Out = None,
) -> None:
    """Do phrases of relevant words agree with spans that people marked? Beside the top word, and phrases at random places."""
    from workbench.cli.reading import print_frame
    from workbench.cli.terminal import console, visible
    from workbench.evaluation.phrases import phrase_agreement
    from workbench.store import Store

    given = dict(setting(text) for text in settings or [])
    links = tuple(given.pop("link", "adjacent").split(","))
    wanted = chosen(form, out)
    with Store.open(store, "read") as opened:
        found = phrase_agreement(opened, gold, links=links, seed=seed, **given)
    if wanted is not Format.table:
        write(found, wanted, out)
        return
    print_frame(found, f"agreement of phrases with {gold}")
    console().print(visible("agreement is plausibility, not faithfulness: it says whether a model looks where people look", "dim"))
