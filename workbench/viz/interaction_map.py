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
from workbench.viz.escape import charted, escape
from workbench.viz.figures import figure
from workbench.viz.grid import ROOM, Grid, in_reading_order, scale_legend, table
from workbench.viz.measure import right_to_left
from workbench.viz.pair import CLOSED, KIND_NAMES, Pair, accounts, between_words, gap, sums, units, values, word_scale
from workbench.viz.palette import on_white
from workbench.viz.styles import style


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
    return bare_table(pair, scale) + account_line(pair)


def bare_table(pair: Pair, scale: float) -> Markup:
    """The table alone."""
    grid = Grid(
        rows=units(pair, "left"),
        columns=in_reading_order(units(pair, "right"), pair.right_text),
        cells=values(pair),
        row_sums=sums(pair, "left"),
        column_sums=sums(pair, "right"),
        total=math.fsum(accounts(pair).values()),
        row_language=pair.left_language,
        column_languages={"word": pair.right_language},
    )
    return table(grid, scale)


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
    said = _left(pair)
    open_ = Markup('<span class="open">{}</span>').format(said) if said else Markup("")
    return Markup('<p class="sums">{} {}{} {}</p>').format(listed, total, largest and Markup(";") + largest, open_)


def map_legend(scale: float, unit: str = "cosine") -> Markup:
    """The scale in units, and what boxed and hatched cells mean."""
    return scale_legend(scale, unit, raises="raises the similarity", lowers="lowers")


def map_chart(pair: Pair, *, scale: float | None = None) -> alt.LayerChart:
    """The words of a pair as an Altair heatmap, for notebooks; the rest of the similarity is said in the title."""
    end = scale or word_scale([pair])
    sides = [[unit for unit in units(pair, side) if unit.kind == "word"] for side in ("left", "right")]
    cells = values(pair)
    rows = [
        {
            "row": row, "column": column, "left": charted(left.form), "right": charted(right.form), "relevance": cells[left.key, right.key],
            "about": charted(f"{left.detail or '–'} × {right.detail or '–'}"),
        }
        for row, left in enumerate(sides[0]) for column, right in enumerate(sides[1]) if (left.key, right.key) in cells
    ]  # fmt: skip
    schema = {"row": pl.Int32, "column": pl.Int32, "left": pl.String, "right": pl.String, "relevance": pl.Float64, "about": pl.String}
    labels = [f"{json.dumps([charted(unit.form) for unit in side])}[datum.value]" for side in sides]
    ends = ["#{:02x}{:02x}{:02x}".format(*on_white(value, end)) for value in (-end, end)]
    order: Literal["ascending", "descending"] = "descending" if right_to_left(pair.right_text) else "ascending"
    turned = alt.Axis(labelExpr=labels[1], labelLimit=110, orient="top", labelAngle=-55)
    across = alt.X("column:O", title=None, axis=turned, sort=order)
    down = alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=labels[0], labelLimit=110))
    tooltip = ["left", "right", alt.Tooltip("relevance", format="+.4f"), "about"]
    shade = alt.Color(
        "relevance:Q",
        scale=alt.Scale(domain=[-end, 0, end], range=[ends[0], "#ffffff", ends[1]], interpolate="rgb", clamp=True),
        title=f"relevance ({charted(pair.unit)})",
        legend=alt.Legend(
            values=[-end, 0, end], labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.3')", orient="right", gradientLength=120
        ),
    )
    parts = accounts(pair)
    words, total = parts.get("word", 0.0), math.fsum(parts.values())
    chart = alt.Chart(pl.DataFrame(rows, schema=schema)).mark_rect(stroke="#ffffff", strokeWidth=1)
    drawn = chart.encode(x=across, y=down, color=shade, tooltip=tooltip)
    told = [figure(words, signed=True), figure(total - words, signed=True), figure(total), charted(pair.unit)]
    title = "{} from words, {} from the rest = {} {}".format(*told)
    size = 24 if max(map(len, sides)) <= ROOM else 13
    dressed_ = dressed(drawn, width=max(1, size * len(sides[1])), height={"step": size})
    titled: alt.LayerChart = dressed_.properties(
        title=alt.Title(title, fontSize=12, fontWeight="normal", anchor="start", color="currentColor")
    )
    return titled


def _left(pair: Pair) -> str:
    """What to say where the cells do not sum to the similarity; nothing where they do."""
    left = gap(pair)
    if math.isnan(left):
        return "some cells are not a number"
    return "" if abs(left) <= CLOSED else f"the similarity is {figure(pair.similarity)}: {figure(left)} of it is in no cell"
