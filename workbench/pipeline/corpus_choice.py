"""Which documents, as a pipeline declares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from workbench.pipeline.strict import Strict


class SourceChoice(Strict):
    """Where texts come from: a file or folder of JSON lines, Parquet or CSV, a dataset folder of the Hugging Face hub, or a query.

    `path` is relative to the working directory; with `query` it is a DuckDB file, or `postgres:` and a connection string.
    """

    path: str = Field(min_length=1)
    query: str | None = Field(default=None, min_length=1)
    split: str | None = None


class CorpusChoice(Strict):
    """Which documents: a registered corpus, one of its splits (or several: `splits`) or all, at most so many.

    `languages` is for pairs in several languages: `en`, `en-de` (first text English, second German), `en=de` (a text and its translation).
    Instead of a registered corpus a pipeline can name its own `sources`, with the columns of its texts under `fields`.
    """

    name: str
    split: str | None = None
    splits: tuple[str, ...] = ()
    limit: int | None = Field(default=None, gt=0)
    languages: tuple[str, ...] = ()
    sources: tuple[SourceChoice, ...] = ()
    fields: Mapping[str, Any] | None = None
    language: str = "und"

    @model_validator(mode="after")
    def of_sources(self) -> CorpusChoice:
        """Columns belong to sources."""
        if self.fields is not None and not self.sources:
            raise ValueError("[corpus.fields] without [[corpus.sources]]: a registered corpus declares its own fields")
        return self

    @model_validator(mode="after")
    def one_or_several(self) -> CorpusChoice:
        """One split or several, not both."""
        if self.split is not None and self.splits:
            raise ValueError("split and splits: name one split, or several under splits")
        return self
