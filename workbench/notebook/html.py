"""What a notebook shows as a page, and everything else takes for the string that it is."""

from __future__ import annotations

from workbench.viz.escape import escape

QUIET = "color:#6b6860;font-size:.85em"


class Html(str):
    """HTML that a notebook shows as a page, and everything else takes for the string that it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def aside(*lines: str) -> Html:
    """Lines beside an answer: how much of it is shown, how far to trust it."""
    return Html("".join(f'<div style="{QUIET}">{escape(line)}</div>' for line in lines))
