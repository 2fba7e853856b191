"""A mistake in a pattern, pointed at: the line, a caret under the place, what was expected."""

from __future__ import annotations

from rich.cells import cell_len

from workbench.errors import InputError

#: Columns of the pattern that are shown around a mistake.
SHOWN = 72


def mistake(text: str, place: int, found: str, remedy: str) -> InputError:
    """The error for what stands at `place` (counted from 0) of a pattern: its column counted from 1, its line, a caret."""
    place = min(place, len(text))
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    line = text[start : len(text) if end < 0 else end].replace("\t", " ")
    column = place - start
    number = text.count("\n", 0, start) + 1
    where = f"column {column + 1}" + (f" of line {number}" if "\n" in text.strip("\n") else "")
    cut = max(0, column - SHOWN // 2)
    shown = line[cut : cut + SHOWN]
    before, after = "… " if cut else "", " …" if cut + SHOWN < len(line) else ""
    caret = " " * (len(before) + cell_len(line[cut:column])) + "^"
    return InputError("read the pattern", f"{where}: {found}\n{before}{shown}{after}\n{caret}", remedy)
