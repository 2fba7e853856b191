"""A concordance that answers while one types."""

from __future__ import annotations

from pathlib import Path

from tests.patterns import corpus
from workbench.notebook import explore


def test_hits_follow_the_controls(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    corpus.store(path, corpus.corpus(11, 12)).close()
    box = explore(path, '[upos="NOUN" & relevance>0]', limit=5)
    (pattern, order), (width, most), shown = box.children[0].children, box.children[1].children, box.children[2]
    assert "5 of" in shown.value
    assert shown.value.count("<tr>") == 5
    most.value = 10
    assert shown.value.count("<tr>") == 10
    pattern.value = '[form="walk"]'
    before = shown.value
    assert "walk" in before
    order.value = "as they stand"
    width.value = 2
    assert shown.value != before
    pattern.value = "[upos="
    assert "<pre" in shown.value
    assert "<table" not in shown.value
