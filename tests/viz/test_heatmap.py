"""A heatmap keeps the text, its letters and its sums."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.graphemes import graphemes
from workbench.viz import palette
from workbench.viz.heatmap import heatmap
from workbench.viz.pieces import pieces, sums

SCHEMA = {"kind": pl.String, "char_start": pl.Int32, "char_end": pl.Int32, "relevance": pl.Float64}
LETTERS = st.one_of(
    st.sampled_from(
        [
            "ক্ষ",
            "স্ত্রী",
            "ন্ত",
            "র‍্য",
            "কি",
            "কো",
            "ৎ",
            "।",
            " ",
            "\n",
            "\t",
            "  ",
            "১২",
            "<b>",
            "&amp;",
            "\u202e",
            "\u2066",
            "\x00",
            "\r",
            "👩‍👩‍👧",
            "ي",
        ]
    ),
    st.text(max_size=3),
)
TEXTS = st.lists(LETTERS, max_size=20).map("".join)


class Post(HTMLParser):
    """Text of the element with class `text`, and classes, style and tip of each word in it."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.text = ""
        self.words: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "p":
            self.inside = named.get("class") == "text"
        if self.inside and (named.get("class") or "").split(" ")[0] == "w":
            self.words.append({"text": "", **named})

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "p"

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


def read(html: str) -> Post:
    post = Post()
    post.feed(html)
    post.close()
    return post


def frame(*rows: tuple[str, int | None, int | None, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@st.composite
def covered(draw: st.DrawFn) -> tuple[str, pl.DataFrame]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    values = st.one_of(st.none(), st.floats(-5, 5), st.just(math.nan))
    return text, frame(*[("word", start, end, draw(values)) for start, end in pairwise(cuts)])


@given(covered())
@settings(max_examples=300, deadline=None)
def test_text_is_kept_character_by_character(example: tuple[str, pl.DataFrame]) -> None:
    text, words = example
    written = "".join("\u2400" if letter == "\x00" else "\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    assert read(heatmap(words, text=text)).text == written


@given(covered())
@settings(max_examples=300, deadline=None)
def test_pieces_cover_the_text_cut_no_letter_and_keep_the_sum(example: tuple[str, pl.DataFrame]) -> None:
    text, words = example
    found = pieces(text, words)
    assert "".join(text[piece.start : piece.end] for piece in found) == text
    letters = {start for start, _ in graphemes(text)} | {len(text)}
    assert {piece.start for piece in found} <= letters
    shown = sum(piece.relevance or 0.0 for piece in found)
    given_sum = sum(value or 0.0 for value in words["relevance"])
    assert shown == pytest.approx(given_sum, abs=1e-9, nan_ok=True)


def test_words_that_share_a_conjunct_are_one() -> None:
    text = "স্ত্রী গেল"
    found = read(heatmap(frame(("word", 0, 3, 0.25), ("word", 3, 6, 0.5), ("word", 7, 10, -0.5)), text=text))
    assert [word["data-tip"] for word in found.words] == ["স্ত্রী   +0.750 (2 words that share a letter)", "গেল   −0.500"]


def test_numbers_signs_and_gaps_are_told_apart() -> None:
    words = frame(
        ("word", 0, 1, 1.0),
        ("word", 2, 3, -1.0),
        ("word", 4, 5, 0.0),
        ("word", 6, 7, None),
        ("word", 8, 9, math.nan),
        ("word", 10, 11, 9.0),
        ("special", None, None, 0.25),
        ("uncovered", None, None, -0.125),
    )
    html = heatmap(words, text="a b c d e f", scale=2.0)
    found = read(html).words
    assert [word["class"] for word in found] == ["w for", "w against", "w none", "w missing", "w invalid", "w for clipped"]
    assert [bool(word.get("style")) for word in found] == [True, True, False, False, False, True]
    assert "special tokens <b" in html
    assert "+0.250" in html
    assert "−0.125" in html
    assert "rgba(213,94,0,0.360)" in html
    assert "rgba(0,114,178,0.360)" in html


def test_pointer_shows_tokens_of_each_model(words: Any, tokens: Any) -> None:
    text = "মন্ত্রী এলেন"
    found = read(heatmap(words(text), text=text, tokens=tokens(text, models=("one", "two"))))
    tip = str(found.words[0]["data-tip"])
    lines = tip.split("\n")
    assert lines[0].startswith("মন্ত্রী")
    assert [line.split(":")[0] for line in lines[1:]] == ["one", "two"]
    assert "এলেন" not in tip


def test_tokens_that_share_a_letter_are_shown_as_one_with_their_sum() -> None:
    text = "ক্ষমা"
    rows = [("m", name, start, start + 1, False, 0.25) for start, name in enumerate(["ক", "্", "ষ", "[UNK]", "া"])]
    tokens = pl.DataFrame(rows, schema=["model", "piece", "char_start", "char_end", "special", "relevance"], orient="row")
    found = read(heatmap(frame(("word", 0, 5, 1.25)), text=text, tokens=tokens))
    assert str(found.words[0]["data-tip"]).split("\n")[1] == "m:  ক্ষ +0.750 (3 tokens)  মা [unknown] +0.500 (2 tokens)"


def test_sums_are_by_kind() -> None:
    words = frame(("word", 0, 1, 1.0), ("word", 1, 2, None), ("special", None, None, 0.25))
    assert sums(words) == {"word": 1.0, "special": 0.25, "uncovered": None}


@pytest.mark.parametrize("span", [(0, 9), (-1, 1), (2, 1), (None, 1)])
def test_spans_outside_of_the_text_are_refused(span: tuple[int | None, int]) -> None:
    with pytest.raises(InputError, match="in a text of 3 characters"):
        heatmap(frame(("word", *span, 1.0)), text="abc")


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="no column char_start, char_end"):
        heatmap(pl.DataFrame({"kind": ["word"], "relevance": [1.0]}), text="abc")


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_palette_is_centred_at_zero_and_symmetric(value: float, scale: float) -> None:
    assert palette.colour(0.0, scale) is None
    up, down = palette.colour(value, scale), palette.colour(-value, scale)
    assert up is not None
    assert down is not None
    assert up.removeprefix("rgba(213,94,0,") == down.removeprefix("rgba(0,114,178,")
    assert palette.position(value, scale) == -palette.position(-value, scale)


@pytest.mark.parametrize(
    ("paper", "ink"), [((255, 253, 248), (28, 27, 25)), ((25, 24, 22), (233, 229, 220)), ((255, 255, 255), (28, 27, 25))]
)
@pytest.mark.parametrize("end", [palette.POSITIVE, palette.NEGATIVE])
def test_text_can_be_read_on_the_strongest_colour(paper: tuple[int, ...], ink: tuple[int, ...], end: tuple[int, ...]) -> None:
    mixed = [under + (over - under) * palette.STRONGEST for under, over in zip(paper, end, strict=True)]

    def luminance(channels: Any) -> float:
        linear = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (channel / 255 for channel in channels)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(mixed), luminance(ink)))
    assert (high + 0.05) / (low + 0.05) >= 4.5


#: Machado, Oliveira and Fernandes 2009, severity 1.0: protanopia, deuteranopia, tritanopia.
BLINDNESS = (
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
)


@pytest.mark.parametrize("matrix", BLINDNESS)
def test_ends_differ_for_colour_blind_eyes(matrix: tuple[tuple[float, ...], ...]) -> None:
    seen = [
        [sum(weight * channel for weight, channel in zip(row, end, strict=True)) for row in matrix]
        for end in (palette.POSITIVE, palette.NEGATIVE)
    ]
    assert math.dist(*seen) > 100
