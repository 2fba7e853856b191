"""A post as a heatmap: its text exactly as written, each word on the colour of its relevance, the numbers under the pointer."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TypeAlias

import polars as pl
from markupsafe import Markup

from workbench.viz.escape import attribute, escape
from workbench.viz.figures import figure
from workbench.viz.palette import NEGATIVE, POSITIVE, STRONGEST, colour, common_scale, states
from workbench.viz.pieces import TOKEN_COLUMNS, Piece, letter_starts, pieces, require, sums, widened
from workbench.viz.styles import style

#: By model: rows of (start, end, piece, relevance), their starts, and the farthest end so far.
Tokens: TypeAlias = dict[str, tuple[list[tuple[int, int, str, float | None]], list[int], list[int]]]

#: Names of the token for text that a tokenizer has no piece for.
UNKNOWN = frozenset({"[unk]", "<unk>", "unk"})

#: Words and sums beside a post, in the order in which they are shown.
SUM_NAMES = {"word": "words", "special": "special tokens", "uncovered": "outside words"}


def heatmap(
    words: pl.DataFrame,
    *,
    text: str,
    scale: float | None = None,
    title: str = "",
    tokens: pl.DataFrame | None = None,
    unit: str = "logit",
    language: str | None = None,
) -> str:
    """HTML of one post with its legend and its own style, for a notebook; no script.

    `words`: kind, char_start, char_end, relevance (see `pieces`); `tokens`: model, piece, char_start, char_end, special, relevance, shown
    under the pointer. `scale` is the relevance of full colour, shared where posts are compared; None takes the post's own largest.
    """
    end = scale or common_scale(words["relevance"] if "relevance" in words.columns else [])
    head = Markup('<p class="heading"><bdi>{}</bdi></p>').format(escape(title)) if title else Markup("")
    body = post(words, text=text, scale=end, tokens=tokens, language=language)
    return str(Markup('<div class="workbench">{}{}{}{}</div>').format(style("heatmap"), head, legend(end, unit), body))


def post(words: pl.DataFrame, *, text: str, scale: float, tokens: pl.DataFrame | None = None, language: str | None = None) -> Markup:
    """The text and its sums without legend and style, for a page that has both once."""
    known = _by_model(tokens)
    letters = letter_starts(text)
    spans = Markup("").join(_span(text, piece, scale, known, letters) for piece in pieces(text, words))
    language_attribute = Markup(' lang="{}"').format(attribute(language)) if language else Markup("")
    beside = Markup(" · ").join(
        Markup('<span>{} <b class="number">{}</b></span>').format(name, figure(value, signed=True))
        for kind, name in SUM_NAMES.items()
        for value in [sums(words)[kind]]
        if value is not None or kind == "word"
    )
    return Markup('<div class="post"><p class="text" dir="auto"{}><bdi>{}</bdi></p><p class="sums">{}</p></div>').format(
        language_attribute, spans, beside
    )


def legend(scale: float, unit: str = "logit") -> Markup:
    """The scale in units, and what hatched, boxed and grey words mean."""
    ends = [f"rgba({r},{g},{b},{STRONGEST})" for r, g, b in (NEGATIVE, POSITIVE)]
    bar = Markup('<span class="bar" style="background:linear-gradient(90deg,{},transparent,{})"></span>').format(*ends)
    return Markup(
        '<p class="legend"><span class="scale"><span class="number">{}</span>{}<span class="number">{}</span></span>'
        '<span>relevance in units of the {}: <span class="w against">against</span> and <span class="w for">for</span> the class</span>'
        '<span class="w missing">not seen by the model</span><span class="w invalid">not a number</span>'
        '<span class="w clipped">beyond the scale</span></p>'
    ).format(figure(-scale), bar, figure(scale, signed=True), escape(unit))


def _span(text: str, piece: Piece, scale: float, tokens: Tokens, letters: list[int]) -> Markup:
    written = escape(text[piece.start : piece.end])
    if not piece.words:
        return written
    background = colour(piece.relevance, scale)
    shade = Markup(' style="background-color:{0};border-color:{0}"').format(background) if background else Markup("")
    return Markup('<span class="{}"{} data-tip="{}">{}</span>').format(
        " ".join(["w", *states(piece.relevance, scale)]), shade, attribute(_tip(text, piece, tokens, letters)), written
    )


def _tip(text: str, piece: Piece, tokens: Tokens, letters: list[int]) -> str:
    number = "not seen by the model" if piece.relevance is None else figure(piece.relevance, signed=True)
    shared = f" ({piece.words} words that share a letter)" if piece.words > 1 else ""
    lines = [f"{text[piece.start : piece.end]}   {number}{shared}"]
    for model, (rows, starts, reach) in tokens.items():
        near = rows[bisect_right(reach, piece.start) : bisect_left(starts, piece.end)]
        met = [
            (*widened(letters, len(text), start, end), name, value) for start, end, name, value in near if piece.start < end <= len(text)
        ]
        if met:
            lines.append(f"{model}:  " + "  ".join(_tokens(text, met)))
    return "\n".join(lines)


def _tokens(text: str, met: list[tuple[int, int, str, float | None]]) -> list[str]:
    """Tokens as the text that they cover; those that share a letter stand as one with their sum, so that no conjunct is cut."""
    merged: list[tuple[int, int, float, int]] = []
    unknown: set[int] = set()
    for start, end, name, value in met:
        number = math.nan if value is None else value
        if merged and start < merged[-1][1]:
            first, last, total, tokens = merged.pop()
            merged.append((first, max(last, end), total + number, tokens + 1))
        else:
            merged.append((start, end, number, 1))
        if name.lower() in UNKNOWN:
            unknown.add(len(merged))
    return [
        f"{text[start:end]}{' [unknown]' if place in unknown else ''} {figure(total, signed=True)}"
        + (f" ({tokens} tokens)" if tokens > 1 else "")
        for place, (start, end, total, tokens) in enumerate(merged, 1)
    ]


def _by_model(tokens: pl.DataFrame | None) -> Tokens:
    """For each model its tokens with a span in order of place, where they start, and how far they and those before them reach."""
    if tokens is None:
        return {}
    require(tokens, TOKEN_COLUMNS, "tokens")
    seen = tokens.filter(~pl.col("special") & (pl.col("char_end") > pl.col("char_start"))).sort("model", "char_start", "char_end")
    found: Tokens = {}
    for (model,), part in seen.group_by("model", maintain_order=True):
        rows = part.select("char_start", "char_end", "piece", "relevance").rows()
        found[str(model)] = rows, [row[0] for row in rows], part["char_end"].cum_max().to_list()
    return found
