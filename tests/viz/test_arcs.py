"""Arcs draw the strongest interactions, say how much of all they are, and keep words apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import regex

from workbench.viz.arcs import ACROSS, arc_figure, arcs, layout
from workbench.viz.pair import between_words

LONG = " ".join(f"word{place}" for place in range(60))
PATH = regex.compile(r'<path class="([a-z ]+)" d="([^"]+)" stroke-width="([\d.]+)" stroke-opacity="([\d.]+)"([^>]*)><title>([^<]+)</title>')


def test_the_strongest_are_drawn_and_their_part_is_said(pair: Any) -> None:
    example = pair()
    ranked = between_words(example)
    html = arc_figure(example, 0.2, strongest=5)
    lines = PATH.findall(html)
    part = ranked["relevance"].abs().head(5).sum() / ranked["relevance"].abs().sum()
    assert len(lines) == 5
    assert f"5 of {ranked.height} interactions of words are drawn, {part:.1%} of their absolute sum".replace("%", " %") in html
    assert [float(line[2]) for line in lines] == sorted(float(line[2]) for line in lines), "the strongest lies on top"
    assert lines[-1][5].startswith(f"{ranked['left_form'][0]} × {ranked['right_form'][0]}")


def test_signs_differ_in_colour_and_in_dashes(pair: Any) -> None:
    for classes, _, _, _, rest, title in PATH.findall(arc_figure(pair(), 0.2, strongest=99)):
        assert ("against" in classes) == ("stroke-dasharray" in rest) == ("−" in title)


def test_strength_is_linear_on_the_given_scale_and_cut_at_its_end(pair: Any) -> None:
    narrow, wide = (PATH.findall(arc_figure(pair(sign=1), scale, strongest=1))[0] for scale in (10.0, 1e-4))
    assert float(narrow[2]) < 0.9
    assert float(wide[2]) == 6.0
    assert "clipped" in wide[0]
    assert "clipped" not in narrow[0]


@pytest.mark.parametrize("texts", [("a b c", "d e"), (LONG, "one two"), ("", "one"), ("স্ত্রী " * 9, "وصل القطار القادم من ليون")])
def test_words_never_lie_upon_another_and_stay_inside(pair: Any, texts: tuple[str, str]) -> None:
    left, right, width, height = layout(pair(*texts))
    for side in (left, right):
        for one, other in pairwise(sorted(side, key=lambda place: place.at)):
            assert other.at[0] - one.at[0] > 8 or abs(other.at[1] - one.at[1]) > 15
        assert all(0 <= x <= width and 0 <= y <= height for place in side for x, y in (place.at, place.end))


def test_long_texts_stand_side_by_side(pair: Any) -> None:
    left, right, width, height = layout(pair(LONG, LONG))
    assert {place.anchor for place in left} == {"end"}
    assert {place.anchor for place in right} == {"start"}
    assert width < ACROSS < height


def test_a_text_from_the_right_begins_there(pair: Any) -> None:
    _, right, _, _ = layout(pair("the train", "وصل القطار القادم"))
    assert [place.unit.word for place in sorted(right, key=lambda place: place.at)] == [2, 1, 0]


def test_endless_words_are_cut_between_letters_and_whole_in_the_title(pair: Any) -> None:
    word = "ক্ষ" * 60
    html = arcs(pair(word, "x"))
    assert f"<title>{word}" in html
    assert "ক্ষ" * 27 + "…</text>" in html


def test_nothing_to_draw_is_said(pair: Any) -> None:
    example = pair()
    html = arcs(pair(cells=example.cells.clear(), similarity=None))
    assert "0 of 0 interactions of words are drawn" in html
    assert "No interaction between words" in html
