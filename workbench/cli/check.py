"""`workbench check`: a first look at a model, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    from workbench.pipeline.checkup import Examination


def check(
    model: Annotated[str, typer.Argument(help="An embedded model (`bengali-hate/wordpiece`), a folder, or a name of the hub.")],
    composite: Annotated[
        list[str] | None, typer.Option("--composite", "-c", help="Rules to try, again for more; `all` for every composite.")
    ] = None,
    text: Annotated[list[str] | None, typer.Option("--text", "-t", help="A text to look at it with, again for more.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="A file with one text a line.")] = None,
    precision: Annotated[str, typer.Option(help="float32, float64 or bfloat16.")] = "float32",
    as_json: AsJson = False,
) -> None:
    """Look at a model: value, ledgers, operations, tokenizer, cost. Exit code 1 if a bar is missed, 2 if it cannot be explained."""
    from rich.console import Console

    from workbench.cli.check_page import page
    from workbench.cli.terminal import console, print_json

    with Console(stderr=True).status("looking at this model …"):
        found = look(model, composite or [], [*(text or []), *lines(text_file)], precision)
    if as_json:
        print_json(found.to_json())
    else:
        out = console()
        for part in page(found):
            out.print(part)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def look(name: str, composites: list[str], texts: list[str], precision: str) -> Examination:
    """Loads the model and examines it; unknown composites are refused before anything is loaded."""
    from workbench.models.model import load_model, quiet
    from workbench.pipeline.checkup import examine
    from workbench.pipeline.checkup.examination import COMPOSITES
    from workbench.pipeline.checkup.samples import TEXTS
    from workbench.rules.composite import COMPOSITES as ALL
    from workbench.rules.composite import composite

    chosen = list(ALL) if "all" in composites else [composite(one).name for one in composites]
    loaded = load_model(name, precision=precision)
    with quiet():
        return examine(loaded, texts or TEXTS, chosen or COMPOSITES)


def lines(path: Path | None) -> list[str]:
    """The lines of a text file that are not blank.

    Raises InputError for a file that is not UTF-8, or has none.
    """
    from workbench.errors import InputError

    if path is None:
        return []
    try:
        found = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"read {path}", f"no UTF-8 at byte {error.start}", "save the file as UTF-8") from error
    if not found:
        raise InputError(f"read {path}", "no text in it", "write one text a line")
    return found
