"""Timer units of systemd and lines of a crontab for a schedule.

Both may wake too often: what is due is asked of the journal. Where systemd or cron cannot say a schedule (every 90 minutes, a time zone of
its own in a crontab), they wake every five minutes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.slots import slots_of

OFTEN, OFTEN_CRON = "*:0/5", "*/5 * * * *"
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NUMBERS = re.compile(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?(?:,(?:\d+(?:-\d+)?)(?:/(?:\d+))?)*")


def unit_name(pipeline: str) -> str:
    """The name of the units of a pipeline, safe as a file name."""
    return "workbench-" + re.sub(r"[^A-Za-z0-9_.-]", "-", pipeline)


def service(pipeline: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """The unit that looks at a schedule once."""
    settings = "\n".join(f'Environment="{percent(escaped(name + "=" + value))}"' for name, value in sorted(environment.items()))
    return f"""[Unit]
Description=workbench: {pipeline} (what is due)

[Service]
Type=oneshot
WorkingDirectory={percent(str(folder))}
{settings + chr(10) if settings else ""}ExecStart={percent(" ".join(f'"{escaped(part).replace("$", "$$")}"' for part in command))}
SuccessExitStatus=75
"""


def timer(pipeline: str, choice: ScheduleChoice) -> str:
    """The unit that wakes it; a machine that was off catches up."""
    lines = "\n".join(f"OnCalendar={moment}" for moment in on_calendar(choice))
    return f"""[Unit]
Description=workbench: {pipeline}, every {choice.every}

[Timer]
{lines}
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def on_calendar(choice: ScheduleChoice) -> list[str]:
    """Calendar events of systemd for a schedule: two where cron means either a day of the month or a day of the week."""
    source = source_of(choice)
    zone = f" {choice.timezone}" if choice.timezone else ""
    fields = source.split() if source else []
    if len(fields) != 5 or not all(map(NUMBERS.fullmatch, fields)):
        return [OFTEN + zone]
    minute, hour, day, month, weekday = fields
    clock = f"{part(hour, 2)}:{part(minute, 2)}:00{zone}"
    days = "" if weekday == "*" else ",".join(weekdays(weekday)) + " "
    if day != "*" and weekday != "*" and not day.startswith("*") and not weekday.startswith("*"):
        return [f"*-{part(month, 2)}-{part(day, 2)} {clock}", f"{days}*-{part(month, 2)}-* {clock}"]
    return [f"{days}*-{part(month, 2)}-{part(day, 2)} {clock}"]


def source_of(choice: ScheduleChoice) -> str | None:
    """A schedule as cron says it; None where it cannot."""
    if minutes := re.fullmatch(r"(?:(\d+) )?minutes?", choice.every.strip()):
        step = int(minutes[1] or 1)
        return ("* * * * *" if step == 1 else f"*/{step} * * * *") if 60 % step == 0 else None
    return slots_of(choice.every, choice.at, choice.timezone).source


def part(field: str, width: int) -> str:
    """One field of cron as systemd writes it."""
    found = []
    for term in field.split(","):
        span, _, step = term.partition("/")
        low, _, high = span.partition("-")
        if low == "*":
            found.append(f"{'00' if width == 2 else '0'}/{step}" if step else "*")
        else:
            found.append(low.zfill(width) + (f"..{high.zfill(width)}" if high else "") + (f"/{step}" if step else ""))
    return ",".join(found)


def weekdays(field: str) -> list[str]:
    """Days of the week of a cron field by name, in the order of the week."""
    chosen: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        low, _, high = span.partition("-")
        first, last = (0, 6) if low == "*" else (int(low), int(high or low))
        chosen |= {number % 7 for number in range(first, last + 1, int(step or 1))}
    return [DAYS[number] for number in (1, 2, 3, 4, 5, 6, 0) if number in chosen]


def crontab_line(pipeline: str, choice: ScheduleChoice, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """One line of a crontab, marked so that it is found again."""
    source = source_of(choice)
    when = source if source and choice.timezone is None and not set(source) & set("L#W") else OFTEN_CRON
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in sorted(environment.items()))
    line = f"cd {shlex.quote(str(folder))} && {settings}{shlex.join(command)}"
    return f"{when} {line.replace('%', chr(92) + '%')} # {unit_name(pipeline)}"


def with_line(crontab: str, pipeline: str, line: str) -> str:
    """A crontab in which the pipeline's line is this one; all others stay."""
    mark = f"# {unit_name(pipeline)}"
    others = [old for old in crontab.splitlines() if not old.endswith(mark)]
    return "\n".join([*others, line]) + "\n"


def escaped(value: str) -> str:
    """A value between double quotes in a unit."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def percent(value: str) -> str:
    """Percent signs are specifiers in a unit."""
    return value.replace("%", "%%")
