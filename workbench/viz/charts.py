"""Charts of corpus-level figures, for notebooks and (those without Bengali) for the report.

Charts with words are for the browser: vl-convert sets Bengali letters one upon another (seen with 1.9), so the report sets words in HTML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

import altair as alt
import polars as pl

from workbench.relevance import ACCOUNTS
from workbench.viz.escape import charted
from workbench.viz.figures import count
from workbench.viz.palette import NEGATIVE, POSITIVE
from workbench.viz.pieces import require
from workbench.viz.styles import BENGALI_FONTS

FONTS = ", ".join(("Noto Sans", "Segoe UI", "Helvetica Neue", "Arial", *BENGALI_FONTS))
FOR, AGAINST = ("#{:02x}{:02x}{:02x}".format(*channels) for channels in (POSITIVE, NEGATIVE))
GREY = "#8a857b"
#: Okabe and Ito (2008), in an order that keeps neighbours apart.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
#: The bar of float32: a ledger with a relative gap above it is not closed.
CLOSED = 1e-4


Top = TypeVar("Top", alt.LayerChart, alt.VConcatChart)


def dressed(chart: alt.Chart | alt.LayerChart, *, width: int = 340, height: int | Mapping[str, int] = 160) -> alt.LayerChart:
    """A chart in the house's clothes: thin axes, no frame, small type, the page's own ink."""
    return clothed(sized(chart, width=width, height=height))


def sized(chart: alt.Chart | alt.LayerChart, *, width: int = 340, height: int | Mapping[str, int] = 160) -> alt.LayerChart:
    """A chart of a size, as yet without clothes, so that it can be part of a larger one."""
    size = height if isinstance(height, int) else alt.Step(height["step"])
    layered = chart if isinstance(chart, alt.LayerChart) else alt.LayerChart(layer=[chart])
    return layered.properties(width=width, height=size)


def clothed(chart: Top) -> Top:
    """A whole chart in the house's clothes."""
    finished: Top = (
        chart.properties(background="transparent")
        .configure(font=FONTS)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=11, titleFontSize=11, titleFontWeight="normal", labelColor="currentColor", titleColor="currentColor",
            labelLimit=170,
            gridColor=GREY, gridOpacity=0.22, domainColor=GREY, tickColor=GREY, tickSize=4, labelPadding=4, titlePadding=8,
        )
        .configure_axisY(grid=False, domain=False, ticks=False)
        .configure_legend(orient="bottom", labelFontSize=11, titleFontSize=11, titleFontWeight="normal", labelColor="currentColor",
                          titleColor="currentColor", symbolSize=70, padding=0, offset=8)
    )  # fmt: skip
    return finished


def terms(frame: pl.DataFrame, label: str, *, unit: str = "logit") -> alt.LayerChart:
    """Most and least relevant terms of the class `label`: mean relevance per occurrence with 95 % interval, documents in the tooltip."""
    require(frame, ("label", "side", "term", "mean", "low", "high", "documents", "occurrences"), "terms")
    rows = _readable(frame.filter(pl.col("label") == label), "term")
    order = rows.sort("mean", descending=True)["term"].unique(maintain_order=True).to_list()
    tooltip = [
        "term",
        alt.Tooltip("mean", format="+.3"),
        alt.Tooltip("low", format="+.3"),
        alt.Tooltip("high", format="+.3"),
        "documents",
        "occurrences",
    ]
    y = alt.Y("term:N", sort=order, title=None, axis=alt.Axis(labelFontSize=13))
    base = alt.Chart(rows)
    colour = alt.condition("datum.mean > 0", alt.value(FOR), alt.value(AGAINST))
    title = f"Mean relevance per occurrence for {charted(label)} ({unit}), 95 % interval"
    bars = base.mark_rule(strokeWidth=2, opacity=0.55).encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y, color=colour)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(x="mean:Q", y=y, color=colour, tooltip=tooltip)
    return dressed(_zero() + bars + dots, width=460, height={"step": 20})


def faithfulness(frame: pl.DataFrame, metric: str, *, reference: str = "random", better: str = "") -> alt.LayerChart:
    """One metric by method: means with 95 % intervals, circles for signed, diamonds for absolute order; random order as a band."""
    require(frame, ("method", "ordering", "metric", "mean", "low", "high"), "faithfulness")
    rows = _readable(frame.filter(pl.col("metric") == metric), "method", "ordering")
    rows = rows.with_columns(pl.col("method").str.replace_all("_", " "))
    ranked = (
        rows.filter(pl.col("method") != reference)
        .sort("mean", descending=metric != "sufficiency")["method"]
        .unique(maintain_order=True)
        .to_list()
    )
    y = alt.Y("method:N", sort=[*ranked, reference], title=None)
    offset = alt.YOffset("ordering:N", sort=["signed", "absolute"], scale=alt.Scale(paddingOuter=0.3))
    title = charted(metric).replace("_", " ") + (f" ({better})" if better else "")
    base = alt.Chart(rows.with_columns((pl.col("method") == reference).alias("baseline"))).encode(y=y, yOffset=offset)
    random = rows.filter(pl.col("method") == reference, pl.col("low").is_not_null()).select(pl.col("low").min(), pl.col("high").max())
    baseline = alt.Chart(random).encode(x=alt.X("low:Q", title=title))
    band = baseline.mark_rect(color=GREY, opacity=0.22).encode(x2="high:Q")
    colour = alt.condition("datum.baseline", alt.value(GREY), alt.value(AGAINST))
    bars = base.mark_rule(strokeWidth=1.6).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5)), x2="high:Q", color=colour
    )
    order = alt.Scale(domain=["signed", "absolute"], range=["circle", "diamond"])
    shape = alt.Shape("ordering:N", scale=order, title="words ranked by relevance", legend=None)
    dots = base.mark_point(size=44, filled=True, opacity=1).encode(x="mean:Q", shape=shape, color=colour)
    return dressed(band + bars + dots, width=175, height={"step": 12})


def accounts(ledger: pl.DataFrame) -> alt.LayerChart:
    """Where the target goes: share of each ledger account in the sum of their sizes, by model."""
    require(ledger, ("model", *ACCOUNTS, "gap"), "the ledger")
    names = [*ACCOUNTS, "gap"]
    rows = _readable(ledger, "model").unpivot(on=names, index="model", variable_name="account", value_name="share")
    rows = rows.with_columns(pl.col("account").str.replace_all("_", " ")).filter(pl.col("share").is_finite())
    models = [charted(model) for model in ledger["model"]]
    y = alt.Y("account:N", sort=[name.replace("_", " ") for name in names], title=None)
    x = alt.X("share:Q", title="share of all accounts", axis=alt.Axis(format="%", tickCount=6))
    scale = alt.Scale(domain=models, range=_series(len(models)))
    bars = alt.Chart(rows).mark_bar(height={"band": 0.8}).encode(
        x=x, y=y, yOffset=alt.YOffset("model:N", sort=models), color=alt.Color("model:N", scale=scale, title=None)
    )  # fmt: skip
    return dressed(bars + _zero(), width=330, height={"step": max(7, 26 // max(1, len(models)))})


def gaps(frame: pl.DataFrame, *, bar: float = CLOSED, bins: int = 32) -> alt.LayerChart:
    """How well ledgers close: explanations by relative gap (powers of ten; below 1e-12 counts as 1e-12), beside the bar of 1e-4."""
    require(frame, ("relative_gap",), "the gaps")
    exponents = frame.select(pl.col("relative_gap").abs().clip(1e-12).log10().alias("exponent")).filter(pl.col("exponent").is_finite())
    low, high = -12.0, max(-3.0, float(exponents["exponent"].max() or -3.0))  # type: ignore[arg-type]
    width = (high - low) / bins
    counted = (
        exponents.select(((pl.col("exponent") - low) / width).floor().clip(0, bins - 1).alias("bin"))
        .group_by("bin").agg(pl.len().alias("explanations")).sort("bin")
        .with_columns((low + pl.col("bin") * width).alias("left"), (low + (pl.col("bin") + 1) * width).alias("right"))
    )  # fmt: skip
    superscript = "split('⁰¹²³⁴⁵⁶⁷⁸⁹', '')"
    digits = f"(abs(datum.value) > 9 ? {superscript}[floor(abs(datum.value) / 10)] : '') + {superscript}[abs(datum.value) % 10]"
    axis = alt.Axis(
        labelExpr=f"datum.value == 0 ? '1' : '10' + (datum.value < 0 ? '⁻' : '') + {digits}", values=list(range(-12, int(high) + 3, 2))
    )
    x = alt.X(
        "left:Q",
        title="relative gap, |target − all accounts| / max(|target|, 1)",
        axis=axis,
        scale=alt.Scale(domain=[low, high], nice=False),
    )
    bars = alt.Chart(counted).mark_rect(color=AGAINST, opacity=0.85).encode(
        x=x, x2="right:Q", y=alt.Y("explanations:Q", title="explanations", axis=alt.Axis(format=",d", tickCount=4, tickMinStep=1))
    )  # fmt: skip
    limit = alt.Chart(pl.DataFrame({"at": [math.log10(bar)]})).mark_rule(color=FOR, strokeDash=[4, 3], strokeWidth=1.5).encode(x="at:Q")
    return dressed(bars + limit, width=330, height=150)


def parts_of_speech(frame: pl.DataFrame, *, unit: str = "logit", most: int = 14) -> alt.LayerChart:
    """Mean relevance per occurrence by part of speech (the most frequent), with 95 % intervals where `low` and `high` are there."""
    require(frame, ("upos", "mean", "occurrences"), "parts of speech")
    rows = _readable(frame.sort("occurrences", descending=True).head(most), "upos")
    rows = rows.with_columns(pl.format("{} ({})", "upos", pl.col("occurrences").map_elements(count, return_dtype=pl.String)).alias("part"))
    order = rows.sort("mean", descending=True)["part"].to_list()
    title = f"mean relevance per occurrence ({charted(unit)})"
    y = alt.Y("part:N", sort=order, title=None)
    base = alt.Chart(rows)
    colour = alt.condition("datum.mean > 0", alt.value(FOR), alt.value(AGAINST))
    dots = base.mark_point(filled=True, size=44, opacity=1).encode(
        x=alt.X("mean:Q", title=title, axis=alt.Axis(tickCount=5)), y=y, color=colour
    )
    layers = _zero() + dots
    if {"low", "high"} <= set(frame.columns):
        layers += base.mark_rule(strokeWidth=2, opacity=0.55).encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y, color=colour)
    return dressed(layers, width=200, height={"step": 15})


def _zero() -> alt.Chart:
    line: alt.Chart = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=GREY, strokeWidth=1).encode(x="zero:Q")
    return line


def _series(number: int) -> Sequence[str]:
    return [SERIES[index % len(SERIES)] for index in range(number)]


def _readable(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Names as text without hidden controls."""
    return frame.with_columns(pl.col(column).cast(pl.String).map_elements(charted, return_dtype=pl.String) for column in columns)
