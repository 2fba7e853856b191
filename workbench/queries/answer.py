"""An answer that can be trusted and followed: its rows, how many there are, the SQL behind them, and what stands behind each row.

Questions in SQL become answers by `ask.answer`. What Python computes (tests, clusters, corrections) becomes one like this:

    counted = store.sql(statement, parameters)                # what the computation starts from, by SQL
    return Answer(
        title="lemmas that carry more relevance in one class than expected",
        frame=computed(counted),                               # the rows, the best first
        trust=trust(store, model=model, corpus=corpus),        # the line under every answer
        sql=with_parameters(statement, parameters),            # --sql prints it
        method="permutation of labels by document, 1,000 times, in Python (workbench.keyness)",
        evidence=Evidence("word_relevance", "lemma = {lemma} AND label = {label}", "[lemma={lemma} & explained={label}]"),
    )

and the command line shows it, as every other, by `workbench.cli.reading.Reading(…).show(answer)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from workbench.errors import InputError
from workbench.queries.evidence import Evidence, Lead
from workbench.queries.trust import Trust
from workbench.viz.escape import escape
from workbench.viz.frame_table import data

#: Columns that a notebook says once where they are the same in all rows, and rows that it shows.
CONSTANT = ("model", "composite", "corpus", "target", "languages")
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of an answer with their trust line; `total` counts all rows there are where `frame` has fewer.

    `sql` is complete in itself: any DuckDB client runs it. Where Python went on from there, `method` says how, in a sentence. `evidence`
    says what stands behind a row, `parameters` what was asked for; `notices` are sentences that a reader must not miss.
    """

    title: str
    frame: pl.DataFrame
    trust: Trust | None
    sql: str
    method: str = ""
    evidence: Evidence | None = None
    total: int | None = None
    notices: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return len(self.frame) if self.total is None else self.total

    @property
    def shown(self) -> str:
        """How many of how many, in words: 50 of 42,271 rows."""
        noun = "row" if self.rows == 1 else "rows"
        return f"{self.rows:,} {noun}" if len(self) == self.rows else f"{len(self):,} of {self.rows:,} {noun}"

    def head(self, limit: int) -> Answer:
        """The first rows, with the number of all; 0 for all."""
        return self if not limit or len(self) <= limit else replace(self, frame=self.frame.head(limit), total=self.rows)

    def lead(self, number: int) -> Lead:
        """What stands behind a row, counted from 1; InputError where there is no such row, or nothing that can be shown."""
        asked = f"follow row {number} of {self.title!r}"
        if not 1 <= number <= len(self):
            raise InputError(asked, f"{len(self):,} rows", "count rows from 1; show more by --limit")
        if self.evidence is None:
            raise InputError(asked, "rows that are no sum over words or pairs", "the SQL behind them: --sql")
        return self.evidence.lead(self.frame.row(number - 1, named=True), self.parameters)

    def _repr_html_(self) -> str:
        said = [self.shown] if self.rows > len(self) else []
        lines = [*said, *self.notices, *([f"trust: {self.trust.line}"] if self.trust else [])]
        below = "".join(f'<div style="color:#6b6860;font-size:.85em">{escape(line)}</div>' for line in lines)
        same = [name for name in CONSTANT if name in self.frame.columns and len(self) > 1 and self.frame[name].n_unique() == 1]
        caption = " · ".join([self.title, *(f"{name} {self.frame[name][0]}" for name in same)])
        return f"{data(self.frame.drop(same), caption=caption, most=SHOWN)}{below}"
