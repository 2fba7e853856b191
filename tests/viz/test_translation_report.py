"""The page on translations says what is missing, and no text of a corpus, system or file becomes markup on it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.viz.test_contribution_map import translation
from tests.viz.test_security import PAYLOADS
from tests.viz.test_similarity_report import audit, wrong
from workbench.errors import InputError
from workbench.viz.report import POLICY
from workbench.viz.translation_data import ASSOCIATION, TranslationReport
from workbench.viz.translation_report import translation_report

ENDS: dict[str, Any] = {"mean": 0.6, "low": 0.5, "high": 0.7, "sentences": 9}


def build(names: list[str], **changes: Any) -> TranslationReport:
    """A report in which every text is one of these names."""
    one, every = names[0], pl.DataFrame({"system": names}).with_columns(pl.lit(value).alias(name) for name, value in ENDS.items())
    signals = {"mean_share": 0.1, "min_share": 0.0, "log_probability": -1.0, "similarity": None}
    told = every.with_columns(
        pl.col("system").alias(name)
        for name in ("identifier", "source_text", "text", "against", "pair", "stage", "error", "model", "lost", "what")
    )
    told = told.with_columns(pl.lit(value, pl.Float64).alias(name) for name, value in signals.items()).with_columns(
        measure=pl.lit("source_share"),
        first=0.5,
        second=0.4,
        difference=0.1,
        documents=3,
        number=9,
        largest=1e-7,
        closed=1.0,
        metric=pl.lit("chrf"),
    )
    fields: dict[str, Any] = {
        "title": one, "corpus": one, "method": one, "target": one, "translations": 9, "sentences": 8, "systems": told,
        "source_share": told.clear().with_columns(position=0.5), "quality": told, "signals": told, "differences": told, "closure": told,
        "word_order": told.with_columns(measure=pl.lit("kendall_tau")), "losses": told, "failures": told, "trust": one,
        "examples": tuple(translation(f"{name} b", f"{name} d", identifier=name, facts={name: name}) for name in names[:3]),
        "provenance": {one: one}, "queries": ((one, one),), "commands": ((one, one),), "notices": (one,), "selection": one,
    }  # fmt: skip
    return TranslationReport(**(fields | changes))


def test_no_text_becomes_markup() -> None:
    html = translation_report(build(list(PAYLOADS)))
    assert [one for one in wrong(html) if one != "<br>"] == []
    assert audit(html).policy == POLICY
    said = "".join(audit(html).text)
    assert [payload for payload in PAYLOADS[:20] if payload not in said] == []


def test_what_is_missing_is_said() -> None:
    bare = TranslationReport("t", "c", "m", "argmax", 0, 0, pl.DataFrame(schema={
        "system": pl.String, "measure": pl.String, **dict.fromkeys(ENDS, pl.Float64),
    }), pl.DataFrame(schema={"system": pl.String, "position": pl.Float64, **dict.fromkeys(ENDS, pl.Float64)}))  # fmt: skip
    html = translation_report(bare)
    missing = ("Parts of speech were", "Word order was", "Signs of hallucination were", "what is explained was")
    for said in ("No translation is explained yet", "No translations were chosen", *(f"{what} not examined" for what in missing)):
        assert said in html
    assert ASSOCIATION.replace("'", "&#39;") in html
    with pytest.raises(InputError, match="no column position"):
        build(["a"], source_share=pl.DataFrame({"system": ["a"]}))
