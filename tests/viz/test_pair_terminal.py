"""Summaries in a terminal stay within 100 columns and say what they leave out."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.viz.conftest import build_pair
from tests.viz.test_contribution_map import translation
from tests.viz.test_similarity_charts import pos_pairs
from workbench.viz.pair import accounts, between_words
from workbench.viz.pair_terminal import corpus_summary, pair_summary, translation_strip


def lines(drawn: Any, width: int = 140) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, legacy_windows=False).print(drawn)
    return stream.getvalue().splitlines()


def test_a_pair_is_told_by_its_sums_and_strongest_words(pair: Any) -> None:
    example = pair(facts={"human score": "3 of 5"})
    drawn = lines(pair_summary(example, strongest=3))
    ranked = between_words(example)
    assert drawn[0].startswith("pair-00001: similarity −0.0936 cosine · human score 3 of 5")
    assert drawn[1:3] == [example.left_text, example.right_text]
    assert f"words {accounts(example)['word']:+.3f}"[:10].replace("-", "−") in drawn[3]
    assert any(line.startswith("3 of 12 interactions of words, ") for line in drawn)
    assert drawn[-3].rstrip().endswith(f"{ranked['left_form'][0]} × {ranked['right_form'][0]}")


def test_cells_that_do_not_sum_to_the_similarity_are_told(pair: Any) -> None:
    assert "the cells do not sum to the similarity" in "\n".join(lines(pair_summary(pair(similarity=0.9))))
    assert "the cells do not sum" not in "\n".join(lines(pair_summary(pair())))


@given(st.text(max_size=250), st.text(max_size=250), st.sampled_from([-1, 0, 1]))
@settings(max_examples=40, deadline=None)
def test_no_line_of_a_pair_is_wider_than_a_hundred_columns(left: str, right: str, sign: int) -> None:
    for line in lines(pair_summary(build_pair(left, right, sign)), width=200):
        assert cell_len(line) <= 100
        assert not set(line) & set("\x1b\x07\u202e")


def test_a_corpus_is_told_by_accounts_matches_parts_of_speech_and_contrasts() -> None:
    shares = {"share": [0.7, 0.3], "low": [0.65, None], "high": [0.75, None]}
    drawn = "\n".join(
        lines(
            corpus_summary(
                pairs=1379,
                similarity=0.65,
                accounts=pl.DataFrame({"account": ["word", "bias"], **shares}),
                pos_pairs=pos_pairs(),
                matched_by=pl.DataFrame({"languages": ["en", "en-de"], "match": ["identical", "other"], "pairs": [1379, 9], **shares}),
                insensitivity=pl.DataFrame(
                    [("negation", "flipped", 9, 0.9, 0.85, 0.95), ("paraphrase", "kept", 8, 0.7, None, None)],
                    schema=["contrast", "meaning", "pairs", "mean", "low", "high"],
                    orient="row",
                ),
                rows=4,
            )
        )
    )
    for said in (
        "1,379 pairs, mean similarity 0.650 cosine",
        "words 70.0 % · biases 30.0 %",
        "65.0 % to 75.0 %",
        "(4 of 10 pairs)",
        "[0.850, 0.950]",
    ):
        assert said in drawn, said
    assert drawn.index("negation") < drawn.index("paraphrase"), "the most similar first"


def test_a_strip_has_a_block_after_every_word() -> None:
    drawn = lines(translation_strip(translation()))
    assert drawn[0].rstrip() == "un homme rouge"
    assert drawn[1].rstrip() == "a█ red▅ man▄"
    assert "mean 58 %, least 50 % (man)" in drawn[2]


@pytest.mark.parametrize("source", ["\x1b[31mred", "[bold]x[/bold]"])
def test_text_is_never_read_as_markup_or_escape_code(source: str) -> None:
    drawn = "\n".join(lines(translation_strip(translation(source, source))))
    assert "\x1b" not in drawn
    assert source.replace("\x1b", "⟨U+001B⟩") in drawn
