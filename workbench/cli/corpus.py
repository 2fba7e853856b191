"""`workbench corpus`: corpora at hand, what is in them, and one of your own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson
from workbench.fingerprint import Json

app = typer.Typer(no_args_is_help=True, help="Corpora: those at hand, what is in one, its files, and one of your own.")

Name = Annotated[str, typer.Argument(help="Name of a corpus, see `workbench corpus list`.")]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List all corpora that can be found, and whether their files are here."""
    from rich.table import Table

    from workbench.cli.terminal import console, print_json, visible
    from workbench.corpora import list_corpora

    rows = list_corpora()
    if as_json:
        return print_json(rows)
    table = Table("corpus", "title", "language", "licence", "here", box=None, pad_edge=False)
    for row in rows:
        state = visible("broken", "red") if row["problem"] else visible("yes", "green") if row["here"] else visible("no", "yellow")
        table.add_row(*(visible(row[key]) for key in ("name", "title", "language", "licence")), state)
    out = console()
    out.print(table)
    for row in rows:
        if row["problem"]:
            out.print(visible(f"\n{row['name']}: {row['problem']}", "red"))
    return None


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what is declared of a corpus and its first documents."""
    from workbench.cli.terminal import print_json
    from workbench.corpora import show as describe

    found = describe(name)
    if as_json:
        return print_json(found)
    return _print_description(found)


@app.command()
def fetch(name: Name, as_json: AsJson = False) -> None:
    """Bring a corpus to this machine, verify its files, read all of it once and count what was met."""
    from workbench.cli.terminal import console, print_json, visible
    from workbench.corpora import fetch as bring

    found = bring(name)
    if as_json:
        return print_json(found)
    out = console()
    for path in _list(found["files"]):
        out.print(visible(path, "dim"), soft_wrap=True)
    for line in _list(found["report"]):
        out.print(visible(line))
    for title in ("splits", "labels"):
        counts = found[title]
        if isinstance(counts, Mapping):
            out.print(visible(f"{title}: " + ", ".join(f"{key} {count}" for key, count in counts.items())))
    return None


@app.command()
def add(
    path: Annotated[Path, typer.Argument(help="File or dataset folder; it is read where it lies.")],
    name: Annotated[str, typer.Argument(help="Name for the corpus: small letters, digits, hyphens.")],
    reader: Annotated[str | None, typer.Option(help="How to read it, where the file's ending does not tell.")] = None,
    text: Annotated[str | None, typer.Option(help="Column with the text, where its name does not tell.")] = None,
    label: Annotated[str | None, typer.Option(help="Column with the class.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a file of your own as a corpus."""
    from workbench.cli.terminal import console, print_json, visible
    from workbench.corpora import add as register

    found = register(path, name, reader, text, label)
    if as_json:
        return print_json(found)
    _print_description(found)
    out = console()
    out.print(visible(f"\nwritten: {found['declaration']}", "bold"))
    out.print(visible(f"next: complete language and licence there, then `workbench corpus fetch {name}`"))
    return None


def _print_description(found: Mapping[str, Json]) -> None:
    from rich.table import Table

    from workbench.cli.terminal import console, visible

    table = Table.grid(padding=(0, 2))
    source = found["source"]
    rows = {
        "corpus": found["name"],
        "title": found["title"],
        "language": found["language"],
        "licence": found["licence"],
        "source": source.get("text") if isinstance(source, Mapping) else source,
        "classes": ", ".join(map(str, _list(found["classes"]))),
        "splits": ", ".join(map(str, _list(found["selections"]))),
        "note": "\n".join(map(str, _list(found["notes"]))),
        "problem": found["problem"],
    }
    for key, value in rows.items():
        if value:
            table.add_row(visible(key, "bold"), visible(value, "red" if key == "problem" else ""))
    out = console()
    out.print(table)
    for document in _list(found["documents"]):
        if isinstance(document, Mapping):
            known = ", ".join(str(document[key]) for key in ("identifier", "label", "split") if document[key])
            texts = "\n".join(str(value) for key, value in document.items() if key not in ("identifier", "label", "split"))
            out.print(visible(f"\n{known}", "bold"))
            out.print(visible(texts))


def _list(value: Json) -> list[Json]:
    """A JSON list as such; anything else as a list of one, nothing as none."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]
