"""A simulated place is read and planned as any other, and tells of as many rows as it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.document import Document
from workbench.pipeline.bench import manifest as bench
from workbench.pipeline.bench.manifest import asked, manifest
from workbench.pipeline.declaration import find
from workbench.pipeline.plan import wanted
from workbench.store import Store
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.parts.simulated import DOCUMENTS, simulate


def test_simulated_parts_have_the_documents_that_are_asked_for(tmp_path: Path) -> None:
    texts = [Document("simulated", f"{number:05}", {"text": str(number)}) for number in range(250)]
    frame = asked(wanted(texts, "weights", find("bengali-hate")))
    parts = Parts(tmp_path / "parts")
    found = list(simulate(parts, frame, 100_000))
    parts.commit(found)
    assert [one.documents for one in found] == [DOCUMENTS, DOCUMENTS, 50]
    assert sum(one.files["token_relevance"][0] for one in found) == pytest.approx(100_000, rel=0.01)
    over(parts, tmp_path / "over.duckdb")
    with Store.open(tmp_path / "over.duckdb") as store:
        assert store.missing(frame).is_empty()
        assert store.sql("SELECT count(DISTINCT identifier) AS n FROM kept.document")["n"][0] == 250


def test_every_step_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MISSING", 10)
    found = list(manifest(10_000, 150))
    assert [finding.met for finding in found] == [True] * 5 + [None]
    assert all(finding.value > 0 for finding in found)
