"""`workbench schedule`: run pipelines again and again, one completed run for each slot."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DEFAULT_STORE, AsJson, LogOption, PipelineName, ProgressFile, StorePath
from workbench.cli.progress import Log, logged

if TYPE_CHECKING:
    from workbench.pipeline.declaration import Pipeline
    from workbench.pipeline.schedule.service import Entry
    from workbench.pipeline.schedule.status import Status

app = typer.Typer(help="Run pipelines again and again, exactly one completed run for each slot of time.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Pipelines that declare a \\[schedule]; by default all that do.")]
#: Settings that a timer's process needs as much as the shell that installed it.
CARRIED = ("WORKBENCH_", "HF_", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONPATH")
#: Settings of these names are secrets: they are never written down; give them to the timer's process yourself.
SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD")


class Timer(StrEnum):
    """Who wakes a schedule."""

    systemd = "systemd"
    cron = "cron"


@app.command()
def run(pipelines: Names = None, store: StorePath = DEFAULT_STORE, log: LogOption = Log.text) -> None:
    """Keep running: each pipeline at its slots, until this process is ended."""
    from workbench.pipeline.schedule.service import Service

    Service(entries(pipelines, store), teller(log)).run()


@app.command()
def once(pipeline: PipelineName, store: StorePath = DEFAULT_STORE, log: LogOption = Log.text, progress_file: ProgressFile = None) -> None:
    """Run one pipeline if it is due, and end: for timers, cron and orchestrators. Exit code 75: failed, and will be tried again."""
    from workbench.pipeline.schedule.once import Task, look

    declared = scheduled(pipeline)
    choice = declared.schedule
    assert choice is not None

    def work() -> Mapping[str, Any]:
        from dataclasses import asdict

        from workbench.cli.progress import progress
        from workbench.pipeline.executors import local
        from workbench.pipeline.run import Summary
        from workbench.pipeline.run import run as execute

        summary = Summary()
        with progress(summary, progress_file, log) as show:
            return asdict(execute(declared, store, executor=local(choice.workers), progress=show, summary=summary))

    found = look(Task(declared.name, choice, store, work), log=teller(log))
    if not found.ended:
        reason = "another process runs it" if found.elsewhere else "nothing is due"
        said = {"pipeline": declared.name, "reason": reason, "next": found.next.isoformat(timespec="seconds")}
        teller(log)("nothing to run", said)
    if found.failed:
        raise typer.Exit(75 if found.ended[-1]["state"] == "failed" else 1)


@app.command()
def status(pipelines: Names = None, store: StorePath = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show what ran last and how, what is running, and what comes next."""
    from workbench.cli.terminal import print_json
    from workbench.pipeline.schedule.status import status as standing

    now = datetime.now(UTC)
    found = [standing(entry.pipeline, entry.choice, entry.store, now) for entry in entries(pipelines, store)]
    print_json([one.as_data() for one in found]) if as_json else show_status(found)


@app.command()
def install(
    pipelines: Names = None,
    store: StorePath = DEFAULT_STORE,
    timer: Annotated[Timer, typer.Option("--timer", help="Who wakes it.")] = Timer.systemd,
    folder: Annotated[Path | None, typer.Option(help="Where units are written; by default those of your user.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")] = False,
) -> None:
    """Have systemd timers or cron run pipelines when they are due: writes units, or a line of your crontab."""
    chosen = entries(pipelines, store)
    if timer is Timer.cron:
        install_lines(chosen, dry_run)
    else:
        install_units(chosen, folder or Path.home() / ".config" / "systemd" / "user", dry_run)


def scheduled(name: str) -> Pipeline:
    """A pipeline that declares when it runs; PipelineError otherwise."""
    from workbench.errors import PipelineError
    from workbench.pipeline.declaration import find

    declared = find(name)
    if declared.schedule is None:
        remedy = 'declare it: [schedule] and every = "1 day" (or a cron expression) in its TOML file'
        raise PipelineError(f"run {name} on schedule", "a pipeline without a [schedule]", remedy)
    return declared


def entries(given: Sequence[str] | None, store: Path) -> list[Entry]:
    """The pipelines named, or all that declare a schedule."""
    from workbench.errors import PipelineError
    from workbench.pipeline.declaration import find, names
    from workbench.pipeline.schedule.service import Entry

    chosen = given or [name for name in names() if find(name).schedule is not None]
    if not chosen:
        remedy = 'add [schedule] and every = "1 day" to a pipeline in ./pipelines or WORKBENCH_PIPELINES, or name its TOML file'
        raise PipelineError("run pipelines on schedule", f"no schedule among {', '.join(names())}", remedy)
    found = []
    for name in chosen:
        declared = scheduled(name)
        assert declared.schedule is not None
        path = str(Path(name).resolve()) if name.endswith(".toml") else name
        found.append(Entry(declared.name, path, declared.schedule, store.resolve()))
    return found


def teller(log: Log) -> Any:
    """A function that is told an event and its fields, and says them on standard error."""
    if log is Log.json:
        return lambda event, fields: logged(event, dict(fields))

    def tell(event: str, fields: Mapping[str, Any]) -> None:
        shown = ("pipeline", "slot", "slots", "next", "reason", "error", "seconds", "store", "signal", "exit_code")
        said = ", ".join(f"{name} {fields[name]}" for name in shown if fields.get(name) not in (None, ""))
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {event}: {said}", file=sys.stderr, flush=True)  # noqa: T201, DTZ005 - local, for people

    return tell


def show_status(found: Sequence[Status]) -> None:
    """A table of all schedules."""
    from rich.table import Table

    from workbench.cli.terminal import console, duration, visible

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("pipeline", "every", "state", "last slot", "ended", "took", "new", "failed", "next"):
        table.add_column(name, justify="right" if name in ("took", "new", "failed") else "left", overflow="fold")
    for one in found:
        table.add_row(
            visible(one.pipeline), visible(one.every), one.state, local_time(one.last_slot), one.last_state or "",
            "" if one.seconds is None else duration(one.seconds), "" if one.explained is None else f"{one.explained:,}",
            "" if one.failed is None else f"{one.failed:,}", local_time(one.next),
        )  # fmt: skip
    out = console()
    out.print(table)
    for one in found:
        if one.error:
            out.print(visible(f"{one.pipeline}: {one.error}", "yellow"))
        if one.damaged_lines:
            out.print(visible(f"{one.damaged_lines} lines of the journal beside {one.store} are damaged and left out", "yellow"))


def local_time(text: str | None) -> str:
    """A moment by the clock of this machine."""
    return "" if text is None else f"{datetime.fromisoformat(text).astimezone():%m-%d %H:%M}"


def command_of(entry: Entry) -> list[str]:
    """What a timer calls."""
    return [sys.executable, "-m", "workbench", "schedule", "once", entry.given, "--store", str(entry.store), "--log", "json"]


def carried() -> dict[str, str]:
    """Settings that go along."""
    return {name: value for name, value in os.environ.items() if name.startswith(CARRIED) and not any(word in name for word in SECRET)}


def install_units(chosen: Sequence[Entry], folder: Path, dry_run: bool) -> None:
    """Writes a service and a timer for each pipeline, and says how to switch them on."""
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.schedule import units

    out = console()
    written = []
    for entry in chosen:
        name = units.unit_name(entry.pipeline)
        files = {
            f"{name}.service": units.service(entry.pipeline, command_of(entry), Path.cwd(), carried()),
            f"{name}.timer": units.timer(entry.pipeline, entry.choice),
        }
        for file, text in files.items():
            if dry_run:
                typer.echo(f"# {folder / file}\n{text}")
            else:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(text, "utf-8")
                out.print(visible(f"wrote {folder / file}"))
        written.append(f"{name}.timer")
    if not dry_run:
        out.print(visible(f"switch on: systemctl --user daemon-reload && systemctl --user enable --now {' '.join(written)}"))
        out.print(visible("so that it also runs while you are not logged in: loginctl enable-linger"))


def install_lines(chosen: Sequence[Entry], dry_run: bool) -> None:
    """Puts a line for each pipeline into the user's crontab; its other lines stay."""
    import subprocess

    from workbench.cli.terminal import console, visible
    from workbench.errors import PipelineError
    from workbench.pipeline.schedule import units

    lines = {entry.pipeline: units.crontab_line(entry.pipeline, entry.choice, command_of(entry), Path.cwd(), carried()) for entry in chosen}
    if dry_run:
        for line in lines.values():
            typer.echo(line)
        return
    try:
        listed = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
        crontab = listed.stdout if listed.returncode == 0 else ""
        for pipeline, line in lines.items():
            crontab = units.with_line(crontab, pipeline, line)
        subprocess.run(["crontab", "-"], input=crontab, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        remedy = "install cron, or use --timer systemd, or keep `workbench schedule run` running"
        raise PipelineError("write a crontab", str(error), remedy) from error
    console().print(visible(f"your crontab has {len(lines)} line(s) of the workbench: crontab -l"))
