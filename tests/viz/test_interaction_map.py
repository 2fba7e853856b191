"""A map of interactions keeps every cell, its sums and its scale, whatever the texts hold."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.conftest import build_pair, pair_words
from workbench.errors import InputError
from workbench.viz.figures import figure
from workbench.viz.interaction_map import interaction_map, map_chart, map_table
from workbench.viz.measure import right_to_left, width
from workbench.viz.pair import accounts, between_words, coloured, gap, sums, units, word_scale
from workbench.viz.palette import STRONGEST

ARABIC = "وصل القطار القادم"


class Table(HTMLParser):
    """Cells of the table by class, heads of columns and rows."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[dict[str, Any]] = []
        self.heads: dict[str, list[str]] = {"col": [], "row": []}
        self.scope = ""
        self.open: dict[str, Any] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "th":
            self.scope = str(named["scope"])
            self.heads[self.scope].append("")
        if tag == "td":
            self.open = {"text": "", **named}
            self.cells.append(self.open)

    def handle_endtag(self, tag: str) -> None:
        self.scope = "" if tag == "th" else self.scope
        self.open = None if tag == "td" else self.open

    def handle_data(self, data: str) -> None:
        if self.scope:
            self.heads[self.scope][-1] += data
        if self.open is not None:
            self.open["text"] += data


def read(html: str) -> Table:
    found = Table()
    found.feed(html)
    return found


def drawn(table: Table) -> list[dict[str, Any]]:
    return [cell for cell in table.cells if "x" in str(cell.get("class", "")).split()]


def test_every_cell_head_and_sum_is_there(pair: Any) -> None:
    example = pair()
    found = read(map_table(example, word_scale([example])))
    assert found.heads["col"] == ["মানুষটি", "গিটার", "বাজায়", "now", "special tokens", "positions", "biases", "sum"]
    assert found.heads["row"] == ["A", "man", "plays", "special tokens", "positions", "biases", "sum"]
    assert len(drawn(found)) == example.cells.height == 42
    assert sum("apart" in cell["class"] for cell in drawn(found)) == 42 - 3 * 4
    total = next(cell for cell in found.cells if "total" in str(cell.get("class")))
    assert total["text"] == figure(example.similarity)


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from([-1, 0, 1]))
@settings(max_examples=60, deadline=None)
def test_accounts_and_margins_sum_to_the_similarity(left: str, right: str, sign: int) -> None:
    example = build_pair(left, right, sign)
    assert math.fsum(accounts(example).values()) == pytest.approx(example.similarity)
    for side in ("left", "right"):
        assert math.fsum(sums(example, side).values()) == pytest.approx(example.similarity)
        assert {unit.key for unit in units(example, side)} == set(sums(example, side))
    assert gap(example) == pytest.approx(0, abs=1e-9)
    assert interaction_map(example).count("<tr") == len(units(example, "left")) + 2


def test_a_cell_belongs_to_the_less_textual_of_its_two_kinds(pair: Any) -> None:
    kinds = ("word", "special", "positions", "bias", "rest")
    rows = [
        ("word", 0, "word", 0, 1.0),
        ("word", 0, "bias", None, -0.5),
        ("special", None, "word", 1, 0.25),
        ("positions", None, "special", None, 2.0),
    ]
    rows.append(("rest", None, "rest", None, 0.125))
    cells = pl.DataFrame(rows, schema=["left_kind", "left_word", "right_kind", "right_word", "relevance"], orient="row")
    example = pair(cells=cells, similarity=3.0)
    assert accounts(example) == dict(zip(kinds, (1.0, 0.25, 2.0, -0.5, 0.125), strict=True))
    assert gap(example) == pytest.approx(0.125)
    html = interaction_map(example)
    assert "the similarity is 3.00: 0.125 of it is in no cell" in html
    assert "not kept <b" in html
    assert read(html).heads["row"] == ["A", "man", "plays", "special tokens", "positions", "sum"]


def test_one_scale_for_all_pairs_of_a_page_and_cells_beyond_it_are_boxed(pair: Any) -> None:
    weak, strong = (
        pair(sign=1),
        pair("one two", "three", cells=pair("one two", "three").cells.with_columns(pl.lit(0.4).alias("relevance")), similarity=None),
    )
    assert word_scale([weak, strong]) == pytest.approx(max(0.4, between_words(weak)["relevance"].max()))
    cells = drawn(read(map_table(weak, 0.1)))
    over = [cell for cell in cells if "clipped" in cell["class"]]
    assert len(over) == weak.cells.filter(pl.col("relevance") > 0.1).height > 0
    assert {cell["style"] for cell in over} == {f"background-color:rgba(213,94,0,{STRONGEST:.3f})"}


@pytest.mark.parametrize(("sign", "channel"), [(1, "213,94,0"), (-1, "0,114,178")])
def test_all_cells_of_one_sign_have_one_colour(pair: Any, sign: int, channel: str) -> None:
    html = map_table(pair(sign=sign), 0.2)
    other = {"213,94,0": "0,114,178", "0,114,178": "213,94,0"}[channel]
    assert channel in html
    assert other not in html


def test_missing_and_broken_numbers_look_different(pair: Any) -> None:
    cells = pair().cells.with_columns(
        pl.when(pl.int_range(pl.len()) == 0)
        .then(None)
        .when(pl.int_range(pl.len()) == 1)
        .then(math.nan)
        .otherwise("relevance")
        .alias("relevance")
    )
    found = drawn(read(map_table(pair(cells=cells.tail(41), similarity=None), 0.2)))
    assert [cell["class"] for cell in found[:2]] == ["x absent", "x invalid"]
    found = drawn(read(map_table(pair(cells=cells, similarity=None), 0.2)))
    assert [cell["text"] for cell in found[:2]] == ["–", "NaN"]
    assert "missing" in found[0]["class"]


def test_numbers_stand_in_the_cells_of_short_texts_only(pair: Any) -> None:
    short, long = pair(), pair(" ".join(f"word{place}" for place in range(60)), "one two")
    assert any(cell["text"] for cell in drawn(read(map_table(short, 0.2))))
    assert not any(cell["text"] for cell in drawn(read(map_table(long, 0.2))))
    assert 'class="map dense' in map_table(long, 0.2)


def test_words_that_are_read_from_the_right_stand_from_the_right(pair: Any) -> None:
    found = read(map_table(pair("the train", ARABIC), 0.2))
    assert found.heads["col"][:3] == ARABIC.split()[::-1]
    assert right_to_left("(1) " + ARABIC)
    assert not right_to_left("12 মানুষ " + ARABIC)


def test_width_counts_letters_and_not_their_marks() -> None:
    assert width("ক্ষ") == pytest.approx(2 * width("ক"))
    assert width("漢") > width("a") > width("i") > 0


def test_words_carry_their_sums_over_the_other_text(pair: Any) -> None:
    example = pair()
    frame = coloured(example, "left")
    assert frame["relevance"].to_list() == pytest.approx([sums(example, "left")["word", place] for place in range(3)])


def test_the_chart_holds_the_cells_of_words_on_a_symmetric_scale(pair: Any) -> None:
    example = pair('A man\'s "plays"', ARABIC)
    chart = map_chart(example, scale=0.3).to_dict()
    (rows,) = chart["datasets"].values()
    assert len(rows) == between_words(example).height
    encoding = chart["layer"][0]["encoding"]
    assert encoding["color"]["scale"]["domain"] == [-0.3, 0, 0.3]
    assert encoding["x"]["sort"] == "descending"
    assert '"\\"plays\\""' in encoding["y"]["axis"]["labelExpr"]
    assert "from words" in str(chart["title"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cells": pl.DataFrame({"left_word": [0]})}, "no column left_kind"),
        ({"left_text": "A"}, "a word at 2-5 in a text of 1 characters"),
        ({"left_words": pair_words("A man plays").head(1)}, "cells of words"),
        ({"cells": pl.concat([build_pair().cells] * 2)}, "the same two units twice"),
        ({"left_words": pl.concat([pair_words("A man plays")] * 2)}, "the same word twice"),
        ({"right_words": pl.DataFrame({"word": [1]})}, "no column char_start"),
    ],
)
def test_frames_that_do_not_fit_are_refused(pair: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pair(**changes)
