"""A report on translations: one page on what systems take from source and prefix, in the style and with the rules of the others."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import polars as pl
from markupsafe import Markup

from workbench.viz import panels
from workbench.viz.contribution_charts import MEASURES, contribution_curve, contribution_groups
from workbench.viz.contribution_map import (
    ContributionData,
    contribution_legend,
    contribution_scale,
    contribution_table,
    share_strip,
)
from workbench.viz.data import PATENT
from workbench.viz.drawing import svg
from workbench.viz.index import with_index
from workbench.viz.report import POLICY, ROWS, template
from workbench.viz.styles import sheet
from workbench.viz.translation_data import TranslationReport

#: Translations shown at most, cells of the largest matrix that is drawn on the page, and words of the longest strip.
EXAMPLES, CELLS, WORDS = 24, 2_400, 120
#: Metrics and measures in words, in the order shown.
METRICS = {
    "corpus_bleu": "BLEU", "chrf": "chrF", "similarity_to_reference": "similarity to reference",
    "similarity_to_source": "similarity to source", "log_probability": "log-probability",
}  # fmt: skip
ORDERS = {"kendall_tau": "Kendall's τ", "fuzzy_reordering": "fuzzy reordering score"}
SOURCES = (
    "Source and prefix contributions: Voita, Sennrich and Titov 2021. Fuzzy reordering score: Talbot et al. 2011. Signs of hallucination: "
    "Ferrando et al. 2022, Dale et al. 2023. BLEU and chrF by sacrebleu (Post 2018)."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A translation on the page: the strip of source shares, and the matrix folded, or why there is none."""

    translation: ContributionData
    strip: Markup
    matrix: Markup
    cells: int


def translation_report(data: TranslationReport) -> str:
    """The report as HTML: one self-contained file, below 5 MB whatever the corpus (translations are a selection)."""
    chosen = list(data.examples[:EXAMPLES])
    scale = contribution_scale(chosen) if chosen else 1.0
    return template("translation").render(
        data=data,
        **with_index(data.index, POLICY),
        sheets=[sheet(name) for name in ("heatmap", "interaction", "report")],
        drawings=_drawings(data),
        systems=_table(data.systems, "measure", {name: words for name, (words, _) in MEASURES.items()}),
        quality=_table(data.quality, "metric", METRICS),
        orders=_orders(data.word_order),
        parts=_rows(data.parts_of_speech),
        signals=_rows(data.signals),
        differences=_differences(data.differences),
        examples=_examples(chosen, scale),
        legend=contribution_legend(scale, chosen[0].unit if chosen else "logit"),
        closure=_rows(data.closure),
        losses=_rows(data.losses),
        failures=_rows(panels.failures(data.failures) if data.failures is not None else None),
        patent=PATENT,
        sources=SOURCES,
    )


def _drawings(data: TranslationReport) -> dict[str, Markup]:
    """Charts as SVG; those that have no rows are left out."""
    found: dict[str, tuple[alt.LayerChart, str]] = {}
    curves = {
        "source_share": "Share of the source along the translation, by system, with 95 % bands",
        "source_entropy": "Entropy of source contributions over the logarithm of their number, along the translation",
        "prefix_entropy": "Entropy of prefix contributions over the logarithm of their number, along the translation",
        "source_positions": "Total contribution of source tokens by their position; one is the average token",
    }
    for name, said in curves.items():
        frame = getattr(data, name)
        if frame is not None and frame.height:
            found[name] = contribution_curve(frame), said
    if data.parts_of_speech is not None and data.parts_of_speech.height:
        found["parts_of_speech"] = contribution_groups(data.parts_of_speech), "Share of the source by part of speech of the generated word"
    return {name: svg(chart, description) for name, (chart, description) in found.items()}


def _table(frame: pl.DataFrame | None, column: str, names: dict[str, str]) -> dict[str, object] | None:
    """Systems down, metrics across: the mean with its interval, or nothing."""
    if frame is None or not frame.height:
        return None
    known = [name for name in names if name in frame[column].cast(pl.String)]
    cells = {(row["system"], str(row[column])): row for row in frame.iter_rows(named=True)}
    systems = frame["system"].unique(maintain_order=True).to_list()[:ROWS]
    return {
        "names": [names[name] for name in known],
        "rows": [(system, [cells.get((system, name)) for name in known]) for system in systems],
    }


def _orders(frame: pl.DataFrame | None) -> list[dict[str, object]]:
    """One row for each system and what its word order is compared with."""
    if frame is None:
        return []
    rows = []
    for (system, against), part in frame.group_by("system", "against", maintain_order=True):
        found = {str(row["measure"]): row for row in part.iter_rows(named=True)}
        rows.append({"system": system, "against": against, "aligned": found.get("aligned"), "cells": [found.get(name) for name in ORDERS]})
    return rows[:ROWS]


def _differences(frame: pl.DataFrame | None) -> list[dict[str, object]]:
    """Differences with their measures in words."""
    if frame is None:
        return []
    names = {**METRICS, **{name: words for name, (words, _) in MEASURES.items()}}
    return [{**row, "measure": names.get(str(row["measure"]), row["measure"])} for row in _rows(frame)]


def _examples(chosen: list[ContributionData], scale: float) -> list[Shown]:
    found: list[Shown] = []
    spent = 0
    for one in chosen:
        drawn = contribution_table(one, scale) if one.cells.height <= CELLS else Markup("")
        strip = share_strip(one) if one.steps.height <= WORDS else Markup("")
        spent += len(drawn) + len(strip)
        if found and spent > panels.BUDGET:
            break
        found.append(Shown(one, strip, drawn, one.cells.height))
    return found


def _rows(frame: pl.DataFrame | None) -> list[dict[str, object]]:
    return frame.head(ROWS).to_dicts() if frame is not None else []
