"""A frame as an HTML table: numbers as a reader meets them, texts through the gate."""

from __future__ import annotations

import polars as pl

from workbench.viz.frame_table import data, frame_table


def test_numbers_intervals_and_texts() -> None:
    frame = pl.DataFrame(
        {
            "term": ["<b>স্ত্রী</b>", None],
            "share": [0.1234, None],
            "low": [-0.5, 0.1],
            "high": [0.5, 0.2],
            "words": [12_345, 1],
            "all": [[1], [2]],
        }
    )
    page = frame_table(frame, caption="a & b", shares=("share",))
    assert "<caption>a &amp; b</caption>" in page
    assert "<bdi>&lt;b&gt;স্ত্রী&lt;/b&gt;</bdi>" in page
    assert '<td class="n">12.3 %</td>' in page
    assert '<td class="n">12,345</td>' in page
    assert '<th class="n">95 %</th>' in page
    assert "[−0.500, 0.500]" in page
    assert "all" not in page.replace("small", "")
    assert page.count("<tr>") == 3


def test_a_power_of_ten_says_its_value() -> None:
    assert 'data-v="1.5e-09"' in frame_table(pl.DataFrame({"gap": [1.5e-9]}))


def test_a_notebook_shows_the_first_rows_and_says_so() -> None:
    page = data(pl.DataFrame({"n": range(100)}), most=10)
    assert page.count("<tr>") == 11
    assert "10 of 100 rows" in page
    assert "rows" not in data(pl.DataFrame({"n": [1]})).split("</style>")[1]
