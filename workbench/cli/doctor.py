"""`workbench doctor`: is this machine fit for work, and if not, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.cli.checks import Finding

STYLES = {"ok": "green", "note": "yellow", "broken": "bold red"}


def doctor(
    store: Annotated[Path | None, typer.Option(help="A store: who holds its lock, and is there room where it lies?")] = None,
    tokens: Annotated[int, typer.Option(min=0, help="How many tokens you want to explain, for the estimate of disk space.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for a bug report.")] = False,
) -> None:
    """Look at this machine: Python, torch, DuckDB, spaCy, locks, disk. Exit code 1 if something is broken."""
    from rich.console import Console

    from workbench.cli.checks import examine

    with Console(stderr=True).status("looking at this machine …"):
        findings = examine(store, tokens)
    broken = [finding for finding in findings if finding.state == "broken"]
    if as_json:
        _print_json(findings, fit=not broken)
    else:
        _print_table(findings)
    if broken:
        raise typer.Exit(1)


def _print_json(findings: Sequence[Finding], *, fit: bool) -> None:
    import platform
    from dataclasses import asdict

    import workbench
    from workbench.cli.terminal import print_json

    checks = [asdict(finding) for finding in findings]
    print_json({"workbench": workbench.__version__, "platform": platform.platform(), "fit": fit, "findings": checks})


def _print_table(findings: Sequence[Finding]) -> None:
    from rich.table import Table

    from workbench.cli.terminal import console, visible

    table = Table("check", "state", "found", box=None, pad_edge=False)
    for finding in findings:
        remedy = f"\n→ {finding.remedy}" if finding.remedy else ""
        table.add_row(visible(finding.check), visible(finding.state, STYLES[finding.state]), visible(finding.found + remedy))
    out = console()
    out.print(table)
    broken = sum(finding.state == "broken" for finding in findings)
    if broken:
        out.print(visible(f"\n{broken} broken: mend what the arrows say", "bold red"))
    else:
        out.print(visible("\nfit for work", "bold green"))
