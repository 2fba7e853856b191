"""Effects as dots with intervals, one row each: no effect is a line, what a null control gives a grey band."""

from __future__ import annotations

import altair as alt
import polars as pl

from workbench.viz.charts import AGAINST, FOR, GREY, clothed, sized
from workbench.viz.escape import charted
from workbench.viz.pieces import require

DRAWN = 30
TITLES = {
    "log_ratio": "log ratio of the shares of relevance, 95 % interval",
    "difference": "difference of the shares of relevance, 95 % interval",
    "lift": "lift: share of relevance ÷ share of words, 95 % interval", "mean": "mean relevance of one occurrence, 95 % interval",
}  # fmt: skip


def effects(
    frame: pl.DataFrame, item: str, value: str, *, title: str = "", null: tuple[str, str] | None = None, none: float = 0.0,
    log: bool = False, ordered: bool = False, most: int = DRAWN,
) -> alt.LayerChart:  # fmt: skip
    """The first rows of a frame (30, or `most`): `value` with `value_low` and `value_high`, coloured where the interval is clear of `none`.

    `null` names two columns with the range of a null control; `ordered` keeps the order of the rows, otherwise the largest stands first.
    """
    return clothed(panel(frame, item, value, title=title, null=null, none=none, log=log, ordered=ordered, most=most))


def panel(
    frame: pl.DataFrame, item: str, value: str, *, title: str, null: tuple[str, str] | None, none: float, log: bool, ordered: bool,
    most: int,
) -> alt.LayerChart:  # fmt: skip
    """The same as a part of a larger chart."""
    low, high = f"{value}_low", f"{value}_high"
    require(frame, (item, value, low, high, *(null or ())), "effects")
    rows = frame.head(most).filter(pl.col(value).is_finite())
    rows = rows.with_columns(pl.col(item).cast(pl.String).map_elements(charted, return_dtype=pl.String).alias("name"))
    if log:
        rows = rows.filter(pl.col(value) > 0).with_columns(pl.col(low, high).clip(lower_bound=1e-3))
    order = (rows if ordered else rows.sort(value, descending=True))["name"].to_list()
    clear = pl.when(pl.col(low) > none).then(pl.lit(FOR)).when(pl.col(high) < none).then(pl.lit(AGAINST)).otherwise(pl.lit(GREY))
    rows = rows.with_columns(clear.alias("colour"))
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    x = alt.X(f"{value}:Q", title=x_title(value), scale=scale, axis=alt.Axis(format="~g", tickCount=6))
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelFontSize=13))
    colour = alt.Color("colour:N", scale=None)
    base = alt.Chart(rows)
    numbers = [name for name, kind in rows.schema.items() if kind.is_numeric()]
    tooltip = [item, *(alt.Tooltip(name, format=".3") for name in numbers[:12])]
    layers = alt.layer(
        alt.Chart(pl.DataFrame({"none": [none]})).mark_rule(color=GREY, strokeWidth=1).encode(x=alt.X("none:Q", scale=scale))
    )
    if null is not None:
        band = base.mark_bar(color=GREY, opacity=0.22, height={"band": 0.7})
        layers += band.encode(x=alt.X(f"{null[0]}:Q", scale=scale, title=x_title(value)), x2=f"{null[1]}:Q", y=y)
    layers += base.mark_rule(strokeWidth=2, opacity=0.55).encode(
        x=alt.X(f"{low}:Q", scale=scale, title=x_title(value)), x2=f"{high}:Q", y=y, color=colour
    )
    layers += base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip)
    drawn = layers.properties(title=alt.TitleParams(charted(title), anchor="start", fontSize=12, fontWeight="normal"))
    return sized(drawn, width=460, height={"step": 20})


def x_title(value: str) -> str:
    """The title of the axis of a value."""
    return TITLES.get(value, value.replace("_", " "))
