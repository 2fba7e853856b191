"""Charts hold the numbers that they were given."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from workbench.errors import InputError
from workbench.viz import charts
from workbench.viz.drawing import svg


def rows_of(chart: Any) -> list[list[dict[str, Any]]]:
    return list(chart.to_dict()["datasets"].values())


def test_shares_of_the_ledger_sum_to_one(data: Any) -> None:
    found = max(rows_of(charts.accounts(data().ledger)), key=len)
    for model in data().ledger["model"]:
        assert sum(row["share"] for row in found if row["model"] == model) == pytest.approx(1.0, abs=1e-6)


def test_all_gaps_are_counted_and_the_bar_is_shown(data: Any) -> None:
    found = rows_of(charts.gaps(data().gaps))
    assert sum(row["explanations"] for row in max(found, key=len)) == data().gaps.height
    assert [{"at": -4.0}] in found


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e-30, 5.0], [float("nan"), 1e-7]])
def test_gaps_of_any_size_are_drawn(values: list[float]) -> None:
    frame = pl.DataFrame({"model": ["a", "a"], "relative_gap": values})
    assert svg(charts.gaps(frame), "gaps").startswith("<svg viewBox=")


def test_faithfulness_has_random_order_behind_it(data: Any) -> None:
    chart = charts.faithfulness(data().faithfulness, "comprehensiveness")
    band = next(found for found in rows_of(chart) if found and set(found[0]) == {"low", "high"})
    assert band == [{"low": pytest.approx(0.084 * 0.86 - 0.02), "high": pytest.approx(0.084 + 0.022)}]
    drawn = svg(chart, 'methods "and" intervals')
    assert "integrated gradients" in drawn
    assert 'aria-label="methods &#34;and&#34; intervals"' in drawn
    assert "currentColor" in drawn


def test_terms_are_for_the_browser_with_fonts_that_shape_bengali(data: Any) -> None:
    chart = charts.terms(data().terms, "Political").to_dict()
    assert "Noto Sans Bengali" in chart["config"]["font"]
    assert {row["label"] for found in chart["datasets"].values() for row in found if "label" in row} == {"Political"}


def test_parts_of_speech_show_occurrences(data: Any) -> None:
    assert "NOUN (40,000)" in svg(
        charts.parts_of_speech(data().parts_of_speech.filter(pl.col("label") == "Personal").drop("low", "high")), "parts"
    )


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="no column relative_gap"):
        charts.gaps(pl.DataFrame({"gap": [0.1]}))
