"""A query with its passages: ranks, judgements, windows, and words on one scale."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.viz.conftest import pair_words
from tests.viz.test_interaction_map import read
from workbench.errors import InputError
from workbench.viz.pair import sums
from workbench.viz.retrieval import Retrieval, from_pairs, retrieval, retrieval_scale

QUERY = "does metformin help"
TEXTS = ("metformin helps many", "স্ত্রী sleep and food", "long passage of several windows in a row")


def build(**changes: Any) -> Retrieval:
    names = [f"passage-{place}" for place in range(len(TEXTS))]
    words = [
        pair_words(text).select("char_start", "char_end", relevance=pl.col("word") * 0.1 - 0.1, identifier=pl.lit(name))
        for name, text in zip(names, TEXTS, strict=True)
    ]
    fields: dict[str, Any] = {
        "query": QUERY,
        "query_words": pair_words(QUERY),
        "passages": pl.DataFrame(
            [(rank, name, score, text, relevant, "SUPPORT" if relevant else None) for name, text, rank, score, relevant
             in zip(names, TEXTS, (2, 1, 3), (0.5, 0.8, None), (True, False, None), strict=True)],
            schema=["rank", "identifier", "score", "text", "relevant", "verdict"], orient="row",
        ),
        "passage_words": pl.concat(words),
        "query_relevance": pl.DataFrame(
            [(name, word, 0.2 * word - 0.1 * place) for place, name in enumerate([*names, "passage-9"]) for word in range(3)],
            schema=["identifier", "word", "relevance"], orient="row",
        ),
        "windows": pl.DataFrame(
            [("passage-2", 0, 23, 0.3), ("passage-2", 13, 40, 0.4), ("passage-0", 0, 20, 0.5)],
            schema=["identifier", "char_start", "char_end", "score"], orient="row",
        ),
    }  # fmt: skip
    return Retrieval(**(fields | changes))


def test_passages_stand_by_rank_with_score_and_judgement() -> None:
    html = retrieval(build())
    places = [html.index(name) for name in ("<bdi>passage-1<", "<bdi>passage-0<", "<bdi>passage-2<")]
    assert places == sorted(places)
    for said in ("✓ judged relevant (<bdi>SUPPORT</bdi>)", "✗ not judged relevant", "nobody judged", '<b class="number">0.800</b>'):
        assert said in html
    assert html.count('class="passage"') == 3


def test_query_words_stand_against_the_passages_without_a_total() -> None:
    table = read(retrieval(build()))
    assert table.heads["col"] == ["1", "2", "3"]
    assert table.heads["row"] == ["does", "metformin", "help", "sum"]
    assert [cell["text"] for cell in table.cells if "x" in str(cell.get("class")).split()][:3] == ["−0.10", "0", "−0.20"]
    assert not any("total" in str(cell.get("class")) for cell in table.cells)


def test_windows_are_marked_and_the_best_is_named() -> None:
    html = retrieval(build())
    assert "window 1 of 2, score" in html
    assert 'class="window best" title="characters 13 to 40">window 2 of 2, score <b class="number">0.400</b>, ranked by this' in html
    assert "window 1 of 1" not in html
    assert html.count('class="post"') == 4


def test_a_passage_that_is_one_window_of_a_longer_one_says_which() -> None:
    places = build().passages.with_columns(pl.Series("window_start", [None, 1200, None]), pl.Series("window_end", [None, 2400, None]))
    assert retrieval(build(passages=places)).count("window: characters 1200 to 2400") == 1


def test_one_scale_for_query_and_passages() -> None:
    assert retrieval_scale([build()]) == pytest.approx(0.6)
    assert "+1.00" in retrieval(build(), scale=1.0)


def test_a_query_without_numbers_is_shown_without_its_table() -> None:
    html = retrieval(build(query_relevance=build().query_relevance.clear(), windows=None))
    assert "<table" not in html
    assert "<summary>" not in html


def test_pairs_of_a_query_and_its_passages_become_a_retrieval(pair: Any) -> None:
    found = [pair(QUERY, text, identifier=name) for name, text in zip(("b", "a"), TEXTS, strict=False)]
    about = pl.DataFrame({"identifier": ["a", "b", "c"], "rank": [2, 1, 3], "relevant": [None, True, False]})
    made = from_pairs(found, about)
    assert made.passages.select("rank", "identifier", "score", "relevant").rows() == [
        (1, "b", found[0].similarity, True),
        (2, "a", found[1].similarity, None),
    ]
    assert made.query_relevance.filter(identifier="b")["relevance"].to_list() == [
        sums(found[0], "left")["word", place] for place in range(3)
    ]
    assert retrieval(made).count('class="passage"') == 2
    with pytest.raises(InputError, match="pairs of 2 queries"):
        from_pairs([found[0], pair("another", "text")], about)
    with pytest.raises(InputError, match="no row about pair-00001"):
        from_pairs([pair(QUERY, "text")], about)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"passages": pl.concat([build().passages] * 2)}, "the same identifier twice"),
        ({"query": "does"}, "a word at 5-14 of 4 characters"),
        ({"windows": build().windows.with_columns(pl.lit(99).alias("char_end"))}, "a window at 0-99"),  # type: ignore[union-attr]
        ({"passage_words": pl.DataFrame({"identifier": ["x"]})}, "no column char_start"),
    ],
)
def test_frames_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(**changes)
