"""One pair as a table of interactions: words of the first text down, of the second across, each cell on the colour of its relevance.

What is no word (special tokens, positions, biases) stands apart below and to the right, and the margins are sums, so that the corner is the
similarity. Input: `pair.Pair`, whose module documents the frames. `map_chart` draws the same with Altair for notebooks.
"""

from __future__ import annotations

import json
import math
from typing import Literal

import altair as alt
import polars as pl
from markupsafe import Markup

from workbench.viz.charts import dressed
from workbench.viz.escape import attribute, escape, plain
from workbench.viz.figures import MINUS, figure
from workbench.viz.measure import right_to_left, width
from workbench.viz.pair import CLOSED, KIND_NAMES, Pair, Unit, accounts, between_words, gap, sums, units, values, word_scale
from workbench.viz.palette import NEGATIVE, POSITIVE, STRONGEST, colour, on_white, states
from workbench.viz.styles import style

#: Words of the longer text up to which numbers stand in the cells, and up to which cells have room.
NUMBERS, ROOM = 12, 30
#: Share of the scale from which on a cell without a number bears a minus sign.
MARKED = 0.08
#: Ems of the second text up to which its words stand upright above their columns.
UPRIGHT = 46.0


def interaction_map(pair: Pair, *, scale: float | None = None, title: str = "") -> str:
    """HTML of one pair with its legend and its own style, for a notebook; no script.

    `scale` is the relevance of full colour, shared where pairs are compared (`pair.word_scale` of all of them); None takes the largest
    |relevance| between two words of this pair.
    """
    end = scale or word_scale([pair])
    head = Markup('<p class="heading"><bdi>{}</bdi></p>').format(escape(title)) if title else Markup("")
    sheets = style("heatmap", "interaction")
    return str(Markup('<div class="workbench">{}{}{}{}</div>').format(sheets, head, map_legend(end, pair.unit), map_table(pair, end)))


def map_table(pair: Pair, scale: float) -> Markup:
    """The table and the line of its sums without legend and style, for a page that has both once."""
    rows, columns = units(pair, "left"), in_reading_order(units(pair, "right"), pair.right_text)
    cells, left_sums, right_sums = values(pair), sums(pair, "left"), sums(pair, "right")
    words = [sum(unit.kind == "word" for unit in side) for side in (rows, columns)]
    size = "numbers" if max(words) <= NUMBERS else "room" if max(words) <= ROOM else "dense"
    upright = sum(max(2.6, width(unit.form)) + 0.6 for unit in columns if unit.kind == "word") <= UPRIGHT
    decimals = max(0, 1 - math.floor(math.log10(scale)))
    total = math.fsum(accounts(pair).values())

    def cell(row: Unit, column: Unit) -> Markup:
        key = (row.key, column.key)
        number = cells.get(key)
        shown = _fixed(number, decimals) if size == "numbers" and key in cells else ""
        apart = " apart" * (row.kind != "word" or column.kind != "word")
        if key not in cells:
            return Markup('<td class="x{}"></td>').format(apart)
        tip = f"{row.form} × {column.form}   {figure(number, signed=True)}"
        kinds = " ".join([*states(number, scale), *_marks(number, scale, shown)])
        shade = Markup(' style="background-color:{}"').format(background) if (background := colour(number, scale)) else Markup("")
        return Markup('<td class="x {}{}"{} title="{}">{}</td>').format(kinds, apart, shade, attribute(tip), shown)

    def line(row: Unit) -> Markup:
        head = _head(row, "row", left_sums.get(row.key), pair.left_language, upright=True)
        body = Markup("").join(cell(row, column) for column in columns)
        first = ' class="first"' if row.kind != "word" and row == next(unit for unit in rows if unit.kind != "word") else ""
        return Markup("<tr{}>{}{}{}</tr>").format(Markup(first), head, body, _sum(left_sums.get(row.key), decimals))

    heads = Markup("").join(_head(column, "col", right_sums.get(column.key), pair.right_language, upright=upright) for column in columns)
    foot = Markup("").join(_sum(right_sums.get(column.key), decimals, turned=size != "numbers") for column in columns)
    return Markup(
        '<div class="map {} {}"><div class="frame"><table><thead><tr><td></td>{}<th scope="col" class="sum">sum</th></tr></thead>'
        '<tbody>{}</tbody><tfoot><tr><th scope="row" class="sum">sum</th>{}<td class="sum total">{}</td></tr></tfoot></table></div>{}</div>'
    ).format(
        size, "upright" if upright else "turned", heads, Markup("").join(line(row) for row in rows), foot, figure(total), account_line(pair)
    )


def account_line(pair: Pair) -> Markup:
    """Words +0.94 · positions −0.02 · biases −0.27 = 0.650 cosine; with what is left, where the cells do not sum to the similarity."""
    parts = accounts(pair)
    listed = Markup(" · ").join(
        Markup('<span>{} <b class="number">{}</b></span>').format(KIND_NAMES[kind], figure(value, signed=True))
        for kind, value in parts.items()
    )
    total = Markup('<span>= <b class="number">{}</b> {}</span>').format(figure(math.fsum(parts.values())), escape(pair.unit))
    best = between_words(pair).head(1).select("left_form", "right_form", "relevance").rows()
    largest = Markup("").join(
        Markup(' <span>largest between two words <b class="number">{}</b> (<bdi>{}</bdi> × <bdi>{}</bdi>)</span>').format(
            figure(value, signed=True), escape(one), escape(other)
        )
        for one, other, value in best
    )
    left = gap(pair)
    open_ = Markup('<span class="open">the similarity is {}: {} of it is in no cell</span>').format(figure(pair.similarity), figure(left))
    return Markup('<p class="sums">{} {}{} {}</p>').format(
        listed, total, largest and Markup(";") + largest, "" if abs(left) <= CLOSED else open_
    )


def map_legend(scale: float, unit: str = "cosine", *, raises: str = "raises", lowers: str = "lowers", what: str = "similarity") -> Markup:
    """The scale in units, and what boxed and hatched cells mean."""
    ends = [f"rgba({r},{g},{b},{STRONGEST})" for r, g, b in (NEGATIVE, POSITIVE)]
    bar = Markup('<span class="bar" style="background:linear-gradient(90deg,{},transparent,{})"></span>').format(*ends)
    return Markup(
        '<p class="legend"><span class="scale"><span class="number">{}</span>{}<span class="number">{}</span></span>'
        '<span>relevance in units of {}: <span class="w against">{}</span> and <span class="w for">{}</span> the {}</span>'
        '<span class="w clipped">beyond the scale</span><span class="w invalid">not a number</span></p>'
    ).format(figure(-scale), bar, figure(scale, signed=True), escape(unit), lowers, raises, what)


def map_chart(pair: Pair, *, scale: float | None = None) -> alt.LayerChart:
    """The words of a pair as an Altair heatmap, for notebooks; the rest of the similarity is said in the title."""
    end = scale or word_scale([pair])
    sides = [[unit for unit in units(pair, side) if unit.kind == "word"] for side in ("left", "right")]
    cells = values(pair)
    rows = [
        {
            "row": row, "column": column, "left": plain(left.form), "right": plain(right.form), "relevance": cells[left.key, right.key],
            "about": plain(f"{left.detail or '–'} × {right.detail or '–'}"),
        }
        for row, left in enumerate(sides[0]) for column, right in enumerate(sides[1]) if (left.key, right.key) in cells
    ]  # fmt: skip
    schema = {"row": pl.Int32, "column": pl.Int32, "left": pl.String, "right": pl.String, "relevance": pl.Float64, "about": pl.String}
    labels = [f"{json.dumps([plain(unit.form) for unit in side])}[datum.value]" for side in sides]
    ends = ["#{:02x}{:02x}{:02x}".format(*on_white(value, end)) for value in (-end, end)]
    order: Literal["ascending", "descending"] = "descending" if right_to_left(pair.right_text) else "ascending"
    turned = alt.Axis(labelExpr=labels[1], labelLimit=110, orient="top", labelAngle=-55)
    across = alt.X("column:O", title=None, axis=turned, sort=order)
    down = alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=labels[0], labelLimit=110))
    tooltip = ["left", "right", alt.Tooltip("relevance", format="+.4f"), "about"]
    shade = alt.Color(
        "relevance:Q",
        scale=alt.Scale(domain=[-end, 0, end], range=[ends[0], "#ffffff", ends[1]], clamp=True),
        title=f"relevance ({plain(pair.unit)})",
        legend=alt.Legend(values=[-end, 0, end], format="+.3", orient="right", gradientLength=120),
    )
    parts = accounts(pair)
    words, total = parts.get("word", 0.0), math.fsum(parts.values())
    chart = alt.Chart(pl.DataFrame(rows, schema=schema)).mark_rect(stroke="#ffffff", strokeWidth=1)
    drawn = chart.encode(x=across, y=down, color=shade, tooltip=tooltip)
    title = (
        f"{figure(words, signed=True)} from words, {figure(total - words, signed=True)} from the rest = {figure(total)} {plain(pair.unit)}"
    )
    size = 24 if max(map(len, sides)) <= ROOM else 13
    dressed_ = dressed(drawn, width=max(1, size * len(sides[1])), height={"step": size})
    titled: alt.LayerChart = dressed_.properties(title=alt.Title(title, fontSize=12, fontWeight="normal", anchor="start"))
    return titled


def in_reading_order(found: list[Unit], text: str) -> list[Unit]:
    """Columns as the eye meets them: the words of a text that is read from the right stand from the right."""
    words = [unit for unit in found if unit.kind == "word"]
    return (words[::-1] if right_to_left(text) else words) + [unit for unit in found if unit.kind != "word"]


def _head(unit: Unit, scope: str, total: float | None, language: str | None, *, upright: bool) -> Markup:
    kind = "apart" if unit.kind != "word" else "word"
    tip = "   ".join(part for part in (unit.form, unit.detail, f"sum {figure(total, signed=True)}") if part)
    tongue = Markup(' lang="{}"').format(attribute(language)) if language and unit.kind == "word" else Markup("")
    turned = "" if (upright and unit.kind == "word") or scope == "row" else " turn"
    return Markup('<th scope="{}" class="{}{}" title="{}"><span{}><bdi>{}</bdi></span></th>').format(
        scope, kind, turned, attribute(tip), tongue, escape(unit.form)
    )


def _sum(value: float | None, decimals: int, *, turned: bool = False) -> Markup:
    return Markup('<td class="sum{}"><span>{}</span></td>').format(" turn" if turned else "", _fixed(value, decimals, signed=True))


def _marks(value: float | None, scale: float, shown: str) -> list[str]:
    """Classes that quiet a rounded zero, and mark a negative cell without a number where it is strong enough to be seen."""
    if shown == "0":
        return ["zero"]
    return ["minus"] if not shown and value is not None and value < -MARKED * scale else []


def _fixed(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A number in a cell: as many decimals as two digits of the scale need, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return figure(value)
    text = f"{abs(value):.{decimals}f}"
    return "0" if float(text) == 0 else (MINUS if value < 0 else "+" * signed) + text
