"""Charts of a corpus of translations: how much comes from the source, along the output, by system and by class of words.

Frames (further columns are ignored; `low` and `high` bound the 95 % interval over sentences, null where there is none):

* curve: `system`, `position`, `mean`, `low`, `high`, `sentences`: one row a system and bin. `position` is relative (0 to 1, the middle of
  the bin) or absolute (1, 2, 3 …); `mean` is whatever is followed: source share, entropy, total contribution of a source position.
* groups: `group` (part of speech, language, level of supervision), `system`, `mean`, `low`, `high`, `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import altair as alt
import polars as pl

from workbench.viz.charts import SERIES, dressed
from workbench.viz.escape import charted
from workbench.viz.pieces import require
from workbench.viz.similarity_charts import SHAPES, named

T = TypeVar("T")

CURVE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "curve": ("system", "position", "mean", "low", "high", "sentences"),
    "groups": ("group", "system", "mean", "low", "high", "steps"),
}
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])


def contribution_curve(
    frame: pl.DataFrame, *, measure: str = "source share", per_cent: bool = True, along: str = "output", zero: bool = False
) -> alt.LayerChart:
    """A measure along the output (or the source), a line a system with its band of 95 % confidence.

    Differences are small, so the axis starts where the data do and says so, unless `zero`. Positions up to 1 are read as relative.
    """
    require(frame, CURVE_COLUMNS["curve"], "a curve of contributions")
    rows = named(frame, "system")
    systems = rows["system"].unique(maintain_order=True).to_list()
    relative = not len(rows) or float(rows["position"].max()) <= 1  # type: ignore[arg-type]
    form = "%" if per_cent else "~g"
    axis = alt.Axis(format="%" if relative else "d", tickCount=6)
    domain = [0, 1] if relative else None
    scale = alt.Scale(domain=domain, nice=False) if domain else alt.Scale(nice=False, zero=False)
    x = alt.X("position:Q", title=f"{'relative ' if relative else ''}position in the {charted(along)}", axis=axis, scale=scale)
    started = "" if zero else " (axis does not start at 0)"
    title = f"{charted(measure)}{started}"
    y_axis = alt.Axis(format=form, tickCount=5, grid=True)
    legend = alt.Legend(symbolOpacity=1, symbolType="stroke", symbolStrokeWidth=2, symbolSize=300)
    colour = alt.Color("system:N", scale=alt.Scale(domain=systems, range=_cycled(SERIES, len(systems))), title=None, legend=legend)
    base = alt.Chart(rows).encode(x=x, color=colour)
    y = alt.Y("low:Q", title=title, axis=y_axis, scale=alt.Scale(zero=zero, nice=True))
    band = base.mark_area(opacity=0.16).encode(y=y, y2="high:Q")
    dash = alt.StrokeDash("system:N", scale=alt.Scale(domain=systems, range=_cycled(DASHES, len(systems))), title=None, legend=legend)
    line = base.mark_line(strokeWidth=2).encode(y="mean:Q", strokeDash=dash)
    number = ".1%" if per_cent else ".3"
    tips = [alt.Tooltip(column, format=number, title=name) for column, name in (("mean", measure), ("low", "from"), ("high", "to"))]
    dots = base.mark_point(filled=True, size=28, opacity=1).encode(
        y="mean:Q", tooltip=["system", alt.Tooltip("position", format=".2"), *tips, "sentences"]
    )
    return dressed(band + line + dots, width=420, height=230)


def contribution_groups(frame: pl.DataFrame, *, measure: str = "source share", per_cent: bool = True) -> alt.LayerChart:
    """A measure by class of generated words (part of speech, language, supervision) and system, with 95 % intervals over sentences."""
    require(frame, CURVE_COLUMNS["groups"], "contributions by group")
    rows = named(frame, "group", "system")
    systems = rows["system"].unique(maintain_order=True).to_list()
    order = rows["group"].unique(maintain_order=True).to_list()
    scale, shapes = (
        alt.Scale(domain=systems, range=_cycled(SERIES, len(systems))),
        alt.Scale(domain=systems, range=_cycled(SHAPES, len(systems))),
    )
    title = f"{charted(measure)}, 95 % interval (axis does not start at 0)"
    axis = alt.Axis(format="%" if per_cent else "~g", tickCount=6, labelFlush=False)
    x = alt.X("low:Q", title=title, axis=axis, scale=alt.Scale(zero=False))
    base = alt.Chart(rows).encode(
        y=alt.Y("group:N", sort=order, title=None),
        yOffset=alt.YOffset("system:N", sort=systems, scale=alt.Scale(paddingOuter=0.35)),
        color=alt.Color("system:N", scale=scale, title=None),
    )
    bars = base.mark_rule(strokeWidth=1.8, opacity=0.7).encode(x=x, x2="high:Q")
    number = ".1%" if per_cent else ".3"
    tips = [alt.Tooltip(column, format=number) for column in ("mean", "low", "high")]
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(
        x="mean:Q", shape=alt.Shape("system:N", scale=shapes, title=None), tooltip=["group", "system", *tips, "steps"]
    )
    return dressed(bars + dots, width=330, height={"step": max(9, 26 // max(1, len(systems)))})


def _cycled(values: Sequence[T], number: int) -> list[T]:
    return [values[place % len(values)] for place in range(number)]
