"""A concordance as HTML: every word on its colour, every text through the gate."""

from __future__ import annotations

import polars as pl
import pytest

from tests.viz.test_security import PAYLOADS, audit
from workbench.errors import InputError
from workbench.viz.concordance import concordance, stretches


def frame(text: str = "not") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "identifier": ["d1", "d2"], "explained": ["toxic", "toxic"], "relevance": [1.0, -0.5],
            "left": ["He is ", ""], "match": [text, text], "right": [" bad, at all", " good"],
            "left_words": [["He", "is"], []], "match_words": [[text], [text]], "right_words": [["bad", "at", "all"], ["good"]],
            "left_relevances": [[0.1, None], []], "match_relevances": [[1.0], [-0.5]], "right_relevances": [[-2.0, 0.0, 0.3], [0.2]],
        },
        schema_overrides={"left_relevances": pl.List(pl.Float64)},
    )  # fmt: skip


def test_words_stand_on_their_colour_and_text_is_whole() -> None:
    page = concordance(frame(), said="2 of 9 hits")
    assert "2 of 9 hits" in page
    assert page.count("<tr>") == 2
    assert "".join(audit(page).text).replace("\n", "").endswith("not good")
    assert 'title="−2.00">bad</span>' in page
    assert "not seen by the model" in page
    assert "toxic" not in page, "one class needs no column"


def test_what_stands_between_words_is_kept() -> None:
    assert list(stretches(" bad, at", ["bad", "at"], [1.0, None])) == [
        (" ", None, False), ("bad", 1.0, True), (", ", None, False), ("at", None, True),
    ]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS[::6])
def test_no_text_becomes_markup(payload: str) -> None:
    assert audit(concordance(frame(payload), said=payload)).wrong == []


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="no column relevance"):
        concordance(frame().drop("relevance"))
