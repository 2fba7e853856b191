"""Answering: a question's SQL over a store, and the intervals and sums that SQL cannot give."""

from __future__ import annotations

import os
import re

import polars as pl

from workbench.queries.derived import FINISH
from workbench.queries.question import describe, filled
from workbench.queries.statistics import with_intervals
from workbench.store import Store


def query(store: Store | str | os.PathLike[str], name: str, **parameters: object) -> pl.DataFrame:
    """The answer to a question as a frame; `describe(name)` says what it takes. StoreError for unknown names and wrong values."""
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return query(opened, name, **parameters)
    question = describe(name)
    values = filled(question, parameters)
    used = {name: value for name, value in values.items() if re.search(rf"\${name}\b", question.statement)}
    frame = store.sql(question.statement, used)
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    if finish := FINISH.get(name):
        return finish(store, frame, values)
    if "relevance_by_document" in frame.columns:
        return with_intervals(frame, resamples=int(str(values["resamples"])), seed=int(str(values["seed"])))
    return frame
