"""A concordance at the terminal: the match in the middle, each word on the colour of its relevance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.style import Style
from rich.text import Text

from workbench.viz.concordance import stretches
from workbench.viz.escape import plain
from workbench.viz.figures import figure
from workbench.viz.palette import common_scale, on_white
from workbench.viz.terminal import WIDTH, fitted, widest

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Columns that an identifier and a class may take.
NAME = 14
INK = "#1c1b19"
BETWEEN = "  "
Piece = tuple[str, Style]


def lines(concordance: pl.DataFrame, *, width: int = WIDTH) -> Iterator[Text]:
    """One line a row of a concordance, at most `width` columns: relevance, document, class where there are several, context.

    A word of positive relevance stands on orange, a negative one on blue and underlined; one that the model did not see is dim.
    """
    values: list[float | None] = []
    for part in ("left", "match", "right"):
        values += concordance[f"{part}_relevances"].explode(empty_as_null=True).to_list()
    scale = common_scale(values)
    heads = prefixes(concordance)
    for head, row in zip(heads, concordance.iter_rows(named=True), strict=True):
        yield line(head, row, scale, width)


def prefixes(concordance: pl.DataFrame) -> list[str]:
    """What stands in front of the context, equally wide on all lines."""
    columns = [[figure(value, signed=True) for value in concordance["relevance"]], concordance["identifier"].to_list()]
    for name in ("explained", "role"):
        if name in concordance.columns and concordance[name].n_unique() > 1:
            columns.append([value or "" for value in concordance[name]])
    sized = []
    for number, column in enumerate(columns):
        texts = [fitted(str(value), NAME) for value in column]
        size = max((widest(text) for text in texts), default=0)
        sized.append([" " * (size - widest(text)) + text if number == 0 else text + " " * (size - widest(text)) for text in texts])
    return ["  ".join(parts) + "  " for parts in zip(*sized, strict=True)]


def line(head: str, row: dict[str, Any], scale: float, width: int) -> Text:
    """One hit on one line."""
    room = width - widest(head) - 2 * len(BETWEEN)
    match = cut(pieces(row["match"], row["match_words"], row["match_relevances"], scale, bold=True), room // 2)
    side = max(0, (room - measured(match)) // 2)
    left = list(reversed(cut(reversed(list(pieces(row["left"], row["left_words"], row["left_relevances"], scale))), side)))
    right = cut(pieces(row["right"], row["right_words"], row["right_relevances"], scale), side)
    text = Text(no_wrap=True, overflow="ignore")
    text.append(head, style="dim")
    text.append(" " * (side - measured(left)))
    gap = [(BETWEEN, Style())]
    for part in (left, gap, match, gap, right):
        for piece, style in part:
            text.append(piece, style=style)
    return text


def pieces(text: str, words: Sequence[str], relevances: Sequence[float | None], scale: float, *, bold: bool = False) -> Iterator[Piece]:
    """A stretch of text as words, with their colours, and what stands between them."""
    for part, relevance, word in stretches(text, words, relevances):
        yield plain(part), style_of(relevance, scale, bold=bold) if word else Style()


def style_of(relevance: float | None, scale: float, *, bold: bool) -> Style:
    """The colour of a word."""
    if relevance is None or not math.isfinite(relevance):
        return Style(dim=True, bold=bold)
    if relevance == 0:
        return Style(bold=bold)
    red, green, blue = on_white(relevance, scale)
    return Style(color=INK, bgcolor=f"rgb({red},{green},{blue})", underline=relevance < 0, bold=bold)


def cut(found: Iterable[Piece], columns: int) -> list[Piece]:
    """The pieces that fit into some columns, an ellipsis for the rest."""
    kept: list[Piece] = []
    used = 0
    for piece, style in found:
        if used + widest(piece) > columns:
            while kept and used + 1 > columns:
                used -= widest(kept.pop()[0])
            return [*kept, ("…", Style(dim=True))] if columns > 0 else []
        kept.append((piece, style))
        used += widest(piece)
    return kept


def measured(found: Iterable[Piece]) -> int:
    """Columns that pieces take."""
    return sum(widest(piece) for piece, _ in found)
