"""Charts of effects: what is drawn, named and coloured; a page that needs no network."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from workbench.errors import InputError
from workbench.viz.chart_page import write_chart
from workbench.viz.charts import AGAINST, FOR, GREY
from workbench.viz.effect_charts import effects
from workbench.viz.grammar_charts import lifts
from workbench.viz.keyness_charts import key_items

ROWS = pl.DataFrame(
    {
        "label": ["a", "a", "a", "b"], "relation": ["nsubj", "<b>\u202e", "obj", "নাম"], "lift": [2.0, 0.5, 1.0, 3.0],
        "lift_low": [1.5, 0.2, 0.5, 0.0], "lift_high": [2.5, 0.9, 1.5, 9.0], "occurrences": [5, 4, 3, 2],
    }
)  # fmt: skip


def data(chart: dict[str, object], column: str) -> list[object]:
    """Every value of a column in the data of a chart."""
    sets = chart["datasets"]
    assert isinstance(sets, dict)
    return [row[column] for rows in sets.values() for row in rows if column in row]


def test_effects_clear_of_nothing_are_coloured() -> None:
    spec = effects(ROWS, "relation", "lift", none=1.0, log=True).to_dict()
    assert data(spec, "colour") == [FOR, AGAINST, GREY, GREY]
    assert "‹b>⟨RLO⟩" in data(spec, "name")
    assert min(value for value in data(spec, "lift_low") if isinstance(value, float)) > 0


def test_every_class_has_its_panel_and_numbers_keep_their_order() -> None:
    spec = lifts(ROWS, "relations").to_dict()
    assert [panel["title"]["text"] for panel in spec["vconcat"]] == ["a", "b"]
    places = pl.DataFrame(
        {"label": ["a"] * 3, "position": [1, 2, 3], "lift": [1.0, 3.0, 2.0], "lift_low": [0.5] * 3, "lift_high": [4.0] * 3}
    )
    panel = lifts(places).to_dict()["vconcat"][0]
    assert panel["layer"][1]["encoding"]["y"]["sort"] == ["1", "2", "3"]
    with pytest.raises(InputError, match="without lifts"):
        lifts(ROWS.drop("lift_low"))


def test_key_items_are_named_where_they_are_significant(tmp_path: Path) -> None:
    frame = ROWS.select(
        item="relation", side=pl.lit("focus"), significant=pl.col("lift") > 1, q_value=pl.lit(0.01), documents="occurrences",
        focus_documents="occurrences", reference_documents="occurrences", frequency=pl.col("lift") * 1000.0, log_ratio="lift",
        lift="lift", lift_low="lift_low", lift_high="lift_high", reference_frequency="lift", reference_lift="lift",
        reference_lift_low="lift_low", reference_lift_high="lift_high",
    )  # fmt: skip
    chart = key_items(frame, "keys")
    assert sorted(name for name in data(chart.to_dict(), "name") if name) == ["nsubj", "নাম"]
    write_chart(chart, tmp_path / "keys.json")
    assert "নাম" in data(json.loads((tmp_path / "keys.json").read_text("utf-8")), "item")
    with pytest.raises(InputError, match=r"end it in \.html"):
        write_chart(chart, tmp_path / "keys.png")
