"""Contributions of a translation: every cell in its place, a line between source and prefix, shares that are what they say."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.viz.test_interaction_map import drawn, read
from workbench.errors import InputError
from workbench.viz.contribution_charts import contribution_curve, contribution_groups
from workbench.viz.contribution_map import (
    ContributionData,
    contribution_map,
    contribution_scale,
    contribution_table,
    share_strip,
    source_shares,
)
from workbench.viz.drawing import svg


def translation(source: str = "un homme rouge", output: str = "a red man", **changes: Any) -> ContributionData:
    sources, steps = source.split(), output.split()
    cells = [(step, "source", place, 0.3 if step == place else -0.1) for step in range(len(steps)) for place in range(len(sources))]
    cells += [(step, "prefix", place, 0.25) for step in range(len(steps)) for place in range(step)]
    cells += [(step, kind, None, -0.05) for step in range(len(steps)) for kind in ("beginning", "biases")]
    fields: dict[str, Any] = {
        "sources": pl.DataFrame({"place": list(range(len(sources))), "form": sources}),
        "steps": pl.DataFrame({"step": list(range(len(steps))), "form": steps}),
        "cells": pl.DataFrame(cells, schema=["step", "kind", "place", "relevance"], orient="row"),
    }
    return ContributionData(**(fields | changes))


def test_rows_are_steps_and_a_line_stands_between_source_and_prefix() -> None:
    found = read(contribution_table(translation(), 0.3))
    assert found.heads["row"] == ["a", "red", "man", "sum"]
    assert found.heads["col"] == ["un", "homme", "rouge", "a", "red", "start tokens", "biases", "sum"]
    classes = [str(cell["class"]).split() for cell in drawn(found)[:7]]
    assert ["line" in names for names in classes] == [False, False, False, True, False, False, False]
    assert ["gap" in names for names in classes] == [False, False, False, False, False, True, False]
    absent = [cell["class"] for cell in drawn(found) if "absent" in cell["class"]]
    assert len(absent) == 3, "a word has no prefix of itself or later"


def test_sums_are_of_steps_and_of_sources() -> None:
    html = contribution_table(translation(), 0.3)
    sums = [cell["text"] for cell in read(html).cells if "sum" in str(cell.get("class")).split()]
    assert sums[:3] == ["0", "+0.25", "+0.50"]
    assert sums[3:] == ["+0.10", "+0.10", "+0.10", "+0.50", "+0.25", "−0.15", "−0.15", "0.750"]


def test_shares_of_the_source_are_computed_from_sizes_or_taken_as_given() -> None:
    assert source_shares(translation())["source_share"].to_list() == pytest.approx([1.0, 0.5 / 0.75, 0.5])
    given = pl.DataFrame({"step": [0, 1, 2], "form": ["a", "red", "man"], "source_share": [0.9, None, 0.25]})
    assert source_shares(translation(steps=given))["source_share"].to_list() == [0.9, None, 0.25]
    html = share_strip(translation(steps=given))
    assert html.count('class="step"') == 3
    assert "height:25%" in html
    assert html.count('class="unknown"') == 1
    assert "from the second word on: mean 25 %, least 25 % (<bdi>man</bdi>)" in html


def test_one_scale_for_all_translations_of_a_page() -> None:
    loud = translation(cells=translation().cells.with_columns(pl.col("relevance") * 10))
    assert contribution_scale([translation(), loud]) == pytest.approx(3.0)
    assert "+3.00" in contribution_map(translation(), scale=3.0)


def test_a_text_from_the_right_stands_from_the_right() -> None:
    drawn_ = contribution_map(translation("the train", "وصل القطار"))
    assert 'class="strip" dir="rtl"' in drawn_
    assert read(drawn_).heads["col"][:3] == ["the", "train", "وصل"]


def test_an_empty_output_and_no_cells_are_drawn() -> None:
    empty = translation("", "")
    assert source_shares(empty).height == 0
    assert "<table>" in contribution_map(empty)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, "magic", None, 1.0), "kinds magic"),
        ((0, "source", 9, 1.0), "a cell of step 0 and source 9"),
        ((7, "biases", None, 1.0), "a cell of step 7"),
        ((1, "prefix", 1, 1.0), "step 1 with the later prefix 1"),
        ((0, "biases", None, 1.0), "the same cell twice"),
    ],
)
def test_cells_that_cannot_be_are_refused(row: tuple[Any, ...], message: str) -> None:
    cells = translation().cells
    with pytest.raises(InputError, match=message):
        translation(cells=pl.concat([cells, pl.DataFrame([row], schema=cells.schema, orient="row")]))


def test_words_of_two_annotators_are_refused() -> None:
    with pytest.raises(InputError, match="the same step twice"):
        translation(steps=pl.concat([translation().steps] * 2))


def curve(**columns: Any) -> pl.DataFrame:
    rows = [
        (system, (place + 0.5) / 5, 0.8 - place / 50, 0.78 - place / 50, 0.82 - place / 50, 100)
        for system in ("small", "large")
        for place in range(5)
    ]
    frame = pl.DataFrame(rows, schema=["system", "position", "mean", "low", "high", "sentences"], orient="row")
    return frame.with_columns(**columns)


def test_curves_have_bands_and_say_where_their_axis_starts() -> None:
    chart = contribution_curve(curve()).to_dict()
    band, line, _ = chart["layer"]
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("low", "high")
    assert line["encoding"]["strokeDash"]["scale"]["domain"] == ["small", "large"]
    drawing = svg(contribution_curve(curve()), "curve")
    assert "axis not from 0" in drawing
    assert "relative position in the output" in drawing
    absolute = svg(contribution_curve(curve(position=pl.col("position") * 5), zero=True, per_cent=False, along="source"), "curve")
    assert "axis not from 0" not in absolute
    assert ">position in the source<" in absolute


def test_groups_are_drawn_by_system() -> None:
    frame = curve().with_columns(pl.lit("NOUN").alias("group"), pl.lit(7).alias("steps")).unique("system", maintain_order=True)
    assert "large" in svg(contribution_groups(frame), "groups")
    with pytest.raises(InputError, match="no column group"):
        contribution_groups(curve())
