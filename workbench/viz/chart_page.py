"""A chart as a page of its own that needs no network: the browser draws it, so that words of any script are set right."""

from __future__ import annotations

from pathlib import Path

import altair as alt

from workbench.errors import InputError


def write_chart(chart: alt.LayerChart | alt.VConcatChart, target: Path) -> None:
    """Writes a chart to an .html file with everything it needs, or to a .json file (Vega-Lite). InputError for another ending."""
    if target.suffix not in (".html", ".json"):
        raise InputError(
            f"write the chart {target}", f"the ending {target.suffix or 'of nothing'}", "end it in .html, or .json for Vega-Lite"
        )
    chart.save(str(target), inline=target.suffix == ".html")
