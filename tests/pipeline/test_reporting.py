"""A report from any store: every frame it shows is there, its numbers are the store's, and a store without a run says so."""

from __future__ import annotations

import polars as pl
import pytest
from markupsafe import escape

from tests.pipeline.conftest import Bench
from tests.pipeline.page_commands import rows_lead_on
from workbench.errors import PipelineError, WorkbenchError
from workbench.evaluation.planted import planted
from workbench.evaluation.planted_run import Size
from workbench.pipeline.report_index import DOCUMENTS, TERMS
from workbench.pipeline.reporting import page as page_of
from workbench.pipeline.reporting import planted_path, report_data
from workbench.pipeline.run import run
from workbench.queries import answer
from workbench.store import Store


def test_a_report_shows_what_the_store_holds(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline.model_copy(update={"evaluation": bench.pipeline.evaluation.model_copy(update={"documents": 3})}), store)
    data = report_data(store)
    assert data.documents == 30
    assert data.classes["labelled"].sum() == data.classes["predicted"].sum() == 30
    assert data.ledger["closed"].to_list() == [1.0, 1.0, 1.0]
    assert data.faithfulness is not None
    assert data.planted is None
    with Store.open(store) as opened:
        texts = dict(opened.sql("SELECT identifier, text FROM documents").iter_rows())
        total = opened.sql("SELECT sum(relevance) AS total FROM word_relevance WHERE model = 'tiny'")["total"][0]
    assert all(texts[identifier] == text for identifier, text in data.examples.select("identifier", "text").iter_rows())
    if data.examples.height == 30:
        assert data.words["relevance"].sum() == pytest.approx(total, abs=1e-4)
    assert data.index is not None
    assert data.index.leads, "the strongest terms lead to their words in context"
    assert all("workbench find" in lead.command and "documents" in lead.sql for lead in data.index.leads)
    with pytest.raises(WorkbenchError, match="run"):
        page_of(store, 9)
    page = page_of(store, 1)
    assert "withheld" in page or "workbench validate" in page
    assert all(text.split()[0] in page for text in data.examples["text"])
    assert data.suspects is not None or data.control
    assert data.suspects is None or all(escape(command) in page for command in data.suspects["command"])
    assert rows_lead_on(page) == len(data.follow) + 1
    with Store.open(store) as opened:
        asked = answer(opened, "top_terms", limit=TERMS, minimum_documents=DOCUMENTS, form="form", model="tiny")
        for row, behind in enumerate(data.index.behind[:5], start=1):
            held = opened.sql(asked.lead(row).documents)
            assert f"<bdi>{held['identifier'][0]}</bdi>" in behind
            assert behind.count("<bdi>") == min(3, len(held))


def test_the_planted_control_beside_the_store_is_shown(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline.model_copy(update={"evaluation": bench.pipeline.evaluation.model_copy(update={"documents": 3})}), store)
    control = planted(1, tasks=("single_token",), workers=1, size=Size())
    planted_path(store).write_text(control.to_json(), "utf-8")
    data = report_data(store)
    assert data.planted is not None
    assert data.planted.equals(control.summary())
    best = data.planted.filter((pl.col("method") == "attnlrp") & (pl.col("reading") == "tokens"))["precision_at_k"].min()
    assert best >= 0.99


def test_a_store_without_a_run_says_what_to_do(bench: Bench) -> None:
    store = bench.folder / "empty.duckdb"
    with Store.open(store, "write"):
        pass
    with pytest.raises(PipelineError, match="workbench run"):
        report_data(store)
