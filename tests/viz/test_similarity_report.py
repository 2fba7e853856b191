"""The page on similarity is whole, small, honest about what it leaves out, and safe whatever a corpus or a model is called."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from tests.viz.conftest import build_pair
from tests.viz.test_contribution_map import translation
from tests.viz.test_retrieval import build as build_retrieval
from tests.viz.test_security import PAYLOADS, TAGS, Audit
from tests.viz.test_similarity_charts import pos_pairs
from workbench.errors import InputError
from workbench.viz.arcs import arcs
from workbench.viz.contribution_map import contribution_map
from workbench.viz.interaction_map import interaction_map
from workbench.viz.report import POLICY
from workbench.viz.retrieval import retrieval
from workbench.viz.similarity_data import ASSOCIATION, SimilarityReport
from workbench.viz.similarity_report import similarity_report

LONG = " ".join(f"word{place}" for place in range(60))
SHARES: dict[str, Any] = {"share": [0.7, 0.3], "low": [0.65, None], "high": [0.75, None]}
CHARTS = ("pos_pairs", "noun_verb", "matched_by", "insensitivity", "differences")
MORE = {"small", "article", "tfoot", "path"}


def build(**changes: Any) -> SimilarityReport:
    fields: dict[str, Any] = {
        "title": "What makes two sentences similar?",
        "corpus": "similarity-multilingual-sample",
        "model": "all-MiniLM-L6-v2",
        "composite": "bilrp.v1",
        "pairs": 1379,
        "overview": {"Spearman with people": "0.82"},
        "accounts": pl.DataFrame({"account": ["word", "bias"], **SHARES}),
        "pos_pairs": pos_pairs(),
        "noun_verb": pl.DataFrame({"group": ["en"] * 2, "classes": ["noun–noun", "verb–verb"], "pairs": [9, 9], **SHARES}),
        "matched_by": pl.DataFrame({"languages": ["en", "en-de"], "match": ["identical", "other"], "pairs": [9, 9], **SHARES}),
        "insensitivity": pl.DataFrame(
            [("negation", "flipped", 9, 0.93, 0.9, 0.95), ("paraphrase", "kept", 8, 0.74, 0.7, 0.8)],
            schema=["contrast", "meaning", "pairs", "mean", "low", "high"], orient="row",
        ),
        "parts": pl.DataFrame({"contrast": ["negation"] * 2, "part": ["identical", "negation"], "interactions": [40, 30], **SHARES}),
        "strongest": pl.DataFrame(
            {"left_term": ["স্ত্রী", "a"], "right_term": ["wife", "b"], "match": ["translation", None], "mean": [0.2, 0.1], "pairs": 9}
            | SHARES
        ),
        "differences": pl.DataFrame(
            [("upos", "NOUN–NOUN", 0.1, 0.0, 0.2, 9), ("match", "lemma", -0.1, -0.2, 0.0, 9)],
            schema=["what", "name", "difference", "low", "high", "pairs"], orient="row",
        ),
        "models": ("small", "large"),
        "closure": pl.DataFrame({"what": ["cells of a pair"], "number": [1379], "largest": [3.4e-6], "closed": [1.0]}),
        "trust": "All sums equal the model's embeddings.",
        "validation": pl.DataFrame(
            {"study": ["shared nouns"], "method": ["bilrp"], "value": [0.81], "low": [0.79], "high": [0.83], "number": [200]}
        ),
        "examples": (build_pair(facts={"human score": "3 of 5"}), build_pair(LONG, LONG)),
        "retrievals": (build_retrieval(),),
        "losses": pl.DataFrame({"model": ["m"], "documents": [3], "lost": ["ি"]}),
        "failures": pl.DataFrame({"stage": ["encode"], "error": ["an empty text"]}),
        "provenance": {"Store": "similarity.duckdb"},
        "queries": (("Nouns?", "SELECT 1"),),
        "commands": (("workbench show pair-00001", "one pair"),),
        "selection": "two of each contrast",
    }  # fmt: skip
    return SimilarityReport(**(fields | changes))


def audit(html: str) -> Audit:
    found = Audit()
    found.feed(html)
    found.close()
    return found


def wrong(html: str) -> list[str]:
    """What the house does not allow on a page; <title> stands in drawings too, <small> and <tfoot> in tables."""
    return [one for one in audit(html).wrong if one.strip("<>") not in TAGS | MORE]


def test_everything_is_said() -> None:
    html = similarity_report(build())
    for expected in (
        ASSOCIATION.replace("'", "&#39;"),
        "2 of 1,379 pairs",
        "two of each contrast",
        "Figure 8.",
        "Table 4.",
        "স্ত্রী</bdi> × <bdi>wife",
        "<bdi>small</bdi> beside <bdi>large</bdi>",
        "The model finds the flipped meaning more similar.",
        "full colour at +",
        "3,969 interactions are too many for this page",
        "interactions of words are drawn",
        "all 42 interactions",
        "ranked by this",
        "3.40×10⁻⁶",
        "BiLRP: Eberle et al. 2020",
        "SELECT 1",
    ):
        assert expected in html, expected
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert len(html.encode()) < 600_000


def test_bare_report_says_what_is_missing() -> None:
    frames = (
        "pos_pairs",
        "noun_verb",
        "matched_by",
        "insensitivity",
        "parts",
        "strongest",
        "differences",
        "closure",
        "validation",
        "losses",
        "failures",
    )
    html = similarity_report(build(**dict.fromkeys(frames), accounts=build().accounts.clear(), examples=(), retrievals=(), trust=""))
    for expected in (
        "Parts of speech were not examined",
        "not examined for this report",
        "No contrast pairs were examined",
        "0 of 1,379 pairs",
        "No pairs were chosen.",
        "Whether the interactions sum to the similarity was not examined",
        "No study with a known answer",
    ):
        assert expected in html, expected
    assert "<svg" in html, "the legend of arcs"
    assert "Why was a passage found?" not in html


def test_a_model_that_heeds_meaning_is_not_accused() -> None:
    numbers = {"mean": [0.4, 0.9], "low": [0.3, 0.85], "high": [0.5, 0.95]}
    heeds = build().insensitivity.with_columns(pl.Series(name, values) for name, values in numbers.items())  # type: ignore[union-attr]
    html = similarity_report(build(**dict.fromkeys(CHARTS) | {"insensitivity": heeds}, examples=(), retrievals=()))
    assert "<bdi>negation</bdi> is the most similar (0.400 [0.300, 0.500])" in html
    assert "finds the flipped meaning more similar" not in html
    assert "Their intervals overlap" not in html
    close = heeds.with_columns(pl.Series("mean", [0.8, 0.75]), pl.Series("low", [0.7, 0.7]))
    html = similarity_report(build(**dict.fromkeys(CHARTS) | {"insensitivity": close}, examples=(), retrievals=()))
    assert "Their intervals overlap" in html
    assert "finds the flipped meaning more similar" not in html


def test_all_pairs_of_a_page_share_a_scale() -> None:
    loud = build_pair(cells=build_pair().cells.with_columns(pl.col("relevance") * 100), similarity=None)
    html = similarity_report(build(**dict.fromkeys(CHARTS), examples=(build_pair(), loud), retrievals=()))
    assert f'stroke-width="{0.7 + 5.3 * 0.01:.2f}"' in html
    assert html.count('stroke-width="6.00"') >= 3


def test_size_is_bounded_for_many_long_pairs() -> None:
    long = build_pair(" ".join(LONG.split()[:34]), " ".join(LONG.split()[:34]))
    html = similarity_report(build(**dict.fromkeys(CHARTS), examples=(long,) * 40, retrievals=()))
    shown = html.count('class="example"')
    assert 4 <= shown < 24
    assert f"{shown} of 1,379 pairs" in html
    assert len(html.encode()) < 2_000_000


def test_missing_columns_are_refused() -> None:
    with pytest.raises(InputError, match="no column account"):
        build(accounts=pl.DataFrame({"x": [1]}))
    with pytest.raises(InputError, match="word in more than one row"):
        build(accounts=pl.concat([build().accounts] * 2))
    with pytest.raises(InputError, match="parts in a report"):
        build(parts=pl.DataFrame({"x": [1]}))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_markup_in_any_field_of_a_report(payload: str) -> None:
    plain = build()
    frames = ("parts", "strongest", "closure", "validation", "losses", "failures")
    poisoned = {
        name: getattr(plain, name).with_columns(
            pl.lit(payload).alias(column) for column, kind in getattr(plain, name).schema.items() if kind == pl.String
        )
        for name in frames
    }
    pair = build_pair(
        payload, payload, identifier=payload, unit=payload, left_language=payload, right_language=payload, facts={payload: payload}
    )
    words = {"lemma": pl.lit(payload), "upos": pl.lit(payload)}
    pair = build_pair(
        payload,
        payload,
        identifier=payload,
        unit=payload,
        left_language=payload,
        facts={payload: payload},
        left_words=pair.left_words.with_columns(**words),
    )
    found = build_retrieval(query_language=payload, passage_language=payload, unit=payload)
    found = build_retrieval(
        passages=found.passages.with_columns(pl.lit(payload).alias("verdict")),
        query_language=payload,
        passage_language=payload,
        unit=payload,
    )
    named: dict[str, Any] = dict.fromkeys(("title", "corpus", "model", "composite", "trust", "selection", "unit"), payload)
    html = similarity_report(
        build(
            **named,
            **poisoned,
            models=(payload, payload),
            overview={payload: payload},
            provenance={payload: payload},
            queries=((payload, payload),),
            examples=(pair,),
            retrievals=(found,),
            commands=((payload, payload),),
            notices=(payload,),
            **dict.fromkeys(CHARTS),
            accounts=plain.accounts.clear(),
        )
    )
    assert wrong(html) == []
    assert audit(html).policy == POLICY
    assert payload.replace("\x00", "\u2400") in "".join(audit(html).text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_markup_in_a_view(payload: str) -> None:
    pair = build_pair(payload, payload, identifier=payload, unit=payload, left_language=payload)
    found = build_retrieval(query_language=payload, passage_language=payload, unit=payload)
    told = translation(payload, payload, unit=payload, source_language=payload, target_language=payload)
    for html in (
        interaction_map(pair, title=payload),
        arcs(pair, title=payload),
        retrieval(found, title=payload),
        contribution_map(told, title=payload),
    ):
        assert [one for one in wrong(html) if one != "<style>"] == []


def test_no_payload_becomes_markup_in_a_chart() -> None:
    rows = pos_pairs().head(1)
    frame = pl.concat([rows.with_columns(left_upos=pl.lit(payload), right_upos=pl.lit(payload)) for payload in PAYLOADS])
    named = pl.concat(
        [
            pl.DataFrame({"contrast": [text], "meaning": [text], "pairs": [1], "mean": [0.1], "low": [0.0], "high": [0.2]})
            for text in PAYLOADS
        ]
    )
    html = similarity_report(build(pos_pairs=frame, insensitivity=named, examples=(), retrievals=()))
    assert wrong(html) == []


def test_the_views_start_without_heavy_libraries() -> None:
    modules = "similarity_report, workbench.viz.pair_terminal, workbench.viz.contribution_charts, workbench.viz.retrieval"
    heavy = "{'torch', 'duckdb', 'spacy', 'transformers', 'vl_convert'}"
    code = f"import sys, workbench.viz.{modules}; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
