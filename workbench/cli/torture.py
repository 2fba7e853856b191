"""`workbench torture`: try to lose data, and compare what is left with what nobody disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workbench.store.torture.kill import Report

app = typer.Typer(no_args_is_help=True, help="Try to lose data: what a store must survive.")

Seed = Annotated[int, typer.Option(help="Seed of the moments and places.")]
Phases = Annotated[list[str] | None, typer.Option("--phase", help="Only this phase; may be given several times.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="Only these files: database, log, ledger or parts.")]


@app.callback()
def torture() -> None:
    """Try to lose data: what a store must survive."""


@app.command()
def kill(
    number: Annotated[int, typer.Option("--n", min=1, help="How many times to kill.")] = 300, seed: Seed = 0, phase: Phases = None
) -> None:
    """Kill the store's process (SIGKILL) within every phase of its work, and run it again; exit code 1 where anything is lost."""
    from workbench.cli.progress import progress
    from workbench.store.torture.kill import kill as torture_kill

    with progress() as show:
        found = torture_kill(number, seed, phases=phase or (), progress=show)
    show_kills(found)
    if not all(report.passed for report in found):
        raise typer.Exit(1)


def show_kills(reports: list[Report]) -> None:
    """A line for each phase, and what was found wrong."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.store.torture.phases import PHASES
    from workbench.viz.terminal import table

    rows = [
        {
            "phase": report.phase,
            "kills": report.kills,
            "inside": report.inside,
            "stores": report.stores,
            "lost": report.lost,
            "partial": report.partial,
            "different": report.different,
            "s": round(report.seconds),
            "killed while": PHASES[report.phase].says,
        }
        for report in reports
    ]
    out = console()
    out.print(table(pl.DataFrame(rows), title="kills by phase", last="killed while"))
    for report in reports:
        for finding in report.findings[:10]:
            out.print(visible(f"{report.phase}: {finding}", "red"))
    total, passed = sum(report.kills for report in reports), all(report.passed for report in reports)
    said = f"{total:,} kills: " + ("nothing lost, nothing half done, every end the same" if passed else "see above")
    out.print(visible(said, "bold green" if passed else "bold red"))


@app.command()
def corrupt(
    number: Annotated[int, typer.Option("--n", min=1, help="How many files to harm.")] = 1000, seed: Seed = 0, target: Targets = None
) -> None:
    """Harm databases, logs, ledgers and parts as disks do, and verify; exit code 1 where a wrong answer would be silent."""
    import polars as pl

    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible
    from workbench.store.torture.corrupt import TARGETS
    from workbench.store.torture.corrupt import corrupt as torture_corrupt
    from workbench.viz.terminal import table

    with progress() as show:
        found = torture_corrupt(number, seed, targets=target or TARGETS, progress=show)
    rows = [
        {
            "harmed": one.harmed,
            "noticed": one.noticed,
            "harmless": one.harmless,
            "crashed": one.crashed,
            "silent": len(one.silent),
            "s": round(one.seconds),
            "file": one.target,
        }
        for one in found
    ]
    out = console()
    out.print(table(pl.DataFrame(rows), title="harmed files", last="file"))
    for one in found:
        for said in one.silent[:20]:
            out.print(visible(f"silent: {one.target}, {said}", "red"))
    silent = sum(len(one.silent) for one in found)
    said = f"{sum(one.harmed for one in found):,} files harmed, {silent} wrong answers that verify would not notice"
    out.print(visible(said, "bold red" if silent else "bold green"))
    if silent:
        raise typer.Exit(1)


@app.command()
def io(
    every: Annotated[int, typer.Option("--every", min=1, help="Fail only every so many-th call of a kind.")] = 1,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only these calls: write, fsync or rename.")] = None,
) -> None:
    """Fail one write, fsync or rename after another of a small run, once and from then on; exit code 1 unless all of it is survived."""
    import polars as pl

    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible
    from workbench.store.torture.io import io as torture_io
    from workbench.store.torture.io_child import KINDS
    from workbench.viz.terminal import table

    with progress() as show:
        found = torture_io(every, kinds=kind or KINDS, progress=show)
    rows = [
        {
            "in a run": one.calls,
            "failed": one.failed,
            "refused": one.refused,
            "carried on": one.carried,
            "lost": one.lost,
            "unclean": len(one.unclean),
            "s": round(one.seconds),
            "call": one.kind,
        }
        for one in found
    ]
    out = console()
    out.print(table(pl.DataFrame(rows), title="calls that fail", last="call"))
    for one in found:
        for said in one.unclean[:20]:
            out.print(visible(said, "red"))
    passed = all(one.passed for one in found)
    failed = sum(one.failed for one in found)
    said = "each a clear error or none, nothing lost, every run went on to the same end" if passed else "see above"
    out.print(visible(f"{failed:,} failing calls: {said}", "bold green" if passed else "bold red"))
    if not passed:
        raise typer.Exit(1)


@app.command()
def writers(
    number: Annotated[int, typer.Option("--writers", min=1, help="Processes that write.")] = 8,
    readers: Annotated[int, typer.Option("--readers", min=0, help="Processes that read meanwhile.")] = 8,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Times that each writer opens the store, writes and closes it.")] = 25,
) -> None:
    """Let many processes write and read one store at once; exit code 1 where a row is missing, a look inconsistent or a holder unnamed."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import console, visible
    from workbench.store.torture.writers import together

    with progress() as show:
        found = together(number, readers, jobs, show)
    out = console()
    out.print(visible(f"{found.stored:,} of {found.wanted:,} jobs stored by {number} writers; longest wait {found.longest_wait:.1f} s"))
    out.print(visible(f"{found.looks:,} looks by {readers} readers, {found.snapshots:,} at snapshots; {found.inconsistent} inconsistent"))
    out.print(visible(f"{found.refusals:,} refusals, {found.unnamed} of them without the holder's name; {found.stuck} processes stuck"))
    for said in found.findings[:20]:
        out.print(visible(said, "red"))
    said = "all rows there, the same as from one writer" if found.passed else "see above"
    out.print(visible(f"{found.seconds:.0f} s: {said}", "bold green" if found.passed else "bold red"))
    if not found.passed:
        raise typer.Exit(1)
