"""How much more relevance classes of words carry than their number alone would give: one panel for each class explained."""

from __future__ import annotations

import altair as alt
import polars as pl

from workbench.errors import InputError
from workbench.viz.charts import clothed
from workbench.viz.effect_charts import panel

#: Columns that say whose relevance it is: one panel for each of their combinations.
WHOSE = ("model", "composite", "label", "target", "group", "languages")
PANELS, ROWS = 12, 20
ENDS = ("lift", "lift_low", "lift_high")


def lifts(frame: pl.DataFrame, title: str = "") -> alt.VConcatChart:
    """Lifts with 95 % intervals on a logarithmic scale; an answer of the questions by class (`relevance_by_relation`, `pos_pairs` …).

    Classes that are numbers (places, distances) keep their order, others stand by their lift. Raises InputError for an answer without lifts
    and for more than 12 panels.
    """
    asked = f"draw {title or 'lifts'}"
    if not set(ENDS) <= set(frame.columns):
        raise InputError(asked, "an answer without lifts and their intervals", "ask for one by class: relevance_by_upos, pos_pairs …")
    whose = [name for name in WHOSE if name in frame.columns]
    classes = [name for name, kind in frame.schema.items() if name not in whose and (kind == pl.String or name in ("position", "distance"))]
    numbered = len(classes) == 1 and frame[classes[0]].dtype.is_integer()
    panels = []
    for key, part in frame.group_by(whose, maintain_order=True):
        rows = part.filter(pl.col("lift").is_not_null())
        if not numbered:
            rows = rows.sort("occurrences" if "occurrences" in rows.columns else "interactions", descending=True).head(ROWS)
        named = rows.with_columns(pl.concat_str([pl.col(name).cast(pl.String) for name in classes], separator=" × ").alias("class"))
        said = " · ".join(str(value) for name, value in zip(whose, key, strict=True) if value is not None and varies(frame, name))
        drawn = panel(named, "class", "lift", title=said or title, null=None, none=1.0, log=True, ordered=numbered, most=len(named))
        panels.append(drawn)
    if len(panels) > PANELS:
        raise InputError(asked, f"{len(panels)} panels", "choose a model, a composite or a class: --set label=…")
    return clothed(alt.vconcat(*panels, spacing=24))


def varies(frame: pl.DataFrame, name: str) -> bool:
    """Whether a column tells panels apart."""
    return frame[name].n_unique() > 1
