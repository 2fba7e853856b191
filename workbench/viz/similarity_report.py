"""A report on similarity: one page on what a model finds similar and why, in the style of the other report, with the same rules."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import polars as pl
from markupsafe import Markup

from workbench.viz import panels
from workbench.viz import similarity_charts as charts
from workbench.viz.arcs import above_one_another, arc_figure, arc_legend
from workbench.viz.data import PATENT
from workbench.viz.drawing import svg
from workbench.viz.heatmap import post
from workbench.viz.index import with_index
from workbench.viz.interaction_map import account_line, bare_table, map_legend
from workbench.viz.pair import KIND_NAMES, Pair, coloured, sum_scale, word_scale
from workbench.viz.report import POLICY, ROWS, template
from workbench.viz.retrieval import retrieval_legend, retrieval_scale, retrieval_view
from workbench.viz.similarity_data import SimilarityReport
from workbench.viz.styles import sheet

#: Pairs and queries shown at most, and cells of the largest map that is drawn on the page.
PAIRS, QUERIES, CELLS = 24, 8, 1_600
#: Words of each text in the arcs of long texts, above which only the texts themselves are shown.
LINES = 90
SOURCES = (
    "BiLRP: Eberle et al. 2020; for text Vasileiou and Eberle 2024. Interactions are products of the factors of two texts, "
    "biases and positions included."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair on the page: arcs, or for long texts the texts first and the arcs folded; the map folded, or why there is none."""

    pair: Pair
    texts: tuple[Markup, ...]
    arcs: Markup
    map: Markup
    cells: int


def similarity_report(data: SimilarityReport) -> str:
    """The report as HTML: one self-contained file, below 5 MB whatever the corpus (pairs and queries are selections)."""
    scale = word_scale(data.examples[:PAIRS])
    queries = list(data.retrievals[:QUERIES])
    examples = _examples(data, scale)
    return template("similarity").render(
        data=data,
        **with_index(data.index, POLICY),
        sheets=[sheet(name) for name in ("heatmap", "interaction", "report")],
        drawings=_drawings(data),
        matched=_rows(data.matched_by),
        contrasts=_contrasts(data.insensitivity),
        parts=_rows(data.parts),
        strongest=_rows(data.strongest),
        insensitivity=_rows(data.insensitivity),
        closure=_rows(data.closure),
        validation=_rows(data.validation),
        examples=examples,
        folded=any(example.texts for example in examples),
        sums=sum_scale(data.examples[:PAIRS]),
        legends=(arc_legend(scale, data.unit), map_legend(scale, data.unit)),
        retrievals=[retrieval_view(found, retrieval_scale(queries)) for found in queries],
        retrieval_legend=retrieval_legend(retrieval_scale(queries), data.unit),
        losses=_rows(data.losses),
        failures=_rows(panels.failures(data.failures) if data.failures is not None else None),
        patent=PATENT,
        sources=SOURCES,
    )


def _drawings(data: SimilarityReport) -> dict[str, Markup]:
    """Charts as SVG; those that have no rows are left out."""
    found: dict[str, tuple[alt.LayerChart, str]] = {}
    if data.accounts.height:
        chart = charts.account_bars(data.accounts, KIND_NAMES)
        found["accounts"] = chart, "Share of the similarity by words, special tokens, positions and biases, with 95 % intervals"
    if data.pos_pairs is not None and data.pos_pairs.height:
        found["pos_heatmap"] = charts.pos_heatmap(data.pos_pairs), "Share of the relevance between words by parts of speech of both texts"
        found["pos_bars"] = charts.pos_bars(data.pos_pairs), "The pairs of parts of speech with the largest share, with 95 % intervals"
    if data.noun_verb is not None and data.noun_verb.height:
        found["noun_verb"] = charts.noun_verb(data.noun_verb), "Share of noun-noun and verb-verb interactions by group"
    if data.matched_by is not None and data.matched_by.height:
        found["matched_by"] = charts.matched_by(data.matched_by), "Share of interactions by what the two words have in common"
    if data.insensitivity is not None and data.insensitivity.height:
        chart = charts.insensitivity(data.insensitivity, data.insensitivity_points)
        found["insensitivity"] = chart, "Similarity by kind of contrast, where the meaning flips and where it is kept"
    if data.differences is not None:
        first, second = data.models
        for what, said in (("upos", "parts of speech"), ("match", "what words have in common"), ("account", "account")):
            if data.differences.filter(pl.col("what").cast(pl.String) == what).height:
                chart = charts.model_difference(data.differences, what, first=first, second=second)
                found[f"differences_{what}"] = chart, f"Difference of two models in shares by {said}"
    return {name: svg(chart, description) for name, (chart, description) in found.items()}


def _contrasts(frame: pl.DataFrame | None) -> dict[str, object] | None:
    """The most similar kind of flipped meaning beside the least similar kind of kept meaning."""
    if frame is None:
        return None
    meaning = pl.col("meaning").cast(pl.String)
    flipped = frame.filter(meaning == "flipped").sort("mean", descending=True)
    kept = frame.filter(meaning == "kept").sort("mean")
    if not len(flipped) or not len(kept):
        return None
    most, least = flipped.row(0, named=True), kept.row(0, named=True)
    ends = most["low"], least["high"]
    return {"flipped": most, "kept": least, "apart": None not in ends and most["mean"] > least["mean"] and ends[0] > ends[1]}


def _examples(data: SimilarityReport, scale: float) -> list[Shown]:
    found: list[Shown] = []
    spent, sums = 0, sum_scale(data.examples[:PAIRS])
    for pair in data.examples[:PAIRS]:
        shown = _shown(pair, scale, sums)
        spent += len(shown.arcs) + len(shown.map) + sum(map(len, shown.texts))
        if found and spent > panels.BUDGET:
            break
        found.append(shown)
    return found


def _shown(pair: Pair, scale: float, sums: float) -> Shown:
    wide = above_one_another(pair)
    sides = (("left", pair.left_text, pair.left_language), ("right", pair.right_text, pair.right_language))
    texts = () if wide else tuple(post(coloured(pair, side), text=text, scale=sums, language=tongue) for side, text, tongue in sides)
    short = max(len(pair.left_words), len(pair.right_words)) <= LINES
    drawn = arc_figure(pair, scale, 24 if wide else 40) if short else account_line(pair)
    return Shown(pair, texts, drawn, bare_table(pair, scale) if pair.cells.height <= CELLS else Markup(""), pair.cells.height)


def _rows(frame: pl.DataFrame | None) -> list[dict[str, object]]:
    return frame.head(ROWS).to_dicts() if frame is not None else []
