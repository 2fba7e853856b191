"""Charts of a corpus of pairs hold the numbers that they were given."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from workbench.errors import InputError
from workbench.viz import similarity_charts as charts
from workbench.viz.drawing import svg
from workbench.viz.pair import KIND_NAMES

POS = ["NOUN", "VERB", "ADJ", "ADP"]


def pos_pairs(**columns: Any) -> pl.DataFrame:
    rows = [
        (one, other, share := (0.4, 0.2, -0.1, 0.02)[place] / (1 + after), share - 0.05, share + 0.05, 1200 // (1 + place), 60)
        for place, one in enumerate(POS)
        for after, other in enumerate(POS[place:])
    ]
    frame = pl.DataFrame(rows, schema=["left_upos", "right_upos", "share", "low", "high", "interactions", "pairs"], orient="row")
    return frame.with_columns(**columns)


def largest(chart: Any) -> list[dict[str, Any]]:
    return max(chart.to_dict()["datasets"].values(), key=len)


def test_shares_and_counts_stand_in_the_cells() -> None:
    drawing = svg(charts.pos_heatmap(pos_pairs()), "pairs of parts of speech")
    for expected in ("40.0", "20.0", "−10.0", "1,200", "per cent of the relevance between words, and interactions"):
        assert expected in drawing, expected
    assert "first text" not in drawing, "one row stands for both orders"
    both = pl.concat(
        [
            pos_pairs(),
            pos_pairs().select(
                left_upos="right_upos", right_upos="left_upos", **{c: pl.col(c) for c in ("share", "low", "high", "interactions", "pairs")}
            ),
        ]
    )
    assert "first text" in svg(charts.pos_heatmap(both.unique(["left_upos", "right_upos"])), "both orders")


def test_one_row_for_both_orders_stands_above_the_diagonal() -> None:
    turned = pos_pairs().with_columns(left_upos=pl.col("right_upos"), right_upos=pl.col("left_upos"))
    rows = {(row["left_upos"], row["right_upos"]): row["share"] for row in largest(charts.pos_heatmap(turned))}
    assert rows == {(row[0], row[1]): row[2] for row in pos_pairs().iter_rows()}


def test_what_is_left_out_of_the_heatmap_is_said() -> None:
    frame = pos_pairs(share=pl.col("share") / pl.col("share").sum())
    chart = charts.pos_heatmap(frame, most=2)
    shown = frame.filter(pl.col("left_upos").is_in(["NOUN", "VERB"]) & pl.col("right_upos").is_in(["NOUN", "VERB"]))["share"].sum()
    assert f"{1 - shown:.1%}".replace("%", " %").replace("-", "−") in str(chart.to_dict()["title"])
    assert "in 2 further parts of speech" in str(chart.to_dict()["title"])


def test_bars_are_ordered_by_size_with_intervals() -> None:
    chart = charts.pos_bars(pos_pairs(), most=3)
    order = chart.to_dict()["layer"][1]["encoding"]["y"]["sort"]
    assert order == ["NOUN–NOUN (1,200)", "NOUN–VERB (1,200)", "VERB–VERB (600)"]
    assert len(largest(chart)) == 3


def test_two_models_at_once_are_refused() -> None:
    frame = pl.concat([pos_pairs(model=pl.lit(name)) for name in ("one", "two")])
    for chart in (charts.pos_bars, charts.pos_heatmap):
        with pytest.raises(InputError, match="NOUN and NOUN in more than one row"):
            chart(frame)


def test_two_models_are_told_apart_by_their_differences() -> None:
    rows = [
        ("upos", "NOUN–NOUN", 0.1, 0.05, 0.15, 60),
        ("upos", "VERB–VERB", -0.2, -0.3, -0.1, 60),
        ("match", "lemma", 0.0, None, None, 60),
    ]
    frame = pl.DataFrame(rows, schema=["what", "name", "difference", "low", "high", "pairs"], orient="row")
    chart = charts.model_difference(frame, first="small", second="large")
    assert chart.to_dict()["layer"][1]["encoding"]["y"]["sort"] == ["VERB–VERB", "NOUN–NOUN"]
    assert "share: small minus large, 95 % interval" in svg(chart, "difference")


def test_shares_that_cannot_be_taken_are_not_drawn() -> None:
    nothing = pos_pairs(share=pl.lit(None, pl.Float64))
    assert "NOUN" not in svg(charts.pos_bars(nothing), "nothing")
    assert "NOUN" not in svg(charts.pos_heatmap(nothing), "nothing")
    some = pos_pairs(share=pl.when(pl.col("left_upos") == "NOUN").then("share"))
    assert {row["left_upos"] for row in largest(charts.pos_bars(some))} == {"NOUN"}


def test_nouns_verbs_matches_and_accounts_are_drawn() -> None:
    shares = {"share": [0.5, 0.2], "low": [0.45, None], "high": [0.55, None]}
    nouns = pl.DataFrame({"group": ["en", "en"], "classes": ["noun–noun", "verb–verb"], "pairs": [9, 9], **shares})
    assert "verb–verb" in svg(charts.noun_verb(nouns), "nouns")
    matches = pl.DataFrame({"languages": ["en-de"] * 2, "match": ["other", "identical"], "pairs": [9, 9], **shares})
    legend = charts.matched_by(matches).to_dict()["layer"][2]["encoding"]["color"]["scale"]["domain"]
    assert legend == ["identical", "other"]
    accounts = pl.DataFrame({"account": ["word", "bias"], **shares})
    drawing = svg(charts.account_bars(accounts, KIND_NAMES), "accounts")
    assert "biases" in drawing
    assert "share of the similarity" in drawing


def test_insensitivity_tells_kept_from_flipped_meaning() -> None:
    rows = [("negation", "flipped", 9, 0.9, 0.85, 0.95), ("paraphrase", "kept", 8, 0.7, 0.6, 0.8)]
    frame = pl.DataFrame(rows, schema=["contrast", "meaning", "pairs", "mean", "low", "high"], orient="row")
    points = pl.DataFrame({"contrast": ["negation", "unheard"], "similarity": [0.91, 0.1], "identifier": ["n-1", "u-1"]})
    chart = charts.insensitivity(frame, points).to_dict()
    ticks = next(rows for rows in chart["datasets"].values() if "similarity" in rows[0])
    assert [row["kind"] for row in ticks] == ["negation (9)"]
    assert "negation (9)" in svg(charts.insensitivity(frame), "contrast")


def test_only_nouns_and_verbs_are_drawn_unless_other_classes_are_asked_for() -> None:
    rows = [("en", name, 0.2, 0.1, 0.3, 9) for name in ("signs", "noun–verb", "noun–noun")]
    frame = pl.DataFrame(rows, schema=["group", "classes", "share", "low", "high", "pairs"], orient="row")
    assert charts.noun_verb(frame).to_dict()["layer"][2]["encoding"]["color"]["scale"]["domain"] == ["noun–noun", "noun–verb"]
    assert "signs" in svg(charts.noun_verb(frame, ["signs"]), "signs")


def test_every_meaning_has_a_colour_and_a_shape_of_its_own() -> None:
    rows = [(name, name, 9, 0.5, 0.4, 0.6) for name in ("unrelated", "kept", "flipped", "other", "unheard")]
    frame = pl.DataFrame(rows, schema=["contrast", "meaning", "pairs", "mean", "low", "high"], orient="row")
    encoding = charts.insensitivity(frame).to_dict()["layer"][1]["encoding"]
    assert encoding["color"]["scale"]["domain"] == ["kept", "flipped", "unrelated", "other", "unheard"]
    assert len(set(encoding["shape"]["scale"]["range"])) == 4


@pytest.mark.parametrize("name", ["pos_heatmap", "pos_bars", "noun_verb", "matched_by", "insensitivity"])
def test_missing_columns_are_named(name: str) -> None:
    with pytest.raises(InputError, match="no column"):
        getattr(charts, name)(pl.DataFrame({"x": [1]}))


def test_names_from_a_corpus_lose_their_controls() -> None:
    frame = pos_pairs(left_upos=pl.lit("N\u202e<b>"), right_upos=pl.lit(None, pl.String)).head(1)
    drawing = svg(charts.pos_bars(frame), "names")
    assert "⟨RLO⟩" in drawing
    assert "<b>" not in drawing
