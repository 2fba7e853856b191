"""Charts of a corpus of translations: how much comes from the source, along the output, by system and by class of words.

Frames are the answers of the queries named here (further columns are ignored; `low` and `high` bound the 95 % interval over sentences, null
where there is none). Systems are told apart by `system`, or where it is not there by those of the queries' columns that differ.

* curve (`contributions_by_position`, `contributions_by_source_position`): `position`, `mean`, `low`, `high`, `sentences`: one row a system
  and part. `position` is relative (0 to 1, the middle of the part) or absolute (1, 2, 3 …); `mean` is whatever is followed, one `measure`.
* groups (`contributions_by_group`): `group` (part of speech, language, level of supervision), `mean`, `low`, `high`, `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import altair as alt
import polars as pl

from workbench.errors import InputError
from workbench.viz.charts import SERIES, dressed
from workbench.viz.escape import charted
from workbench.viz.pieces import require
from workbench.viz.similarity_charts import SHAPES, named

T = TypeVar("T")

CURVE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "curve": ("system", "position", "mean", "low", "high", "sentences"),
    "groups": ("group", "system", "mean", "low", "high", "steps"),
}
#: What the queries tell systems apart by, the model always.
APART = ("model", "languages", "corpus", "role", "composite", "target")
#: The one series of a frame whose groups say all.
ALL = "all"
#: Measures of the queries in words, and whether they are shares.
MEASURES: Mapping[str, tuple[str, bool]] = {
    "source_share": ("source share", True),
    "beginning_share": ("share of the start token", True),
    "source_entropy": ("source entropy (nats)", False),
    "prefix_entropy": ("prefix entropy (nats)", False),
    "normalized_source_entropy": ("source entropy / ln length", False),
    "normalized_prefix_entropy": ("prefix entropy / ln length", False),
    "log_probability": ("log-probability", False),
    "total_contribution": ("total contribution", False),
}
#: Names of systems beside one another below a chart.
COLUMNS = 2
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])


def by_system(frame: pl.DataFrame, *, but: str = "") -> pl.DataFrame:
    """The frame with a column `system`: the model, and whatever else differs between its rows; without the column `but`."""
    if "system" in frame.columns or "model" not in frame.columns:
        return frame
    told = [name for name in APART if name in frame.columns and (name == "model" or frame[name].n_unique() > 1)]
    if "languages" in told and frame["model"].n_unique() == frame.select("model", "languages").n_unique():
        told.remove("languages")  # the model says it
    names = [pl.col(name).cast(pl.String).fill_null("–") for name in told if name != but] or [pl.lit(ALL)]
    return frame.with_columns(pl.concat_str(names, separator=" · ").alias("system"))


def said_by_group(frame: pl.DataFrame) -> bool:
    """Whether each group is of one model: levels of supervision, systems."""
    if not {"group", "model"} <= set(frame.columns):
        return False
    return frame["model"].n_unique() > 1 and frame["group"].n_unique() == frame.select("model", "group").n_unique()


def followed(frame: pl.DataFrame, measure: str | None, per_cent: bool | None) -> tuple[str, bool]:
    """What is followed in words and whether in per cent: as given, or as the frame's one `measure` says. InputError for several."""
    known = frame["measure"].cast(pl.String).unique().to_list() if "measure" in frame.columns else []
    if len(known) > 1:
        raise InputError("draw contributions", f"the measures {', '.join(sorted(known))} at once", "draw one measure")
    words, share = MEASURES.get(known[0], (known[0].replace("_", " "), False)) if known else ("source share", True)
    return measure or words, share if per_cent is None else per_cent


def contribution_curve(
    frame: pl.DataFrame, *, measure: str | None = None, per_cent: bool | None = None, along: str | None = None, zero: bool = False
) -> alt.LayerChart:
    """A measure along the output (or the source), a line a system with its band of 95 % confidence.

    Differences are small, so the axis starts where the data do and says so, unless `zero`. Positions up to 1 are read as relative.
    """
    measure, per_cent = followed(frame, measure, per_cent)
    along = along or ("source" if "tokens" in frame.columns else "output")
    frame = by_system(frame)
    require(frame, CURVE_COLUMNS["curve"], "a curve of contributions")
    rows = named(frame, "system")
    systems = rows["system"].unique(maintain_order=True).to_list()
    least, most = (
        (rows.select(pl.min_horizontal("low", "mean").min(), pl.max_horizontal("high", "mean").max()).row(0)) if len(rows) else (0, 0)
    )
    zero = zero or 0 <= least < most / 4  # near enough
    relative = not len(rows) or float(rows["position"].max()) <= 1  # type: ignore[arg-type]
    form = "%" if per_cent else "~g"
    axis = alt.Axis(format="%" if relative else "d", tickCount=6)
    domain = [0, 1] if relative else None
    scale = alt.Scale(domain=domain, nice=False) if domain else alt.Scale(nice=False, zero=False)
    x = alt.X("position:Q", title=f"{'relative ' if relative else ''}position in the {charted(along)}", axis=axis, scale=scale)
    started = "" if zero else " (axis not from 0)"
    title = f"{charted(measure)}{started}"
    y_axis = alt.Axis(format=form, tickCount=5, grid=True)
    legend = alt.Legend(symbolOpacity=1, symbolType="stroke", symbolStrokeWidth=2, symbolSize=300, labelLimit=260, columns=COLUMNS)
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


def contribution_groups(frame: pl.DataFrame, *, measure: str | None = None, per_cent: bool | None = None, most: int = 18) -> alt.LayerChart:
    """A measure by class of generated words (part of speech, language, supervision) and system, with 95 % intervals over sentences.

    At most `most` groups are shown, those with the most steps, the largest mean first.
    """
    measure, per_cent = followed(frame, measure, per_cent)
    frame = by_system(frame, but="model" if said_by_group(frame) else "")
    require(frame, CURVE_COLUMNS["groups"], "contributions by group")
    rows = named(frame, "group", "system")
    systems = rows["system"].unique(maintain_order=True).to_list()
    kept = rows.group_by("group", maintain_order=True).agg(pl.col("steps").sum()).sort("steps", descending=True, maintain_order=True)
    rows = rows.join(kept.head(most), on="group", how="semi", maintain_order="left")
    last = pl.col("group").is_in(["special", "uncovered", "none"])  # what is no word, or has no class, stands last
    order = rows.group_by("group", last.alias("last")).agg(pl.col("mean").mean()).sort("last", -pl.col("mean"), "group")["group"].to_list()
    scale, shapes = (
        alt.Scale(domain=systems, range=_cycled(SERIES, len(systems))),
        alt.Scale(domain=systems, range=_cycled(SHAPES, len(systems))),
    )
    title = f"{charted(measure)}, 95 % interval (axis not from 0)"
    axis = alt.Axis(format="%" if per_cent else "~g", tickCount=6, labelFlush=False)
    x = alt.X("low:Q", title=title, axis=axis, scale=alt.Scale(zero=False))
    legend = None if systems == [ALL] else alt.Legend(labelLimit=260, columns=COLUMNS)
    base = alt.Chart(rows).encode(
        y=alt.Y("group:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
        yOffset=alt.YOffset("system:N", sort=systems, scale=alt.Scale(paddingOuter=0.35)),
        color=alt.Color("system:N", scale=scale, title=None, legend=legend),
    )
    bars = base.mark_rule(strokeWidth=1.8, opacity=0.7).encode(x=x, x2="high:Q")
    number = ".1%" if per_cent else ".3"
    tips = [alt.Tooltip(column, format=number) for column in ("mean", "low", "high")]
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(
        x="mean:Q", shape=alt.Shape("system:N", scale=shapes, title=None, legend=legend), tooltip=["group", "system", *tips, "steps"]
    )
    return dressed(bars + dots, width=330, height={"step": max(8, 17 // max(1, len(systems)))})


def _cycled(values: Sequence[T], number: int) -> list[T]:
    return [values[place % len(values)] for place in range(number)]
