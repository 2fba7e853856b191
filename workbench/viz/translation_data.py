"""What a report on translations is made of: frames of the queries, translations and plain values, checked once.

Curves and groups are those of `contribution_charts`, whose module documents them; here besides (further columns are ignored):

* systems (`contributions_by_group`, by system): `system`, `measure`, `mean`, `low`, `high`, `sentences`.
* quality (`translation_quality`): `system`, `metric`, `mean`, `low`, `high`, `sentences`.
* word_order (`word_order`): `system`, `against`, `measure`, `mean`, `low`, `high`, `sentences`.
* signals (`hallucination_signals`): `system`, `identifier`, `mean_share`, `min_share`, `log_probability`, `similarity`, `source_text`,
  `text`.
* differences (`translation_difference`): `pair`, `measure`, `first`, `second`, `difference`, `low`, `high`, `sentences`.
* closure: `what`, `number`, `largest`, `closed` (share below 1e-4).
* losses and failures as in the other reports: `model`, `documents`, `lost`; `stage`, `error`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from workbench.viz.contribution_charts import CURVE_COLUMNS
from workbench.viz.contribution_map import ContributionData
from workbench.viz.index import Index
from workbench.viz.pieces import require

TRANSLATION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "systems": ("system", "measure", "mean", "low", "high", "sentences"),
    "source_share": CURVE_COLUMNS["curve"],
    "source_entropy": CURVE_COLUMNS["curve"],
    "prefix_entropy": CURVE_COLUMNS["curve"],
    "source_positions": CURVE_COLUMNS["curve"],
    "parts_of_speech": CURVE_COLUMNS["groups"],
    "quality": ("system", "metric", "mean", "low", "high", "sentences"),
    "word_order": ("system", "against", "measure", "mean", "low", "high", "sentences"),
    "signals": ("system", "identifier", "mean_share", "min_share", "log_probability", "similarity", "source_text", "text"),
    "differences": ("pair", "measure", "first", "second", "difference", "low", "high", "sentences"),
    "closure": ("what", "number", "largest", "closed"),
    "losses": ("model", "documents", "lost"),
    "failures": ("stage", "error"),
}
#: What a reader of contributions must know first.
ASSOCIATION = (
    "Contributions say what a model's own number is made of. They do not say whether a translation is right, and a low share of the source "
    "is a sign that it may have been left, no proof."
)


@dataclass(frozen=True, slots=True)
class TranslationReport:
    """Everything a report on translations shows; frames that are None are said to be missing or left out (columns: `TRANSLATION_COLUMNS`).

    `low` and `high` bound the 95 % interval over sentences, null where there is none. Raises InputError for a missing column.
    """

    title: str
    corpus: str
    method: str
    target: str
    #: Translations explained in the store, of which `examples` are a selection.
    translations: int
    sentences: int
    systems: pl.DataFrame
    source_share: pl.DataFrame
    source_entropy: pl.DataFrame | None = None
    prefix_entropy: pl.DataFrame | None = None
    source_positions: pl.DataFrame | None = None
    parts_of_speech: pl.DataFrame | None = None
    quality: pl.DataFrame | None = None
    word_order: pl.DataFrame | None = None
    #: The translations that took least from their source.
    signals: pl.DataFrame | None = None
    #: Pairs of systems on the same sentences.
    differences: pl.DataFrame | None = None
    closure: pl.DataFrame | None = None
    trust: str = ""
    #: All translations with what tells whether they left their source.
    index: Index | None = None
    examples: tuple[ContributionData, ...] = ()
    losses: pl.DataFrame | None = None
    failures: pl.DataFrame | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    #: (question, SQL) and (command, what it does).
    queries: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    follow: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = (ASSOCIATION,)
    #: How the selection of examples was made, for the sentence above them.
    selection: str = ""

    def __post_init__(self) -> None:
        for name, columns in TRANSLATION_COLUMNS.items():
            frame = getattr(self, name)
            if frame is not None:
                require(frame, columns, f"{name} in a report")
