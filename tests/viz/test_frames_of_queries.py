"""What the queries answer is what the views take, column by column, from a store to a page."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from workbench.queries import query
from workbench.store import Store
from workbench.store.synthetic_pairs import pairs
from workbench.viz.drawing import svg
from workbench.viz.interaction_map import interaction_map
from workbench.viz.pair import CLOSED, Pair, gap
from workbench.viz.similarity_charts import insensitivity, matched_by, noun_verb, pos_bars, pos_heatmap
from workbench.viz.similarity_data import SimilarityReport
from workbench.viz.similarity_report import similarity_report

IDENTIFIERS = ("one", "two", "three")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("views") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(pairs(IDENTIFIERS), 1)
    with Store.open(path) as opened:
        yield opened


def pair_of(store: Store, identifier: str, *, by_query: bool) -> Pair:
    row = store.sql("SELECT * FROM pairs WHERE identifier = $1", [identifier]).row(0, named=True)
    words = "SELECT * FROM words WHERE document = $1 AND role = $2"
    cells = store.sql("SELECT * FROM interactions WHERE explanation = $1", [row["explanation"]])
    return Pair(
        row["left_text"],
        row["right_text"],
        *(store.sql(words, [row["document"], row[f"{side}_role"]]) for side in ("left", "right")),
        query(store, "pair", identifier=identifier) if by_query else cells,
        similarity=row["similarity"],
        unit=row["target"],
        left_language=row["left_language"],
        right_language=row["right_language"],
    )


@pytest.mark.parametrize("by_query", [True, False])
def test_a_pair_of_a_store_is_drawn_and_closes(store: Store, by_query: bool) -> None:
    for identifier in IDENTIFIERS:
        pair = pair_of(store, identifier, by_query=by_query)
        assert abs(gap(pair)) < CLOSED
        html = interaction_map(pair)
        assert "is in no cell" not in html
        assert html.count('<td class="x ') == pair.cells.height


def test_answers_of_the_queries_are_drawn(store: Store) -> None:
    answers = {name: query(store, name) for name in ("pos_pairs", "noun_noun_verb_verb", "matched_by", "insensitivity")}
    assert all(len(answer) for answer in answers.values())
    drawings = (
        pos_heatmap(answers["pos_pairs"]),
        pos_bars(answers["pos_pairs"]),
        noun_verb(answers["noun_noun_verb_verb"]),
        matched_by(answers["matched_by"]),
        insensitivity(answers["insensitivity"]),
    )
    assert all(svg(chart, "drawing").startswith("<svg") for chart in drawings)


def test_a_report_is_made_of_answers_alone(store: Store) -> None:
    strongest = query(store, "strongest_interactions", minimum_pairs=1)
    html = similarity_report(
        SimilarityReport(
            "From a store",
            "pairs",
            "encoder",
            "bilrp.v1",
            len(IDENTIFIERS),
            {},
            accounts=query(store, "special_share"),
            pos_pairs=query(store, "pos_pairs"),
            noun_verb=query(store, "noun_noun_verb_verb"),
            matched_by=query(store, "matched_by"),
            insensitivity=query(store, "insensitivity"),
            parts=query(store, "insensitivity_parts"),
            strongest=strongest,
            examples=tuple(pair_of(store, identifier, by_query=True) for identifier in IDENTIFIERS),
        )
    )
    assert "3 of 3 pairs" in html
    assert str(strongest["left_term"].cast(pl.String)[0]) in html
