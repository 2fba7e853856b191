"""Hits in their context as a table: the match in the middle, every word on the colour of its relevance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from workbench.viz.escape import attribute, escape
from workbench.viz.figures import figure
from workbench.viz.palette import colour, common_scale, states
from workbench.viz.pieces import require
from workbench.viz.styles import style

PARTS = ("left", "match", "right")
#: Columns that stand in front of the context where they tell rows apart.
BESIDE = ("identifier", "explained", "role")


def concordance(frame: pl.DataFrame, *, said: str = "", scale: float | None = None) -> str:
    """HTML of a concordance (`workbench.patterns.concordance`) with its own style, for a notebook; no script.

    `scale` is the relevance of full colour, shared where concordances are compared; None takes the largest there is.
    """
    require(frame, ("relevance", *(f"{part}{what}" for part in PARTS for what in ("", "_words", "_relevances"))), "a concordance")
    values = [value for part in PARTS for value in frame[f"{part}_relevances"].explode(empty_as_null=True)]
    end = scale or common_scale(values)
    beside = [name for name in BESIDE if name in frame.columns and (name == "identifier" or frame[name].n_unique() > 1)]
    rows = Markup("").join(_row(row, beside, end) for row in frame.iter_rows(named=True))
    head = Markup('<p class="sums">{}</p>').format(escape(said)) if said else Markup("")
    return str(Markup('<div class="workbench">{}{}<table class="concordance"><tbody>{}</tbody></table></div>').format(
        style("heatmap", "concordance"), head, rows))  # fmt: skip


def stretches(text: str, words: Sequence[str], relevances: Sequence[float | None]) -> Iterator[tuple[str, float | None, bool]]:
    """A stretch of text as its words with their relevance, and what stands between them (no word)."""
    place = 0
    for word, relevance in zip(words, relevances, strict=True):
        found = text.find(word, place)
        if found < 0:
            continue
        if found > place:
            yield text[place:found], None, False
        yield word, relevance, True
        place = found + len(word)
    if place < len(text):
        yield text[place:], None, False


def _row(row: dict[str, Any], beside: list[str], scale: float) -> Markup:
    cells = Markup("").join(Markup("<td><bdi>{}</bdi></td>").format(escape(row[name] or "")) for name in beside)
    context = Markup("").join(Markup('<td class="{}"><bdi>{}</bdi></td>').format(part, _words(row, part, scale)) for part in PARTS)
    return Markup('<tr><td class="number">{}</td>{}{}</tr>').format(figure(row["relevance"], signed=True), cells, context)


def _words(row: dict[str, Any], part: str, scale: float) -> Markup:
    return Markup("").join(
        _word(text, relevance, scale) if word else escape(text)
        for text, relevance, word in stretches(row[part], row[f"{part}_words"], row[f"{part}_relevances"])
    )


def _word(text: str, relevance: float | None, scale: float) -> Markup:
    background = colour(relevance, scale)
    shade = Markup(' style="background-color:{0};border-color:{0}"').format(background) if background else Markup("")
    number = "not seen by the model" if relevance is None else figure(relevance, signed=True)
    names = " ".join(["w", *states(relevance, scale)])
    return Markup('<span class="{}"{} title="{}">{}</span>').format(names, shade, attribute(number), escape(text))
