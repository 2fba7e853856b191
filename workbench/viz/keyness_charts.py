"""Key items as a chart: how often each stands in its group, and how much more relevance it carries than a word does on average."""

from __future__ import annotations

import altair as alt
import polars as pl

from workbench.viz.charts import AGAINST, FOR, GREY, dressed
from workbench.viz.escape import charted
from workbench.viz.pieces import require

COLUMNS = ("item", "side", "documents", "focus_documents", "reference_documents", "significant", "q_value")
#: Items that are drawn, the most certain first, and of these the significant ones that are named.
DRAWN, NAMED = 400, 24
FREQUENCY, LIFT = "occurrences in a million words of the group", "lift: share of relevance ÷ share of words"
FOCUS, REFERENCE, NEITHER = "more in the focus", "more in the reference", "no difference shown"


def key_items(frame: pl.DataFrame, title: str = "", *, named: int = NAMED) -> alt.LayerChart:
    """Lift by frequency, both on logarithmic scales; significant items are coloured by their group and named, with their interval.

    Above the line at 1 an occurrence carries more than a word does on average: rare and decisive stands upper left, frequent and idle lower
    right. `frame` is that of `workbench.queries.keyness.Keyness`.
    """
    require(frame, COLUMNS, "key items")
    rows = frame.sort("q_value", maintain_order=True).head(DRAWN)
    of_side = [
        pl.when(pl.col("side") == "focus").then(name).otherwise(f"reference_{name}").alias(name)
        for name in ("frequency", "lift", "lift_low", "lift_high")
    ]
    group = (
        pl.when(~pl.col("significant"))
        .then(pl.lit(NEITHER))
        .when(pl.col("side") == "focus")
        .then(pl.lit(FOCUS))
        .otherwise(pl.lit(REFERENCE))
    )
    rows = rows.with_columns(*of_side, group.alias("group"), pl.col("item").map_elements(charted, return_dtype=pl.String))
    rows = rows.filter((pl.col("lift") > 0) & (pl.col("frequency") > 0)).with_columns(pl.col("lift_low").clip(lower_bound=1e-3))
    number = pl.int_range(pl.len()).over("significant")
    rows = rows.with_columns(pl.when(pl.col("significant") & (number < named)).then("item").otherwise(pl.lit("")).alias("name"))
    logarithmic = alt.Scale(type="log")
    x = alt.X("frequency:Q", title=FREQUENCY, scale=logarithmic, axis=alt.Axis(format="~s", tickCount=5))
    y, low = (alt.Y(f"{name}:Q", title=LIFT, scale=logarithmic, axis=alt.Axis(format="~g", tickCount=6)) for name in ("lift", "lift_low"))
    scale = alt.Scale(domain=[FOCUS, REFERENCE, NEITHER], range=[FOR, AGAINST, GREY])
    colour = alt.Color("group:N", scale=scale, title=None, legend=alt.Legend(symbolOpacity=1))
    numbers = {"lift": ".3", "lift_low": ".3", "lift_high": ".3", "log_ratio": "+.3", "q_value": ".3"}
    tooltip = [
        "item",
        "side",
        *(alt.Tooltip(name, format=form) for name, form in numbers.items()),
        "focus_documents",
        "reference_documents",
    ]
    base = alt.Chart(rows)
    key = base.transform_filter("datum.significant")
    average = alt.Chart(pl.DataFrame({"lift": [1.0]})).mark_rule(color=GREY, strokeWidth=1).encode(y=y)
    ends = key.mark_rule(strokeWidth=1.2, opacity=0.35).encode(x=x, y=low, y2="lift_high:Q", color=colour)
    dots = base.mark_point(filled=True, size=42).encode(
        x=x, y=y, color=colour, opacity=alt.condition("datum.significant", alt.value(1.0), alt.value(0.35)), tooltip=tooltip
    )
    names = key.mark_text(align="left", dx=7, dy=-2, fontSize=12).encode(x=x, y=y, text="name:N", color=colour)
    drawn = (average + ends + dots + names).properties(
        title=alt.TitleParams(charted(title), anchor="start", fontSize=12, fontWeight="normal")
    )
    return dressed(drawn, width=620, height=420)
