"""Relevance by category of a lexicon, and by named entity: what kinds of things a model relies on."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from workbench.errors import InputError, StoreError
from workbench.queries.lexicon import read_lexicon
from workbench.queries.question import Value
from workbench.queries.semantics.shares import WHO, of_items
from workbench.store import Store


def with_lexicon(values: Mapping[str, Value]) -> dict[str, Value]:
    """The parameters of `categories` with the terms of its lexicon and their categories, side by side."""
    lexicon = read_lexicon(str(values["lexicon"]))
    return {**values, "terms": lexicon["term"].to_list(), "categories": lexicon["category"].to_list()}


def categories(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Shares of the categories, or of their terms. InputError where no term stands in the texts."""
    if len(frame) and frame["item"].null_count() == len(frame):
        found = f"none of its {len(set(as_list(values['terms']))):,} terms in these texts"
        raise InputError(f"class words by {values['lexicon']}", found, "check language and spelling")
    return shares(frame, values)


def entities(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Shares of the types of named entities, or of their mentions. StoreError where the annotator gives none."""
    if len(frame) and frame["item"].null_count() == len(frame):
        remedy = (
            "annotate with a pipeline that recognises entities (an installed spaCy package), then run again; or use a lexicon: categories"
        )
        raise StoreError("class words by named entity", "words without a named entity", remedy)
    return shares(frame, values)


def shares(frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """At most `limit` items of each class; terms and mentions with their category."""
    kinds = frame.select("item", "category").drop_nulls().unique()
    found = of_items(frame.drop("category"), values, least=int(str(values["minimum_documents"])))
    found = found.group_by(WHO, maintain_order=True).head(int(str(values["limit"])))
    if values["by"] in ("category", "type"):
        return found
    return found.join(kinds, on="item", how="left", maintain_order="left")


def as_list(value: Value) -> list[str]:
    """A parameter of several texts."""
    return value if isinstance(value, list) else []
