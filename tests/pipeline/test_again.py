"""After a repair just what was damaged is computed again, in a store with rows of its own and in one over parts."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.pipeline import tiny
from tests.pipeline.conftest import Bench
from workbench.cli.application import app
from workbench.pipeline.into_parts import run_into_parts
from workbench.pipeline.run import run
from workbench.store import Store, content_hash, verify


@pytest.mark.parametrize("kind", ["rows", "parts"])
def test_what_was_damaged_is_computed_again(bench: Bench, kind: str) -> None:
    bench.write(tiny.posts(12))
    path, parts = bench.folder / "s.duckdb", bench.folder / "parts"
    run(bench.pipeline, path) if kind == "rows" else run_into_parts(bench.pipeline, str(parts), path)
    said = content_hash(path)
    if kind == "rows":
        with Store.open(path, "write") as store:
            scattered = "SELECT explanation FROM kept.explanation WHERE document IN (2, 5, 11)"  # whose batches others filled
            store.connection.execute(f"UPDATE kept.token_relevance SET relevance = relevance + 1 WHERE explanation IN ({scattered})")
            store.connection.execute("UPDATE kept.word SET form = 'x' WHERE document = (SELECT max(document) FROM kept.word)")
    else:
        harmed = sorted((parts / "token_relevance").iterdir())[0]
        harmed.unlink()
    assert not verify(path).clean
    result = CliRunner().invoke(app, ["repair", str(path)], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    assert content_hash(path) == said
    assert verify(path).clean
    again = [line for line in result.output.splitlines() if line.startswith("tiny:")]
    assert len(again) == 1
    assert (", 1 annotated again" in again[0]) == (kind == "rows")
    assert again[0].startswith(f"tiny: {3 if kind == 'rows' else 8} documents explained")
