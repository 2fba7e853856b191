"""Tables and coloured posts for a terminal, never wider than 100 columns, with Bengali in the last column.

Terminals disagree on the width of Bengali: a vowel sign to the right of its letter (Mc, as in কা) is one column in some and none in others
(rich counts none), and conjuncts are drawn in one to three. No padding is right everywhere, so words that may hold Bengali stand last, with
nothing to be aligned after them, and are measured by the widest reading. Text is never read as markup; controls and escape codes are named.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

import polars as pl
from rich import box
from rich.cells import cell_len
from rich.style import Style
from rich.table import Table
from rich.text import Text

from workbench.graphemes import graphemes
from workbench.viz.escape import plain
from workbench.viz.figures import figure, interval
from workbench.viz.palette import common_scale, on_white
from workbench.viz.pieces import pieces, require, sums

WIDTH = 100
#: Columns between two columns, and the least that free text in the last one gets.
BETWEEN = 2
LEAST = 12
_NO_ADVANCE = frozenset({"Mn", "Me", "Cf"})


def widest(text: str) -> int:
    """Columns in the terminal that gives most: every letter and every spacing vowel sign advances."""
    return max(cell_len(text), sum(1 for character in text if unicodedata.category(character) not in _NO_ADVANCE))


def fitted(text: str, columns: int) -> str:
    """`text` on one line within `columns` by the widest reading, cut between whole letters with an ellipsis."""
    text = plain(text)
    if widest(text) <= columns:
        return text
    kept, used = "", 1
    for start, end in graphemes(text):
        used += widest(text[start:end])
        if used > columns:
            break
        kept = text[:end]
    return kept + "…"


def table(frame: pl.DataFrame, *, title: str, last: str | None = None, width: int = WIDTH) -> Table:
    """A frame as a table of at most `width` columns; `last` names the free text, set at the end and cut to what is left.

    Numbers have three significant digits and stand right; other text takes 24 columns at most. Columns without room are left out by name.
    """
    end = last or frame.columns[-1]
    require(frame, (end,), "a table")
    heads = {name: fitted(name.replace("_", " "), 24) for name in frame.columns}
    ends = [plain(value) if isinstance(value, str) else _cell(value) for value in frame[end]]
    least = min(LEAST, max(widest(text) for text in [heads[end], *ends]))
    cells: dict[str, list[str]] = {}
    left, left_out = width, []
    for name in (name for name in frame.columns if name != end):
        texts = [_cell(value) for value in frame[name]]
        size = max(widest(text) for text in [heads[name], *texts]) + BETWEEN
        if left - size < least:
            left_out.append(heads[name])
            continue
        cells[name] = texts
        left -= size
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left", title_style="bold")
    drawn.title = Text(fitted(title, width))
    if left_out:
        drawn.caption = Text(fitted(f"no room for {', '.join(left_out)}", width))
    for name, texts in cells.items():
        size = max(widest(text) for text in [heads[name], *texts])
        drawn.add_column(Text(heads[name]), justify="right" if frame[name].dtype.is_numeric() else "left", no_wrap=True, width=size)
    drawn.add_column(Text(fitted(heads[end], left)), no_wrap=True, overflow="ignore")
    for index, text in enumerate(ends):
        drawn.add_row(*(Text(texts[index]) for texts in cells.values()), Text(fitted(text, left)))
    return drawn


def terms_table(terms: pl.DataFrame, label: str, *, side: str = "for", rows: int = 8, width: int = WIDTH) -> Table:
    """Terms of one class: mean relevance per occurrence, 95 % interval, documents, occurrences and, last, the term."""
    require(terms, ("label", "side", "term", "mean", "low", "high", "documents", "occurrences"), "terms")
    chosen = terms.filter((pl.col("label") == label) & (pl.col("side").cast(pl.String) == side)).head(rows)
    frame = pl.DataFrame(
        {
            "mean": [figure(value, signed=True) for value in chosen["mean"]],
            "95 % interval": [interval(low, high) for low, high in chosen.select("low", "high").iter_rows()],
            "documents": chosen["documents"],
            "occurrences": chosen["occurrences"],
            "term": chosen["term"].cast(pl.String),
        }
    )
    return table(frame, title=f"{label}: terms that speak most {side} it", last="term", width=width)


def post_line(words: pl.DataFrame, *, text: str, scale: float | None = None) -> Text:
    """A post as written (controls named), each word on the colour of its relevance; then the sums of words, special tokens and the rest."""
    line = text_line(words, text=text, scale=scale)
    parts: Sequence[str] = [f"{kind} {figure(value, signed=True)}" for kind, value in sums(words).items() if value is not None]
    line.append("\n" + " · ".join(parts), style="dim")
    return line


def text_line(words: pl.DataFrame, *, text: str, scale: float | None = None) -> Text:
    """A text as written (controls named), each word on the colour of its relevance."""
    end = scale or common_scale(words["relevance"])
    line = Text(overflow="fold")
    for piece in pieces(text, words):
        line.append(_lines(text[piece.start : piece.end]), style=_style(piece.relevance, end) if piece.words else "")
    return line


def _style(relevance: float | None, scale: float) -> Style:
    if relevance is None:
        return Style(dim=True, strike=False)
    if not math.isfinite(relevance):
        return Style(reverse=True, bold=True)
    if relevance == 0:
        return Style()
    red, green, blue = on_white(relevance, scale)
    return Style(color="#1c1b19", bgcolor=f"rgb({red},{green},{blue})", underline=relevance < 0)


def _lines(text: str) -> str:
    return "\n".join(plain(part) for part in text.split("\n"))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return figure(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else fitted(str(value), 24)
