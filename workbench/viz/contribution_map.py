"""One translation: how much of every generated word came from each word of the source and from each word generated before it.

Frames (further columns are ignored):

* `sources`: the words (or tokens) of the source in order: `place`, `form`; `lemma`, `upos` are shown where they are there.
* `steps`: the words (or tokens) of the output in order: `step`, `form`; `lemma`, `upos`, and `source_share` (0 to 1); without it the
  share is computed: |source| / (|source| + |prefix|) of the step, sizes of all cells summed.
* `cells`: `step`, `kind`, `place`, `relevance`. `kind` is `source` (`place` as in sources), `prefix` (`place` is the earlier step), or
  without a place what `workbench.attribution.contributions` calls `beginning`, `positions`, `biases`, `softmax` and `nonlinear`; where
  tokens were summed to words also `itself` (a word's own earlier tokens), `special` and `uncovered`; `rest` for what was not kept.

Relevance of a step sums to what is explained of it, in units of `unit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from markupsafe import Markup

from workbench.errors import InputError
from workbench.viz.escape import attribute, escape
from workbench.viz.figures import figure, share
from workbench.viz.grid import Grid, Key, Unit, in_reading_order, scale_legend, table
from workbench.viz.measure import right_to_left
from workbench.viz.palette import common_scale
from workbench.viz.pieces import require
from workbench.viz.styles import style

CONTRIBUTION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sources": ("place", "form"),
    "steps": ("step", "form"),
    "cells": ("step", "kind", "place", "relevance"),
}
#: What is no word, in the order shown, as readers know it.
OTHERS: Mapping[str, str] = {
    "itself": "own pieces", "beginning": "start tokens", "special": "special tokens", "uncovered": "outside words",
    "positions": "positions", "biases": "biases", "softmax": "softmax", "nonlinear": "not linear", "rest": "not kept",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContributionData:
    """A source, its output and the contributions to every step (columns of the frames: see the module).

    `facts` are named values for the line above a view (system, chrF …). Raises InputError for missing columns, cells of words or kinds
    that are not there, a prefix that is not earlier than its step, and cells that are there twice.
    """

    sources: pl.DataFrame
    steps: pl.DataFrame
    cells: pl.DataFrame
    unit: str = "logit"
    identifier: str = ""
    source_language: str | None = None
    target_language: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, columns in CONTRIBUTION_COLUMNS.items():
            require(getattr(self, name), columns, f"{name} of a translation")
        for frame, number in ((self.sources, "place"), (self.steps, "step")):
            if frame[number].is_duplicated().any():
                raise InputError("show contributions", f"the same {number} twice", "give the words of one annotator, or the tokens")
        kinds = self.cells["kind"].cast(pl.String)
        if unknown := set(kinds) - {"source", "prefix", *OTHERS}:
            raise InputError("show contributions", f"kinds {', '.join(sorted(unknown))}", f"use source, prefix, {', '.join(OTHERS)}")
        places = {"source": set(self.sources["place"].to_list()), "prefix": set(self.steps["step"].to_list())}
        for step, kind, place in self.cells.select("step", pl.col("kind").cast(pl.String), "place").iter_rows():
            if step not in places["prefix"] or (kind in places and place not in places[kind]):
                raise InputError("show contributions", f"a cell of step {step} and {kind} {place}", "give all sources and all steps")
            if kind == "prefix" and place >= step:
                raise InputError(
                    "show contributions", f"step {step} with the later prefix {place}", "number steps in the order of generation"
                )
        if self.cells.select("step", "kind", "place").is_duplicated().any():
            raise InputError("show contributions", "the same cell twice", "give the cells of one explanation")


def contribution_map(translation: ContributionData, *, scale: float | None = None, title: str = "") -> str:
    """HTML of one translation for a notebook, with legend and its own style: the share of the source by word, and the matrix.

    `scale` is the relevance of full colour, shared where translations are compared; None takes the largest |relevance| of a word.
    """
    end = scale or contribution_scale([translation])
    head = Markup('<p class="heading"><bdi>{}</bdi></p>').format(escape(title)) if title else Markup("")
    parts = (style("heatmap", "interaction"), head, share_strip(translation), contribution_legend(end, translation.unit))
    return str(Markup('<div class="workbench">{}{}</div>').format(Markup("").join(parts), contribution_table(translation, end)))


def contribution_table(translation: ContributionData, scale: float) -> Markup:
    """Steps down; across the source, a line, the output so far, and what is no word; sums at the margins."""
    steps = _units(translation.steps, "step", "prefix")
    source = in_reading_order(_units(translation.sources, "place", "source"), " ".join(translation.sources["form"]))
    prefix = in_reading_order(steps[:-1], " ".join(translation.steps["form"]))
    kinds = set(translation.cells["kind"].cast(pl.String))
    others = [Unit(kind, None, name) for kind, name in OTHERS.items() if kind in kinds]
    cells: dict[tuple[Key, Key], float | None] = {}
    sums: tuple[dict[Key, float], dict[Key, float]] = ({}, {})
    for step, kind, place, relevance in translation.cells.select(CONTRIBUTION_COLUMNS["cells"]).iter_rows():
        key: tuple[Key, Key] = (("prefix", step), (str(kind), place if kind in ("source", "prefix") else None))
        cells[key] = relevance
        for side, one in zip(sums, key, strict=True):
            side[one] = side.get(one, 0.0) + (relevance or 0.0)
    return table(
        Grid(
            rows=steps,
            columns=[*source, *prefix, *others],
            cells=cells,
            row_sums=sums[0],
            column_sums=sums[1],
            total=math.fsum(sums[0].values()),
            row_language=translation.target_language,
            column_languages={"source": translation.source_language, "prefix": translation.target_language},
        ),
        scale,
    )


def contribution_legend(scale: float, unit: str = "logit") -> Markup:
    """The scale, and which side of the line is which."""
    said = Markup(
        '<p class="legend"><span>down: the words of the output; across: the source | the output so far | what is no word</span></p>'
    )
    return said + scale_legend(scale, unit, raises="for the word", lowers="speaks against")


def share_strip(translation: ContributionData) -> Markup:
    """The output with a bar under each word: filled is the share of the source, empty that of the words generated before.

    The mean and the least are of the second word on: before the first there is nothing but the source.
    """
    rows = source_shares(translation)
    words = Markup("").join(
        _bar(form, value, translation.target_language) for form, value in rows.select("form", "source_share").iter_rows()
    )
    later = rows.slice(1).drop_nulls("source_share").sort("source_share", maintain_order=True)
    said = Markup("")
    if len(later):
        numbers = [share(value, 0) for value in (math.fsum(later["source_share"]) / len(later), later["source_share"][0])]
        told = '<p class="sums">share of the source from the second word on: mean {}, least {} (<bdi>{}</bdi>)</p>'
        said = Markup(told).format(*numbers, escape(later["form"][0]))
    way = "rtl" if right_to_left(" ".join(rows["form"])) else "ltr"
    return Markup('<div class="strip" dir="{}">{}</div>{}').format(way, words, said)


def source_shares(translation: ContributionData) -> pl.DataFrame:
    """`step`, `form`, `source_share` in order: as given, or |source| / (|source| + |prefix|); null where a step has neither."""
    steps = translation.steps.sort("step")
    if "source_share" in steps.columns:
        return steps.select("step", "form", pl.col("source_share").cast(pl.Float64))
    kind = pl.col("kind").cast(pl.String)
    sizes = (
        translation.cells.with_columns(pl.col("relevance").cast(pl.Float64))
        .group_by("step")
        .agg(*(pl.col("relevance").filter(kind == name).abs().sum().alias(name) for name in ("source", "prefix")))
    )
    whole = pl.col("source") + pl.col("prefix")
    found = steps.join(sizes, on="step", how="left", maintain_order="left")
    return found.select("step", "form", pl.when(whole > 0).then(pl.col("source") / whole).alias("source_share"))


def contribution_scale(translations: list[ContributionData]) -> float:
    """One scale for all translations of a page: the largest |relevance| of a word of the source or the output."""
    wordy = pl.col("kind").cast(pl.String).is_in(["source", "prefix"])
    return common_scale(value for one in translations for value in one.cells.filter(wordy)["relevance"])


def _units(frame: pl.DataFrame, number: str, kind: str) -> list[Unit]:
    extras = [name for name in ("lemma", "upos") if name in frame.columns]
    rows = frame.sort(number).select(number, "form", *extras).iter_rows()
    return [Unit(kind, place, str(form), " · ".join(str(value) for value in about if value is not None)) for place, form, *about in rows]


def _bar(form: str, value: float | None, language: str | None) -> Markup:
    known = value is not None and math.isfinite(value)
    high = round(100 * min(1.0, max(0.0, value or 0.0))) if known else 0
    tip = f"{form}   {figure(value, 2)} from the source" if known else f"{form}   no share"
    tongue = Markup(' lang="{}"').format(attribute(language)) if language else Markup("")
    return Markup(
        '<span class="step" title="{}"><bdi{}>{}</bdi><i class="{}"><b style="height:{}%"></b></i><small dir="ltr">{}</small></span> '
    ).format(attribute(tip), tongue, escape(form), "known" if known else "unknown", high, share(value, 0) if known else "–")
