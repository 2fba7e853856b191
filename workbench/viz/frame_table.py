"""A frame as an HTML table: few digits, both ends of an interval in one cell, texts of any script shaped and never cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from workbench.viz.escape import escape
from workbench.viz.figures import NONE, count, figure, interval, share
from workbench.viz.styles import style

#: Rows that a notebook shows.
SHOWN = 30


def with_intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """Both ends of an interval in one column: low and high become 95 %, lift_low and lift_high become lift 95 %."""
    for low in [name for name in frame.columns if name == "low" or name.endswith("_low")]:
        if (high := low.removesuffix("low") + "high") in frame.columns:
            texts = [interval(*ends) for ends in frame.select(low, high).iter_rows()]
            head = f"{low.removesuffix('low').replace('_', ' ')}95 %"
            frame = frame.with_columns(pl.Series(low, texts, dtype=pl.String)).rename({low: head}).drop(high)
    return frame


def frame_table(frame: pl.DataFrame, *, caption: str = "", shares: Collection[str] = (), behind: Sequence[Markup] = ()) -> str:
    """The whole frame as `<table class="data">`; columns of lists are left out.

    Columns in `shares` are per cent. Whole numbers have their thousands set apart. `behind` has HTML for the last cell of each row.
    """
    kept = with_intervals(frame.drop(name for name, kind in frame.schema.items() if kind.is_nested()))
    kinds = {name: "n" if kind.is_numeric() or name.endswith("95 %") else "" for name, kind in kept.schema.items()}
    head = Markup("").join(Markup("<th{}>{}</th>").format(named(kinds[name]), escape(name.replace("_", " "))) for name in kept.columns)
    last = [Markup("<td>{}</td>").format(one) for one in behind] or [Markup("")] * len(kept)
    rows = Markup("").join(
        Markup("<tr>{}{}</tr>").format(
            Markup("").join(cell(value, kinds[name], name in shares) for name, value in zip(kept.columns, row, strict=True)), more
        )
        for row, more in zip(kept.iter_rows(), last, strict=True)
    )
    head += Markup("<th>leads to</th>") if behind else Markup("")
    above = Markup("<caption>{}</caption>").format(escape(caption)) if caption else Markup("")
    return Markup('<table class="data">{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(above, head, rows)


def cell(value: Any, kind: str, per_cent: bool) -> Markup:
    """One cell; a number that is written with a power of ten says its value to a script that sorts."""
    if value is None:
        return Markup("<td{}>{}</td>").format(named(kind), NONE)
    if isinstance(value, float):
        text = share(value) if per_cent else figure(value)
        exact = Markup(' data-v="{}"').format(repr(value)) if "×" in text or "∞" in text else Markup("")
        return Markup("<td{}{}>{}</td>").format(named(kind), exact, text)
    if isinstance(value, int) and not isinstance(value, bool):
        return Markup("<td{}>{}</td>").format(named(kind), count(value))
    text = escape(str(value))
    return Markup("<td{}>{}</td>").format(named(kind), text if kind == "n" else Markup("<bdi>{}</bdi>").format(text))


def named(kind: str) -> Markup:
    """The class of a cell."""
    return Markup(' class="{}"').format(kind) if kind else Markup("")


def data(frame: pl.DataFrame, *, caption: str = "", most: int = SHOWN) -> str:
    """A frame as a notebook shows it: the table with its own style, and how many rows there are where not all are shown."""
    cut = f"{most:,} of {len(frame):,} rows" if len(frame) > most else ""
    table = Markup(frame_table(frame.head(most), caption=caption))
    below = Markup('<div style="color:#6b6860;font-size:.85em">{}</div>').format(cut) if cut else Markup("")
    return Markup('<div class="workbench">{}{}{}</div>').format(style("heatmap", "data"), table, below)
