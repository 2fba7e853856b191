"""The words of matches: forms, lemmas and relevance of what was found, fetched for the matches that are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import polars as pl

from workbench.patterns.choice import PAIR
from workbench.patterns.statement import Statement
from workbench.store import Store
from workbench.store.connection import registered

#: The spans to fetch: hit and slot name them, the rest says where they lie and whose relevance counts.
SPAN = {
    "hit": pl.UInt32(), "slot": pl.String(), "document": pl.Int32(), "role": pl.String(), "explanation": pl.Int32(), "first": pl.Int32(),
    "last": pl.Int32(),
}  # fmt: skip
SPANS = "pattern_spans"
WORDS = """
SELECT s.hit, s.slot, string_agg(x.form, ' ' ORDER BY x.word) AS form, string_agg(coalesce(x.lemma, x.form), ' ' ORDER BY x.word) AS lemma,
       sum(w.relevance::DOUBLE) AS relevance
FROM pattern_spans s
JOIN words x ON x.document = s.document AND x.role = s.role AND x.word BETWEEN s.first AND s.last
LEFT JOIN word_relevance w ON w.explanation = s.explanation AND w.document = s.document AND w.word = x.word
GROUP BY ALL"""
#: The explanation of each text of a pair, beside that of the pair itself.
OWN = """
SELECT s.hit, s.slot, min(o.explanation) AS own
FROM pattern_spans s JOIN explanations p ON p.explanation = s.explanation
JOIN explanations o ON o.document = p.document AND o.role = s.role AND o.model = p.model AND o.composite = p.composite
    AND o.target = p.target
GROUP BY ALL"""


def with_texts(store: Store, frame: pl.DataFrame, statement: Statement) -> pl.DataFrame:
    """Hits with the words of the match and of each capture."""
    frame = frame.with_row_index("hit").rename(
        {f"{name}.{end}": f"{name}_{end}" for name in statement.captures for end in ("start", "end")}
    )
    names = ["match", *statement.captures, *(["right"] if statement.pair else [])]
    text = {name: int(name == "right" or name in statement.right) for name in names}
    with spans(store, frame, text, pair=statement.pair):
        found = store.sql(WORDS)
    for name in names:
        own = found.filter(pl.col("slot") == name).select(
            "hit", pl.col("form").alias(name), pl.col("lemma", "relevance").name.prefix(f"{name}_")
        )
        frame = frame.join(own, on="hit", how="left", maintain_order="left")
    order = ["document", "corpus", "identifier", "role", "explained", "target", "explanation", "sentence", "match_start", "match_end",
             "match", "right_start", "right_end", "right", "relevance", "similarity"]  # fmt: skip
    rest = [f"{name}{end}" for name in statement.captures for end in ("", "_start", "_end", "_lemma", "_relevance")]
    return frame.select([name for name in [*order, *rest] if name in frame.columns])


@contextmanager
def spans(store: Store, frame: pl.DataFrame, text: Mapping[str, int], *, pair: bool) -> Iterator[None]:
    """The places of parts of hits as the table `pattern_spans`; `text` says for each part in which text of a pair it stands (0 or 1).

    `frame` has hit, document, role, explanation and, for each part `a`, a_start and a_end.
    """
    wanted = pl.concat([places(frame, name, number, pair=pair) for name, number in text.items()])
    if pair:
        with registered(store.connection, SPANS, wanted):
            own = store.sql(OWN)
        wanted = wanted.join(own, on=["hit", "slot"], how="left").with_columns(explanation=pl.col("own")).drop("own")
    with registered(store.connection, SPANS, wanted):
        yield


def places(frame: pl.DataFrame, name: str, number: int, *, pair: bool) -> pl.DataFrame:
    """Where one part of each hit lies."""
    role = pl.col("role").str.split(PAIR).list.get(number) if pair else pl.col("role")
    explanation = pl.col("explanation") if "explanation" in frame.columns else pl.lit(None)
    columns = {"hit": pl.col("hit"), "slot": pl.lit(name), "document": pl.col("document"), "role": role, "explanation": explanation,
               "first": pl.col(f"{name}_start"), "last": pl.col(f"{name}_end")}  # fmt: skip
    return frame.select([value.cast(SPAN[key]).alias(key) for key, value in columns.items()]).filter(pl.col("first").is_not_null())
