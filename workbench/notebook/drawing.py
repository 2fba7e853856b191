"""Charts in a notebook as a journal prints them: SVG on white, drawn without browser or network, letters left to the reader's fonts.

JupyterLab 4 draws Vega-Lite 5 itself and shows nothing of version 6, which Altair 6 writes.
"""

from __future__ import annotations

import json
from typing import Any

import altair as alt

NAME = "workbench"
INK, PAPER = "#1c1b19", "#ffffff"


def enable() -> None:
    """Make all charts of the notebook be shown so."""
    alt.renderers.register(NAME, drawn)
    alt.renderers.enable(NAME)


def drawn(spec: dict[str, Any], **_metadata: object) -> dict[str, str]:
    """A chart by MIME type; colours that a page would give are ink on paper here."""
    import vl_convert

    text = json.dumps({**spec, "background": PAPER, "padding": 8}).replace('"currentColor"', json.dumps(INK))
    return {"image/svg+xml": vl_convert.vegalite_to_svg(text), "text/plain": "chart"}
