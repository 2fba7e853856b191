"""Printing for people: tables of at most 100 columns, and texts that cannot steer the terminal they are shown in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.fingerprint import Json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 100
#: Control characters steer a terminal (clear it, retitle it, worse); a text from a corpus is shown with their pictures instead (U+2400 …).
PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD) | {0x0A: 0x0A}


def console() -> Console:
    """A console on standard output, at most 100 columns wide."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.is_terminal and found.width <= WIDTH else Console(highlight=False, width=WIDTH)


def visible(value: object, style: str = "") -> Text:
    """A value as text to show: no markup, no control characters but line ends; lone surrogates as escapes."""
    from rich.text import Text

    text = str(value).translate(PICTURES).encode("utf-8", "backslashreplace").decode("utf-8")
    return Text(text, style=style)


def duration(seconds: float) -> str:
    """A span of time as a person says it: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min, 4 d 6 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, name, smaller, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // smaller)
            return f"{int(seconds // size)} {name}" + (f" {rest} {part}" if rest else "")
    return f"{seconds:.0f} s"


def print_json(value: Json) -> None:
    """A JSON value on standard output, for other programs: nothing wrapped, nothing coloured."""
    import typer

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
