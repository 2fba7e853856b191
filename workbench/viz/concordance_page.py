"""A concordance as a page of its own: hits in their context on the colours of their words, with what must be known of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from workbench.viz.concordance import PARTS, concordance
from workbench.viz.heatmap import legend
from workbench.viz.palette import common_scale
from workbench.viz.report import POLICY, template
from workbench.viz.styles import sheet


def concordance_page(frame: pl.DataFrame, title: str, *, notes: Sequence[str] = (), sql: str = "") -> str:
    """A self-contained page: a concordance (`workbench.patterns.concordance`), below it notes and the SQL that found its hits."""
    values = [value for part in PARTS for value in frame[f"{part}_relevances"].explode(empty_as_null=True)]
    scale = common_scale(values)
    page: str = template("concordance").render(
        policy=POLICY,
        sheets=[sheet("heatmap"), sheet("report")],
        data={"title": title, "notes": list(notes), "sql": sql},
        legend=legend(scale),
        table=Markup(concordance(frame, scale=scale)),
    )
    return page
