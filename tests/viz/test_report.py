"""The page is whole, small, honest about what it leaves out, and silent about faithfulness without its control."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from workbench.errors import InputError
from workbench.viz.data import COLUMNS, NO_NEUTRAL_CLASS, PATENT
from workbench.viz.index import Index, behind_row
from workbench.viz.panels import choose, rounded_up
from workbench.viz.report import report

BARE = dict.fromkeys((
    "tokens", "gaps", "confusion", "quality", "parts_of_speech", "least_terms", "faithfulness", "planted", "bias", "suspects", "losses",
    "failures",
))  # fmt: skip


def test_everything_is_said(data: Any) -> None:
    html = report(data())
    for expected in (
        NO_NEUTRAL_CLASS,
        PATENT,
        "6 of 8,087 posts",
        "Table 5.",
        "Figure 3.",
        "হিন্দু",
        "93 %",
        "8,011",
        "0.468",
        "[0.448, 0.490]",
        "7,185",
        "3.40×10⁻⁶",
        "ORDER BY mean DESC",
        "1 of 45 pass.",
        "[via app]",
        '<td class="alarm">yes</td>',
    ):
        assert expected in html, expected
    assert html.count("<svg ") == 9
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html


@pytest.mark.parametrize("planted", [None, pl.DataFrame(schema=dict.fromkeys(COLUMNS["planted"], pl.String))])
def test_faithfulness_is_withheld_without_its_control(data: Any, planted: pl.DataFrame | None) -> None:
    html = report(data(planted=planted, planted_command="workbench planted --seeds 5"))
    assert "no faithfulness figure is shown" in html
    assert "<code>workbench planted --seeds 5</code>" in html
    assert "0.468" not in html
    assert html.count("<svg ") == 6


@pytest.mark.parametrize(
    ("alarms", "said"), [(0.012, "1.2 % of the words were called"), (0.2, "should be believed"), (None, "was not measured")]
)
def test_false_alarms_are_said(data: Any, alarms: float | None, said: str) -> None:
    assert said in report(data(false_alarms=alarms, gaps=None, parts_of_speech=None, faithfulness=None))


def test_bare_report_says_what_is_missing(data: Any) -> None:
    full = data()
    html = report(
        data(**BARE, terms=full.terms.clear(), examples=full.examples.clear(), words=full.words.clear(), ledger=full.ledger.clear())
    )
    for expected in (
        "No examples were chosen.",
        "Not examined for this report.",
        "No terms against this class were given",
        "0 of 8,087 posts",
    ):
        assert expected in html, expected


def test_size_is_bounded_for_the_whole_corpus(data: Any, words: Any, tokens: Any) -> None:
    texts = tuple(f"পোস্ট {number} মন্ত্রী চোর, দেশটা শেষ" for number in range(8087))
    named = [(order, text) for order, text in enumerate(texts[:80])]
    html = report(data(texts=texts, tokens=pl.concat([tokens(text, order) for order, text in named])))
    assert "50 of 8,087 posts" in html
    assert len(html.encode()) < 1_000_000


def test_size_is_bounded_for_a_long_table(data: Any) -> None:
    rows = range(100_000)
    frame = pl.DataFrame({"label": ["Political"] * len(rows), "term": [f"মন্ত্রীরা-{row}" for row in rows], "mean": [row / 7 for row in rows]})
    behind = [
        behind_row([f"পোস্ট-{row}"] * 3, f"workbench find '[form=\"মন্ত্রীরা-{row}\"]' --store relevance.duckdb --model m") for row in rows
    ]
    asked = "workbench query top_terms"
    html = report(replace(data(), index=Index(frame, "Terms.", asked, behind=behind, follow=f"{asked} --row 1")))
    assert "of 100,000 rows: the page has no room for more" in html
    assert html.count("<summary>follow</summary>") == html.count("<td><bdi>Political") > 1000
    assert len(html.encode()) < 5_000_000
    assert "script-src &#39;sha256-" in html


def test_size_is_bounded_for_long_posts(data: Any) -> None:
    html = report(data(texts=tuple(f"{number} " + "মন্ত্রীরা চোর " * 700 for number in range(30))))
    assert "further characters are in the store" in html
    assert len(html.encode()) < 5_000_000


def test_no_class_is_crowded_out_of_the_examples() -> None:
    examples = pl.DataFrame({"identifier": range(100), "explained": ["a"] * 90 + ["b"] * 8 + ["c"] * 2})
    chosen = choose(examples, ["c", "b", "a"], 20)
    assert chosen["explained"].to_list() == ["c"] * 2 + ["b"] * 8 + ["a"] * 10
    assert chosen["identifier"].to_list()[-2:] == [8, 9]


def test_an_open_ledger_is_marked(data: Any) -> None:
    ledger = data().ledger
    html = report(data(ledger=ledger.with_columns(pl.lit(0.99999).alias("closed"), pl.lit(0.02).alias("largest"))))
    assert html.count('<td class="n alarm">&gt; 99.9 %</td>') == ledger.height
    assert html.count('<td class="n alarm">0.0200</td>') == ledger.height


def test_missing_columns_unknown_sides_and_double_examples_are_refused(data: Any) -> None:
    full = data()
    with pytest.raises(InputError, match="no column mean"):
        data(terms=full.terms.drop("mean"))
    with pytest.raises(InputError, match="side best"):
        data(terms=full.terms.with_columns(pl.lit("best").alias("side")))
    with pytest.raises(InputError, match="same identifier twice"):
        data(examples=pl.concat([full.examples, full.examples]))


@pytest.mark.parametrize(("value", "end"), [(1.87, 2), (0.012, 0.012), (9.1, 10), (1.0, 1), (0.00034, 0.0004)])
def test_axes_end_at_round_numbers(value: float, end: float) -> None:
    assert rounded_up(value) == pytest.approx(end)


def test_the_room_starts_without_heavy_libraries() -> None:
    heavy = "{'torch', 'duckdb', 'spacy', 'transformers', 'vl_convert'}"
    code = f"import sys, workbench.viz.report, workbench.viz.terminal; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
