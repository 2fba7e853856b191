"""One pair as two lines of words with a line for each strong interaction: which word of one text meets which of the other.

Lines are as wide and as dark as their |relevance| on the scale; negative ones have another colour and are dashed. Short texts stand above
one another; long ones stand side by side, one word a line, so that no line of text must be broken. Input: `pair.Pair`, whose module
documents the frames. Words are measured by an estimate (`measure`), for a browser does the drawing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from workbench.graphemes import graphemes
from workbench.viz.escape import attribute, escape
from workbench.viz.figures import count, figure, share
from workbench.viz.grid import Unit
from workbench.viz.interaction_map import account_line
from workbench.viz.measure import right_to_left, width
from workbench.viz.pair import Pair, between_words, sums, units, word_scale
from workbench.viz.palette import SIGN_CLASSES, position
from workbench.viz.styles import style

FONT, BETWEEN, LINE, MARGIN = 15.0, 9.0, 21.0, 6.0
#: Pixels that two lines of text may take; longer texts stand side by side.
ACROSS = 900.0
#: Letters of a word that are shown; all are in its title.
LETTERS = 28
#: Pixels of the widest line, and the least.
WIDEST, THINNEST = 6.0, 0.7


@dataclass(frozen=True, slots=True)
class Placed:
    """A word with the point where its lines end, the point of its text, and how the text stands to that point."""

    unit: Unit
    end: tuple[float, float]
    at: tuple[float, float]
    anchor: str


def arcs(pair: Pair, *, scale: float | None = None, strongest: int = 24, title: str = "") -> str:
    """HTML of one pair with its legend and its own style, for a notebook; no script.

    `scale` is the relevance of the widest line, shared where pairs are compared (None: the pair's own largest between two words);
    `strongest` is the number of interactions drawn, and how much of all they are is said.
    """
    end = scale or word_scale([pair])
    head = Markup('<p class="heading"><bdi>{}</bdi></p>').format(escape(title)) if title else Markup("")
    sheets = style("heatmap", "interaction")
    return str(
        Markup('<div class="workbench">{}{}{}{}</div>').format(sheets, head, arc_legend(end, pair.unit), arc_figure(pair, end, strongest))
    )


def arc_figure(pair: Pair, scale: float, strongest: int = 24) -> Markup:
    """The drawing, what it shows of the whole, and the line of sums, without legend and style, for a page that has both once."""
    drawn = between_words(pair).filter(pl.col("relevance").is_finite(), pl.col("relevance") != 0)
    shown = drawn.head(strongest)
    sizes = [math.fsum(map(abs, frame["relevance"])) for frame in (shown, drawn)]
    part = f" {share(sizes[0] / sizes[1])} of their absolute sum" if sizes[1] else ""
    said = f"{count(len(shown))} of {count(len(drawn))} interactions of words are drawn{',' if part else ''}{part}"
    return Markup('<div class="arcs">{}<p class="sums">{}</p>{}</div>').format(_svg(pair, shown, scale), said, account_line(pair))


def arc_legend(scale: float, unit: str = "cosine") -> Markup:
    """Lines at the end and at a third of the scale, for both signs."""
    samples = [
        Markup(
            '<span class="scale"><svg class="sample" viewBox="0 0 40 10" width="40" height="10" aria-hidden="true">{}</svg>{}</span>'
        ).format(_path("M1 5H39", value, scale, ""), Markup('<span class="number">{}</span>').format(figure(value, 2, signed=True)))
        for value in (-scale, -scale / 3, scale / 3, scale)
    ]
    said = "relevance of two words in units of {}: dashed lowers, solid raises the similarity"
    return Markup('<p class="legend">{}<span>{}</span></p>').format(Markup("").join(samples), said.format(escape(unit)))


def above_one_another(pair: Pair) -> bool:
    """Whether both texts are short enough to stand one above the other."""
    return max((_extent(side) for side in _words(pair)), default=0.0) <= ACROSS


def layout(pair: Pair) -> tuple[list[Placed], list[Placed], float, float]:
    """Both texts' words in place, and width and height of the drawing."""
    sides = _words(pair)
    return _rows(pair, sides) if above_one_another(pair) else _columns(sides)


def _words(pair: Pair) -> list[list[Unit]]:
    return [[unit for unit in units(pair, side) if unit.kind == "word"] for side in ("left", "right")]


def _extent(side: list[Unit]) -> float:
    return sum(_size(unit) + BETWEEN for unit in side)


def _rows(pair: Pair, sides: list[list[Unit]]) -> tuple[list[Placed], list[Placed], float, float]:
    """One text above the other, the shorter one in the middle; a text read from the right begins there."""
    extents = [_extent(side) for side in sides]
    whole = max(extents) + 2 * MARGIN
    high = 90.0 + 60.0 * min(1.0, whole / ACROSS)
    found: list[list[Placed]] = []
    for side, extent, text, above in zip(sides, extents, (pair.left_text, pair.right_text), (True, False), strict=True):
        x, placed = (whole - extent) / 2, []
        for unit in reversed(side) if right_to_left(text) else side:
            middle = x + (_size(unit) + BETWEEN) / 2
            at, end = (FONT + 3, FONT + 11) if above else (FONT + 11 + high + FONT + 5, FONT + 11 + high)
            placed.append(Placed(unit, (middle, end), (middle, at), "middle"))
            x += _size(unit) + BETWEEN
        found.append(placed)
    return found[0], found[1], whole, 2 * FONT + high + 26


def _columns(sides: list[list[Unit]]) -> tuple[list[Placed], list[Placed], float, float]:
    """Side by side, a word a line; the shorter one in the middle."""
    wide = [max((_size(unit) for unit in side), default=0.0) for side in sides]
    apart = 260.0
    whole, high = wide[0] + wide[1] + apart + 2 * MARGIN, max(map(len, sides)) * LINE + 2 * MARGIN
    found: list[list[Placed]] = []
    for side, edge, away, anchor in zip(sides, (wide[0] + MARGIN, wide[0] + MARGIN + apart), (1, -1), ("end", "start"), strict=True):
        top = (high - len(side) * LINE) / 2 + LINE / 2
        points = [(edge, top + LINE * place) for place in range(len(side))]
        found.append([Placed(unit, (x + 7 * away, y), (x, y + FONT * 0.34), anchor) for unit, (x, y) in zip(side, points, strict=True)])
    return found[0], found[1], whole, high


def _svg(pair: Pair, shown: pl.DataFrame, scale: float) -> Markup:
    left, right, whole, high = layout(pair)
    ends = [{place.unit.word: place for place in side} for side in (left, right)]
    met = [set(shown["left_word"]), set(shown["right_word"])]
    lines = [
        _path(_curve(ends[0][one], ends[1][other]), value, scale, f"{first} × {second}   {figure(value, signed=True)}")
        for one, other, first, second, value in reversed(
            shown.select("left_word", "right_word", "left_form", "right_form", "relevance").rows()
        )
    ]
    totals = [sums(pair, side) for side in ("left", "right")]
    words = [
        _word(place, totals[side].get(place.unit.key), tongue, quiet=place.unit.word not in met[side])
        for side, (placed, tongue) in enumerate(((left, pair.left_language), (right, pair.right_language)))
        for place in placed
    ]
    head = f"Strongest of {len(shown)} lines between the words of two texts: " if len(shown) else "No interaction between words: "
    said = head + "; ".join(f"{one} × {other} {figure(value, signed=True)}" for one, other, value in _few(shown))
    return Markup('<div class="frame"><svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}{}</svg></div>').format(
        *(f"{number:.0f}" for number in (whole, high, whole, high)), attribute(said), Markup("").join(lines), Markup("").join(words)
    )


def _few(shown: pl.DataFrame) -> list[tuple[str, str, float]]:
    return [
        (str(one), str(other), float(value)) for one, other, value in shown.head(5).select("left_form", "right_form", "relevance").rows()
    ]


def _curve(start: Placed, end: Placed) -> str:
    """From one word to the other, leaving and arriving at a right angle to the text."""
    (x, y), (u, v) = start.end, end.end
    across, down = (x + u) / 2, (y + v) / 2
    bends = (x, down, u, down) if start.anchor == "middle" else (across, y, across, v)
    return "M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}".format(x, y, *bends, u, v)


def _path(course: str, value: float, scale: float, tip: str) -> Markup:
    strength = abs(position(value, scale))
    sign = SIGN_CLASSES["positive" if value > 0 else "negative"]
    wide = THINNEST + (WIDEST - THINNEST) * strength
    dashed = Markup(' stroke-dasharray="{:.1f} {:.1f}"').format(2 + wide, 1.5 + wide * 0.6) if value < 0 else Markup("")
    named = Markup("<title>{}</title>").format(attribute(tip)) if tip else Markup("")
    beyond = " clipped" if abs(value) > scale * (1 + 1e-9) else ""
    return Markup('<path class="{}{}" d="{}" stroke-width="{:.2f}" stroke-opacity="{:.2f}"{}>{}</path>').format(
        sign, beyond, course, wide, 0.12 + 0.78 * strength, dashed, named
    )


def _word(place: Placed, total: float | None, language: str | None, *, quiet: bool) -> Markup:
    unit = place.unit
    tip = "   ".join(part for part in (unit.form, unit.detail, f"sum {figure(total, signed=True)}") if part)
    tongue = Markup(' lang="{}"').format(attribute(language)) if language else Markup("")
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}{}><title>{}</title>{}</text>').format(
        *place.at, place.anchor, Markup(' class="quiet"') if quiet else "", tongue, attribute(tip), attribute(_short(unit.form))
    )


def _size(unit: Unit) -> float:
    return width(_short(unit.form)) * FONT


def _short(form: str) -> str:
    """A word, cut between two letters where it is too long to be drawn."""
    letters = graphemes(form)
    return form if len(letters) <= LETTERS else form[: letters[LETTERS - 1][0]] + "…"
