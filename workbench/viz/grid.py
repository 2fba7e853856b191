"""A table of numbers between two rows of units, each cell on the colour of its relevance, with sums at its margins.

Units are words as written; what is no word stands apart, and groups of words are parted by a line. Used for pairs and for translations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from markupsafe import Markup

from workbench.viz.escape import attribute, escape
from workbench.viz.figures import MINUS, figure
from workbench.viz.measure import right_to_left, width
from workbench.viz.palette import NEGATIVE, POSITIVE, STRONGEST, colour, states

#: Kinds of units that are words; all others stand apart.
WORDY = frozenset({"word", "source", "prefix"})
#: Columns of words up to which numbers stand in the cells, and words of the longer text up to which cells have room.
NUMBERS, ROOM = 12, 30
#: Share of the scale from which on a cell without a number bears a minus sign.
MARKED = 0.08
#: Ems of all columns up to which words stand upright above them.
UPRIGHT = 46.0

#: A unit of a text: its kind and, for a word, its number.
Key: TypeAlias = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Unit:
    """A row or column: a word as it is written, or one of the sums beside the words; `detail` is lemma, part of speech and relation."""

    kind: str
    word: int | None
    form: str
    detail: str = ""

    @property
    def key(self) -> Key:
        """What cells know it by."""
        return self.kind, self.word


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows and columns in the order shown, the cells that there are, and sums; `total` is the sum of all.

    Without sums of rows (None), where columns are not to be added up, neither they nor the total are shown.
    """

    rows: Sequence[Unit]
    columns: Sequence[Unit]
    cells: Mapping[tuple[Key, Key], float | None]
    row_sums: Mapping[Key, float] | None
    column_sums: Mapping[Key, float]
    total: float = 0.0
    row_language: str | None = None
    column_languages: Mapping[str, str | None] | None = None


def table(grid: Grid, scale: float) -> Markup:
    """The table without legend and style; `scale` is the relevance of full colour."""
    words = [sum(unit.kind in WORDY for unit in side) for side in (grid.rows, grid.columns)]
    size = "numbers" if words[1] <= NUMBERS and words[0] <= ROOM else "room" if max(words) <= ROOM else "dense"
    upright = sum(max(2.6, width(unit.form)) + 0.6 for unit in grid.columns if unit.kind in WORDY) <= UPRIGHT
    decimals = max(0, 1 - math.floor(math.log10(scale)))
    borders = _borders(grid.columns)
    tongues = grid.column_languages or {}
    added = grid.row_sums

    def line(row: Unit, border: str) -> Markup:
        cells = (_cell(row, unit, grid.cells, scale, decimals if size == "numbers" else None, borders[place]) for place, unit in columns)
        above = {"line": "under", "gap": "first", "": ""}[border]
        head = _head(row, "row", None if added is None else added.get(row.key), grid.row_language, turned=False, border="")
        end = "" if added is None else _sum(added.get(row.key), decimals)
        return Markup('<tr class="{}">{}{}{}</tr>').format(above, head, Markup("").join(cells), end)

    columns = list(enumerate(grid.columns))
    heads = Markup("").join(
        _head(unit, "col", grid.column_sums.get(unit.key), tongues.get(unit.kind), turned=unit.kind not in WORDY, border=borders[place])
        for place, unit in columns
    )
    body = Markup("").join(line(row, border) for row, border in zip(grid.rows, _borders(grid.rows), strict=True))
    foot = Markup("").join(
        _sum(grid.column_sums.get(unit.key), decimals, turned=size != "numbers", border=borders[place]) for place, unit in columns
    )
    named = Markup("") if added is None else Markup('<th scope="col" class="sum">sum</th>')
    total = Markup("") if added is None else Markup('<td class="sum total">{}</td>').format(figure(grid.total))
    return Markup(
        '<div class="map {} {}"><div class="frame"><table><thead><tr><td></td>{}{}</tr></thead><tbody>{}</tbody>'
        '<tfoot><tr><th scope="row" class="sum">sum</th>{}{}</tr></tfoot></table></div></div>'
    ).format(size, "upright" if upright else "turned", heads, named, body, foot, total)


def scale_legend(scale: float, unit: str, *, raises: str, lowers: str) -> Markup:
    """The scale in units, and what boxed and hatched cells mean."""
    ends = [f"rgba({r},{g},{b},{STRONGEST})" for r, g, b in (NEGATIVE, POSITIVE)]
    bar = Markup('<span class="bar" style="background:linear-gradient(90deg,{},transparent,{})"></span>').format(*ends)
    return Markup(
        '<p class="legend"><span class="scale"><span class="number">{}</span>{}<span class="number">{}</span></span>'
        '<span>relevance in units of {}: <span class="w against">{}</span> and <span class="w for">{}</span></span>'
        '<span class="w clipped">beyond the scale</span><span class="w invalid">not a number</span></p>'
    ).format(figure(-scale), bar, figure(scale, signed=True), escape(unit), lowers, raises)


def in_reading_order(found: Sequence[Unit], text: str) -> list[Unit]:
    """Columns as the eye meets them: the words of a text that is read from the right stand from the right."""
    words = [unit for unit in found if unit.kind in WORDY]
    return (words[::-1] if right_to_left(text) else words) + [unit for unit in found if unit.kind not in WORDY]


def _borders(found: Sequence[Unit]) -> list[str]:
    """Before each unit: a line between two groups of words, a gap before what is no word."""
    between = [
        "" if one.kind == other.kind or one.kind not in WORDY else "line" if other.kind in WORDY else "gap"
        for one, other in pairwise(found)
    ]
    return ["", *between][: len(found)]


def _cell(
    row: Unit, column: Unit, cells: Mapping[tuple[Key, Key], float | None], scale: float, decimals: int | None, border: str
) -> Markup:
    key = (row.key, column.key)
    apart = " apart" * (row.kind not in WORDY or column.kind not in WORDY) + (f" {border}" if border else "")
    if key not in cells:
        return Markup('<td class="x absent{}"></td>').format(apart)
    number = cells[key]
    shown = "" if decimals is None else fixed(number, decimals)
    kinds = " ".join([*states(number, scale), *_marks(number, scale, shown)])
    shade = Markup(' style="background-color:{}"').format(background) if (background := colour(number, scale)) else Markup("")
    tip = f"{row.form} × {column.form}   {figure(number, signed=True)}"
    return Markup('<td class="x {}{}"{} title="{}">{}</td>').format(kinds, apart, shade, attribute(tip), shown)


def _head(unit: Unit, scope: str, total: float | None, language: str | None, *, turned: bool, border: str) -> Markup:
    kind = "word" if unit.kind in WORDY else "apart"
    tip = "   ".join(part for part in (unit.form, unit.detail, "" if total is None else f"sum {figure(total, signed=True)}") if part)
    tongue = Markup(' lang="{}"').format(attribute(language)) if language and unit.kind in WORDY else Markup("")
    classes = " ".join(filter(None, (kind, "turn" * turned, border)))
    return Markup('<th scope="{}" class="{}" title="{}"><span{}><bdi>{}</bdi></span></th>').format(
        scope, classes, attribute(tip), tongue, escape(unit.form)
    )


def _sum(value: float | None, decimals: int, *, turned: bool = False, border: str = "") -> Markup:
    classes = " ".join(filter(None, ("sum", "turn" * turned, border)))
    return Markup('<td class="{}"><span>{}</span></td>').format(classes, fixed(value, decimals, signed=True))


def _marks(value: float | None, scale: float, shown: str) -> list[str]:
    """Classes that quiet a rounded zero, and mark a negative cell without a number where it is strong enough to be seen."""
    if shown == "0":
        return ["zero"]
    return ["minus"] if not shown and value is not None and value < -MARKED * scale else []


def fixed(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A number in a cell: as many decimals as two digits of the scale need, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return figure(value)
    text = f"{abs(value):.{decimals}f}"
    return "0" if float(text) == 0 else (MINUS if value < 0 else "+" * signed) + text
