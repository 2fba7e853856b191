"""Answering: a question's SQL over a store, and the intervals and sums that SQL cannot give."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import polars as pl

from workbench.queries.answer import Answer
from workbench.queries.derived import FINISH, PREPARE
from workbench.queries.evidence import with_parameters
from workbench.queries.question import Question, Value, describe, filled
from workbench.queries.statistics import with_intervals
from workbench.queries.trust import trust
from workbench.store import Store

#: Parameters that choose among explanations: the trust line counts what they leave.
CHOICE = ("model", "composite", "corpus", "split", "label")


def query(store: Store | str | os.PathLike[str], name: str, **parameters: object) -> pl.DataFrame:
    """The answer to a question as a frame; `describe(name)` says what it takes. StoreError for unknown names and wrong values."""
    if not isinstance(store, Store):
        with Store.open(store, "read") as opened:
            return query(opened, name, **parameters)
    question = describe(name)
    values = prepared(question, parameters)
    frame = store.sql(question.statement, used(question, values))
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    if finish := FINISH.get(name):
        return finish(store, frame, values)
    if "relevance_by_document" in frame.columns:
        return with_intervals(frame, resamples=int(str(values["resamples"])), seed=int(str(values["seed"])))
    return frame


def answer(store: Store, name: str, **parameters: object) -> Answer:
    """The answer to a question with its SQL, its trust line and what stands behind each row; errors as for `query`."""
    question = describe(name)
    values = prepared(question, parameters)
    frame = query(store, name, **parameters)
    resampled = "resamples" in values
    method = f"intervals and shares of its rows: in Python, {values['resamples']} bootstrap resamples" if resampled else ""
    if name in FINISH:
        method = method or "from its rows to the answer: in Python"
    return Answer(
        title=question.title,
        frame=frame,
        trust=trust(store, **{key: as_text(values.get(key)) for key in CHOICE}),
        sql=sql_of(name, **parameters),
        method=f"{method} (workbench.queries.{FINISH[name].__module__.rsplit('.', 1)[-1]})" if name in FINISH else method,
        evidence=question.evidence,
        parameters=values,
    )


def sql_of(name: str, **parameters: object) -> str:
    """The SQL behind the answer to a question, its parameters filled in: any DuckDB client runs it."""
    question = describe(name)
    body = "\n".join(line for line in question.statement.splitlines() if not line.startswith("-- "))
    return f"-- {question.title}\n{with_parameters(body, used(question, prepared(question, parameters))).strip()}"


def prepared(question: Question, parameters: dict[str, object]) -> dict[str, Value]:
    """All parameters of a question, and what its SQL needs beside them."""
    values = filled(question, parameters)
    return prepare(values) if (prepare := PREPARE.get(question.name)) else values


def used(question: Question, values: Mapping[str, Value]) -> dict[str, Value]:
    """The parameters that the SQL itself takes."""
    body = "\n".join(line for line in question.statement.splitlines() if not line.startswith("-- "))
    return {name: value for name, value in values.items() if re.search(rf"\${name}\b", body)}


def as_text(value: Value) -> str | None:
    """A parameter that chooses among explanations; of several values none."""
    return value if isinstance(value, str) else None
