"""One page that a person can read, print and pass on: nothing fetched, every text through one gate, no script but that of a long table."""

from __future__ import annotations

from functools import cache

import jinja2
import polars as pl
from markupsafe import Markup

from workbench.relevance import ACCOUNTS
from workbench.viz import charts, figures, panels
from workbench.viz.data import PATENT, ReportData
from workbench.viz.drawing import svg
from workbench.viz.escape import attribute, escape
from workbench.viz.heatmap import legend
from workbench.viz.index import with_index
from workbench.viz.styles import sheet

#: Nothing may be loaded or run; style is the page's own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

SOURCES = (
    "AttnLRP: Achtibat et al. 2024. Comprehensiveness and sufficiency: DeYoung et al. 2020 (ERASER). MoRF and LeRF: Samek et al. 2017."
)

#: Rows of a plain table at most; the template says so where there are more.
ROWS = 60

#: Metrics of faithfulness as readers know them, and which way is better.
METRICS = {
    "comprehensiveness": ("Comprehensiveness", "higher is better"),
    "sufficiency": ("Sufficiency", "lower is better"),
    "morf_lerf_area": ("Area between LeRF and MoRF", "higher is better"),
}


def report(data: ReportData) -> str:
    """The report as HTML: one self-contained file, below 5 MB whatever the corpus (examples and terms are selections)."""
    examples, scale = panels.posts(data)
    labels = data.classes["label"].cast(pl.String).to_list()
    terms_scale = panels.term_scale(data.terms)
    return template("report").render(
        data=data,
        sheets=[sheet("heatmap"), sheet("report")],
        **with_index(data.index, POLICY),
        labels=labels,
        classes=data.classes.to_dicts(),
        confusion=panels.confusion(data.confusion, labels) if data.confusion is not None else [],
        quality=_rows(data.quality),
        terms={label: panels.term_columns(data.terms, label, terms_scale) for label in labels},
        terms_scale=terms_scale,
        terms_shown=panels.TERMS,
        examples=examples,
        legend=legend(scale, data.unit),
        ledger=data.ledger.to_dicts(),
        accounts=[*ACCOUNTS, "gap"],
        drawings=_drawings(data),
        planted=panels.planted(data.planted) if data.planted is not None and data.planted.height else None,
        parts=_parts_of_speech(data),
        least=_least(data, labels),
        faithfulness=_faithfulness(data) if data.planted is not None and data.planted.height else [],
        random=data.faithfulness is not None and "random" in data.faithfulness["method"],
        bias=_rows(data.bias),
        suspects=_rows(data.suspects),
        losses=_rows(data.losses),
        failures=_rows(panels.failures(data.failures) if data.failures is not None else None),
        patent=PATENT,
        sources=SOURCES,
    )


def _rows(frame: pl.DataFrame | None) -> list[dict[str, object]]:
    return frame.head(ROWS).to_dicts() if frame is not None else []


def _drawings(data: ReportData) -> dict[str, Markup]:
    """Charts without Bengali as SVG; those that have no rows are left out."""
    drawn: dict[str, Markup] = {}
    if data.ledger.height:
        drawn["accounts"] = svg(charts.accounts(data.ledger), "Share of the target that each account of the ledger holds, by model")
    if data.gaps is not None and data.gaps.height:
        drawn["gaps"] = svg(charts.gaps(data.gaps), "Histogram of the relative gaps of all explanations")
    return drawn


def _parts_of_speech(data: ReportData) -> list[tuple[str, Markup]]:
    """A drawing for each class explained."""
    if data.parts_of_speech is None:
        return []
    groups = data.parts_of_speech.group_by("label", maintain_order=True)
    return [
        (str(label), svg(charts.parts_of_speech(part, unit=data.unit), f"Mean relevance for {label} by part of speech"))
        for (label,), part in groups
    ]


def _least(data: ReportData, labels: list[str]) -> dict[str, list[dict[str, object]]]:
    """Frequent terms of least weight by class."""
    if data.least_terms is None:
        return {}
    return {label: data.least_terms.filter(pl.col("label") == label).head(panels.TERMS).to_dicts() for label in labels}


def _faithfulness(data: ReportData) -> list[dict[str, object]]:
    """For each metric: its names, drawing, and the numbers by method (best first, random last) and ordering."""
    if data.faithfulness is None or not data.faithfulness.height:
        return []
    found: list[dict[str, object]] = []
    measured = _of_model(data.faithfulness, data.model)
    for metric in measured["metric"].unique(maintain_order=True).to_list():
        rows = measured.filter(pl.col("metric") == metric)
        name, better = METRICS.get(metric, (str(metric), ""))
        picture = svg(charts.faithfulness(rows, metric), f"{name} by method with 95 % intervals")
        ranked = rows.with_columns((pl.col("method") == "random").alias("last"), (pl.col("ordering") != "signed").alias("second"))
        ranked = ranked.sort("last", "second", "mean", descending=[False, False, metric != "sufficiency"])
        found.append({"metric": metric, "name": name, "better": better, "drawing": picture, "rows": ranked.to_dicts()})
    return found


def _of_model(frame: pl.DataFrame, model: str) -> pl.DataFrame:
    """Rows of the model that the report is about, where the frame tells models apart and knows it."""
    return frame.filter(pl.col("model") == model) if "model" in frame.columns and model in frame["model"] else frame


@cache
def template(name: str) -> jinja2.Template:
    """A page of `templates/`, every text in it through one gate, with the filters for numbers."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("workbench.viz", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: escape("" if value is None else value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "attribute": attribute,
        "figure": figures.figure,
        "tick": lambda value: f"{value:+g}".replace("-", figures.MINUS),
        "count": figures.count,
        "share": figures.share,
        "interval": lambda row: figures.interval(row["low"], row["high"]),
        "plainly": lambda name: str(name).replace("_", " "),
    }
    return environment.get_template(f"{name}.html.jinja")
