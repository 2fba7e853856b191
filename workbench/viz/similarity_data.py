"""What a report on similarity is made of: frames of the queries, pairs and plain values, checked once, drawn by `similarity_report`.

Frames and their columns are those of `similarity_charts`, `pair` and `retrieval`, whose modules document them; here besides (further
columns are ignored):

* strongest (query `strongest_interactions`): `left_term`, `right_term`, `match`, `share`, `mean`, `low`, `high`, `pairs`.
* insensitivity_languages: the languages that contrasts are shown in (each languages' own numbers are the query's).
* parts (query `insensitivity_parts`): `contrast`, `part`, `share`, `low`, `high`, `interactions`: what keeps the similarity of a contrast
  up; share of the summed similarity of its pairs.
* closure: `what` (such as "factors of a text against its embedding"), `number`, `largest` (relative gap), `closed` (share below 1e-4).
* validation: `study`, `method`, `value`, `low`, `high`, `number`; `better` (higher, lower) is shown where it is there.
* losses and failures as in the other report: `model`, `documents`, `lost`; `stage`, `error`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from workbench.viz.index import Index
from workbench.viz.pair import Pair
from workbench.viz.pieces import require
from workbench.viz.retrieval import Retrieval
from workbench.viz.similarity_charts import KEYS, SIMILARITY_COLUMNS, checked

REPORT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    **SIMILARITY_COLUMNS,
    "strongest": ("left_term", "right_term", "match", "share", "mean", "low", "high", "pairs"),
    "parts": ("contrast", "part", "share", "low", "high", "interactions"),
    "closure": ("what", "number", "largest", "closed"),
    "validation": ("study", "method", "value", "low", "high", "number"),
    "losses": ("model", "documents", "lost"),
    "failures": ("stage", "error"),
}
#: What a reader of shares must know first.
ASSOCIATION = (
    "Shares say what the model's similarity is made of. They do not say that two texts mean the same, nor what a person would have seen."
)


@dataclass(frozen=True, slots=True)
class SimilarityReport:
    """Everything a report on similarity shows; frames that are None are said to be missing or left out (columns: `REPORT_COLUMNS`).

    Shares are of all pairs together; `low` and `high` bound the 95 % interval over pairs, null where there is none. Raises InputError for
    a missing column, and for two rows of one class (two models or corpora at once).
    """

    title: str
    corpus: str
    model: str
    composite: str
    #: Pairs explained in the store, of which `examples` are a selection.
    pairs: int
    #: Names and values in the order shown: mean similarity, correlation with people, languages …
    overview: Mapping[str, str]
    accounts: pl.DataFrame
    pos_pairs: pl.DataFrame | None = None
    noun_verb: pl.DataFrame | None = None
    matched_by: pl.DataFrame | None = None
    insensitivity: pl.DataFrame | None = None
    insensitivity_points: pl.DataFrame | None = None
    insensitivity_languages: str = ""
    parts: pl.DataFrame | None = None
    #: Pairs of words that carry most of the similarity of the corpus.
    strongest: pl.DataFrame | None = None
    #: First minus second of `models`, on the same pairs.
    differences: pl.DataFrame | None = None
    models: tuple[str, str] = ("first", "second")
    #: Whether the numbers close, and one sentence that says so.
    closure: pl.DataFrame | None = None
    trust: str = ""
    #: All pairs of words.
    index: Index | None = None
    validation: pl.DataFrame | None = None
    examples: tuple[Pair, ...] = ()
    retrievals: tuple[Retrieval, ...] = ()
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
    unit: str = "cosine"

    def __post_init__(self) -> None:
        for name, columns in REPORT_COLUMNS.items():
            frame = getattr(self, name)
            if frame is not None:
                require(frame, columns, f"{name} in a report")
                if name in KEYS:
                    checked(frame, name)
