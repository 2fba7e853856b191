"""A run into parts says what a run into a store says: complete, incremental, resumable; compacted it is the same store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.pipeline import tiny
from tests.pipeline.conftest import Bench
from workbench.pipeline.executors import local
from workbench.pipeline.into_parts import run_into_parts
from workbench.pipeline.run import run
from workbench.store import Store, content_hash, verify
from workbench.store.parts import part
from workbench.store.parts.part import Part
from workbench.store.parts.parts import Parts


def test_parts_say_what_a_store_says_and_only_what_is_missing_is_computed(bench: Bench) -> None:
    native, over, url = bench.folder / "native.duckdb", bench.folder / "over.duckdb", str(bench.folder / "parts")
    run(bench.pipeline, native)
    first = run_into_parts(bench.pipeline, url, over, executor=local(2))
    assert (first.documents, first.explained, first.failed, first.reasons) == (30, 30, 0, {"new": 30})
    assert content_hash(over) == content_hash(native)
    assert verify(over).clean
    again = run_into_parts(bench.pipeline, url, over)
    assert (again.explained, again.stored, len(Parts(url).state.runs)) == (0, 30, 1)
    texts = tiny.posts(30)
    texts[4] = ("তুমি চোর নেতা, সব মিথ্যা কথা।", "Political")
    bench.write([*texts, ("নতুন কথা আর নয়", "Personal"), ("", "Personal")])
    third = run_into_parts(bench.pipeline, url, over)
    assert (third.explained, third.reasons, third.rejected) == (2, {"edited": 1, "new": 1}, 1)
    order = list(third.stages)
    assert order.index("load") < order.index("explain"), "what is booked as loading is no explaining"
    run(bench.pipeline, native)
    assert verify(over).clean
    with Store.open(over) as one, Store.open(native) as other:
        question = "SELECT identifier, text, label, fingerprint FROM documents ORDER BY identifier"
        assert one.sql(question).equals(other.sql(question))
        assert len(one.sql("FROM failures")) == len(other.sql("FROM failures")) == 1
    assert run_into_parts(bench.pipeline, url, over).explained == 0


def test_another_annotator_brings_words_and_no_relevance_again(bench: Bench) -> None:
    over, url = bench.folder / "over.duckdb", str(bench.folder / "parts")
    run_into_parts(bench.pipeline, url, over)
    changed = bench.pipeline.model_copy(update={"annotation": bench.pipeline.annotation.model_copy(update={"pipeline": "blank:en"})})
    summary = run_into_parts(changed, url, over)
    assert (summary.explained, summary.reannotated) == (0, 30)
    assert verify(over).clean
    with Store.open(over) as opened:
        assert opened.sql("SELECT DISTINCT annotator FROM words")["annotator"].to_list() == ["blank:en"]
        assert opened.sql("SELECT count(*) AS n FROM explanations")["n"][0] == 90


def test_an_interrupted_run_goes_on_and_computes_nothing_twice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends once two parts were written, one of them not committed."""
    undisturbed, over, url = bench.folder / "undisturbed.duckdb", bench.folder / "over.duckdb", bench.folder / "parts"
    run(bench.pipeline, undisturbed)
    commit, seen = Parts.commit, []

    def once(self: Parts, found: Sequence[Part], **options: Any) -> None:
        seen.extend(found)
        if len(seen) > 1:
            raise KeyboardInterrupt
        commit(self, found, **options)

    monkeypatch.setattr(Parts, "commit", once)
    with pytest.raises(KeyboardInterrupt):
        run_into_parts(bench.pipeline, str(url), over)
    monkeypatch.setattr(Parts, "commit", commit)
    assert (len(list((url / "parts").glob("*.json"))), len(Parts(url).state.parts)) == (2, 1)
    summary = run_into_parts(bench.pipeline, str(url), over)
    assert any("interrupted run" in notice for notice in summary.notices)
    assert summary.explained == 30 - (6 + 8)  # the longest come first: what does not fill a job, and a full one
    assert content_hash(over) == content_hash(undisturbed)
    assert verify(over).clean
    with Store.open(over) as opened:
        assert opened.sql("SELECT status FROM runs ORDER BY run")["status"].to_list() == ["interrupted", "finished"]


def test_a_damaged_part_that_is_forgotten_is_computed_again(bench: Bench) -> None:
    over, url = bench.folder / "over.duckdb", bench.folder / "parts"
    run_into_parts(bench.pipeline, str(url), over)
    content = content_hash(over)
    parts = Parts(url)
    name = next(iter(parts.state.parts))
    path = url / part.file("word_relevance", name)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    assert not verify(over).clean
    parts.commit([], replaces=[name])
    summary = run_into_parts(bench.pipeline, str(url), over)
    assert summary.explained == 6
    assert content_hash(over) == content
    assert verify(over).clean
