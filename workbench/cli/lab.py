"""`workbench lab`: the studies in JupyterLab."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer


def lab(
    folder: Annotated[Path, typer.Argument(help="Folder for the notebooks; what is there already stays as it is.")] = Path("studies"),
    study: Annotated[str | None, typer.Option(help="Open this study first.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the server; 0 takes a free one.")] = 8888,
    only_copy: Annotated[bool, typer.Option("--only-copy", help="Write the notebooks and open nothing.")] = False,
) -> None:
    """Open JupyterLab on the studies: first steps, hate speech, similarity, translation, positions, faithfulness."""
    from workbench.cli.terminal import console, visible
    from workbench.errors import InputError
    from workbench.notebook.studies import copied

    found = list(copied(folder))
    names = [one.name for one, _ in found]
    if study is not None and study not in names:
        raise InputError(f"open the study {study}", f"no study of that name among {', '.join(names)}", "name one of these")
    out = console()
    width = max(map(len, names))
    for one, new in found:
        out.print(visible(f"{one.name:<{width}}  {one.title}{'' if new else '  (yours, kept as it is)'}", "" if new else "dim"))
    if only_copy:
        return
    raise typer.Exit(subprocess.call(command(folder, study, browser=browser, port=port)))


def command(folder: Path, study: str | None, *, browser: bool, port: int) -> list[str]:
    """The command that starts JupyterLab of this very environment, on this machine alone."""
    path = "" if study is None else f"/lab/tree/{study}.ipynb"
    options = [f"--ServerApp.root_dir={folder.resolve()}", "--ServerApp.ip=localhost", f"--ServerApp.port={port}"]
    options += [f"--LabApp.default_url={path}"] if path else []
    return [sys.executable, "-m", "jupyterlab", *options, *([] if browser else ["--no-browser"])]
