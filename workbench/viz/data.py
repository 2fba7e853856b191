"""What a report is made of: frames of the queries and plain values, checked once, drawn by `report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from workbench.errors import InputError
from workbench.relevance import ACCOUNTS
from workbench.viz.index import Index
from workbench.viz.pieces import TOKEN_COLUMNS, WORD_COLUMNS, require

#: What a reader of a hate speech corpus without neutral posts must know first.
NO_NEUTRAL_CLASS = "The corpus has no not-hate class: the model says which kind of hate, never whether."
PATENT = (
    "The authors of layer-wise relevance propagation (LRP) state that the method is patented and free for personal and scientific use "
    "only. Whoever has another use in mind should ask them."
)

#: Columns that a frame must have: those of the queries of the same purpose; further columns are ignored. Posts meet by `identifier`.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "classes": ("label", "labelled", "predicted", "precision", "recall", "f1"),
    "terms": ("label", "side", "term", "mean", "low", "high", "documents", "occurrences"),
    "least_terms": ("label", "term", "mean_size", "documents"),
    "examples": ("identifier", "text", "label", "majority", "explained"),
    "predictions": ("identifier", "label", "probability", "votes"),
    "words": ("identifier", *WORD_COLUMNS),
    "tokens": ("identifier", *TOKEN_COLUMNS),
    "ledger": ("model", "explanations", *ACCOUNTS, "gap", "largest", "closed"),
    "gaps": ("relative_gap",),
    "confusion": ("gold", "predicted", "documents"),
    "quality": ("model", "split", "documents", "macro_f1"),
    "parts_of_speech": ("label", "upos", "mean", "occurrences"),
    "faithfulness": ("method", "ordering", "metric", "documents", "mean", "low", "high"),
    "planted": ("task", "reading", "method", "ordering", "precision_at_k", "lowest", "highest"),
    "bias": ("label", "term", "mean", "documents", "precision"),
    "suspects": ("kind", "item", "class", "passes", "pull", "pull_low", "pull_high", "p_adjusted", "share", "documents", "test", "command"),
    "losses": ("model", "documents", "lost"),
    "failures": ("stage", "error"),
}
SIDES = ("for", "against")


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. Required columns of each frame: `COLUMNS`; frames that are None are said to be missing or left out.

    Units: relevance in `unit`; shares, precision and probabilities from 0 to 1; `low` and `high` bound the 95 % interval, null where there
    is none. Ledger accounts are shares in the sum of the accounts' sizes; `largest` is the largest |gap| / max(|target|, 1), `closed` the
    share of explanations where it is at most 1e-4. Raises InputError for a missing column.
    """

    title: str
    corpus: str
    model: str
    composite: str
    #: Documents explained in the store, of which `examples` are a selection.
    documents: int
    classes: pl.DataFrame
    #: `side` is for or against; the order of rows is the order shown. `mean` is relevance per occurrence.
    terms: pl.DataFrame
    #: `explained` is the class whose relevance `words` holds; `majority` the majority vote of the members.
    examples: pl.DataFrame
    #: One row for each example and class: mean probability and votes.
    predictions: pl.DataFrame
    words: pl.DataFrame
    ledger: pl.DataFrame
    tokens: pl.DataFrame | None = None
    #: Frequent terms of least weight: `mean_size` is the mean |relevance| per occurrence.
    least_terms: pl.DataFrame | None = None
    gaps: pl.DataFrame | None = None
    confusion: pl.DataFrame | None = None
    quality: pl.DataFrame | None = None
    #: May hold low and high.
    parts_of_speech: pl.DataFrame | None = None
    faithfulness: pl.DataFrame | None = None
    #: Precision@k of the planted control; faithfulness is not shown without it.
    planted: pl.DataFrame | None = None
    #: Share of words called significant where labels are random; at most 5 % may be.
    false_alarms: float | None = None
    bias: pl.DataFrame | None = None
    #: What the model may rely on instead of reading, most suspicious first; `control` says how many pass, also where there is nothing.
    suspects: pl.DataFrame | None = None
    control: str = ""
    losses: pl.DataFrame | None = None
    failures: pl.DataFrame | None = None
    #: Names and values in the order shown.
    corpus_facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    #: (question, SQL) and (command, what it does).
    queries: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    follow: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = (NO_NEUTRAL_CLASS,)
    #: How the selection of examples was made, for the sentence above them.
    selection: str = ""
    unit: str = "logit"
    language: str | None = "bn"
    #: All terms, and what stands behind the strongest.
    index: Index | None = None
    planted_command: str = "workbench validate"
    #: What a term is: `lemma` or `form`.
    term_kind: str = "form"

    def __post_init__(self) -> None:
        for name, columns in COLUMNS.items():
            frame = getattr(self, name)
            if frame is not None:
                require(frame, columns, f"{name} in a report")
        if sides := set(self.terms["side"].cast(pl.String)) - set(SIDES):
            raise InputError("show terms in a report", f"side {', '.join(sorted(map(str, sides)))}", f"use {' or '.join(SIDES)}")
        if self.examples["identifier"].n_unique() != self.examples.height:
            raise InputError("show examples in a report", "the same identifier twice", "give one row for each document")
