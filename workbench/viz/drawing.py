"""Charts as inline SVG, drawn without a browser or network; the page that holds them needs no script."""

from __future__ import annotations

import json

import altair as alt
import regex
from markupsafe import Markup

from workbench.viz.escape import attribute


def svg(chart: alt.LayerChart, description: str) -> Markup:
    """The chart as one <svg> element that fills the width of its figure, with `description` for those who cannot see it.

    Text in it must hold no script that needs shaping (see `charts`).
    """
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()))
    width = regex.search(r'\swidth="([\d.]+)"', drawn)
    opened = regex.sub(r'^<svg\b[^>]*?(viewBox="[^"]+")[^>]*>', r"<svg \1 {}>", drawn, count=1)
    head, body = opened.split("{}", 1)
    limit = f"max-width:{float(width[1]) if width else 600:.0f}px"
    return Markup('{}role="img" aria-label="{}" style="{}"{}').format(Markup(head), attribute(description), limit, Markup(body))
