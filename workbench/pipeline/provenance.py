"""What every report says of where its numbers come from, and of what tokenizers lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from workbench.store import Store


def losses(store: Store) -> pl.DataFrame:
    """What tokenizers lost, by member: documents affected and how much."""
    return store.sql(
        """SELECT model, count(DISTINCT document) AS documents, kind || ' (' || sum(lost)::BIGINT || ')' AS lost
           FROM tokenizer_losses GROUP BY model, kind ORDER BY model, kind"""
    )


def provenance(store: Store, run: Mapping[str, Any]) -> dict[str, str]:
    """What made the numbers: run, models, rules, versions."""
    models = store.sql("SELECT name, fingerprint FROM kept.model ORDER BY name")
    versions = json.loads(run["environment"])
    annotators = store.sql("SELECT DISTINCT annotator FROM words")["annotator"].to_list()
    return {
        "pipeline": f"{run['pipeline']}, run {run['run']}",
        "finished": f"{run['ended']:%Y-%m-%d %H:%M} UTC",
        **{f"model {name}": print_of[:16] for name, print_of in models.iter_rows()},
        "words by": ", ".join(annotators),
        "versions": ", ".join(f"{name} {value}" for name, value in versions.items()),
    }
