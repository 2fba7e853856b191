"""A store over parts says what a store that took in the same batches says, and can be trusted as one."""

from __future__ import annotations

import uuid
from pathlib import Path

import polars as pl
import pytest

from tests.store.parts.making import NAMES, batches, filled, written
from workbench.batch import SCHEMAS, Batch
from workbench.errors import StoreError
from workbench.queries import query
from workbench.store import Store, content_hash, synthetic, verify
from workbench.store.parts import part
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    return Preparation()


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that took in the same batches, a run each."""
    path = tmp_path_factory.mktemp("native") / "native.duckdb"
    with Store.open(path, "write") as store:
        for batch in batches():
            run = store.begin_run("test", {}, {})
            store.append(batch, run)
            store.end_run(run, "finished", {})
    return path


@pytest.mark.parametrize("where", ["folder", "memory"])
def test_it_says_what_a_store_with_rows_of_its_own_says(tmp_path: Path, native: Path, preparation: Preparation, where: str) -> None:
    parts = Parts(tmp_path / "place" if where == "folder" else f"memory://{uuid.uuid4().hex}/place")
    filled(parts, preparation, batches())
    path = tmp_path / "over.duckdb"
    over(parts, path)
    assert content_hash(path) == content_hash(native)
    assert [str(finding) for finding in verify(path) if finding.status != "ok"] == []
    with Store.open(path) as store, Store.open(native) as other:
        for opened in (store, other):
            assert opened.sql("SELECT count(*) AS n FROM earlier_words")["n"][0] > 0
        question = """SELECT identifier, model, kind::VARCHAR AS kind, word, lemma, round(relevance, 5) AS relevance
                      FROM word_relevance JOIN documents USING (document) ORDER BY ALL"""
        assert store.sql(question).equals(other.sql(question))
        # ends of intervals depend on the numbers that a store gives its documents, which decide what a resample draws
        drawn = [pl.exclude("^(.*_)?(low|high)$")]
        answers = [query(opened, "relevance_by_upos", model="ensemble").select(drawn) for opened in (store, other)]
        assert len(answers[0].columns) >= 9
        assert answers[0].equals(answers[1])
        assert store.sql("SELECT count(*) AS n FROM kept.token")["n"][0] == other.sql("SELECT count(*) AS n FROM kept.token")["n"][0]
        assert store.sql("SELECT status FROM runs")["status"].to_list() == ["finished"] * 4


def test_it_is_made_again_as_parts_come_and_is_never_written_to(tmp_path: Path, preparation: Preparation) -> None:
    parts, path = Parts(tmp_path / "place"), tmp_path / "over.duckdb"
    over(parts, path)
    assert verify(path).clean
    filled(parts, preparation, batches()[:1])
    assert verify(path).clean
    over(parts, path)
    with Store.open(path) as store:
        assert len(store.sql("FROM documents")) == 2
    with pytest.raises(StoreError, match="store over the parts"):
        Store.open(path, "write")
    Store.open(tmp_path / "native.duckdb", "write").close()
    with pytest.raises(StoreError, match="rows of its own"):
        over(parts, tmp_path / "native.duckdb")
    with pytest.raises(StoreError, match="a store over"):
        over(Parts(tmp_path / "another"), path)


def test_it_reads_its_parts_and_nothing_else(tmp_path: Path, preparation: Preparation) -> None:
    parts, path = Parts(tmp_path / "it's a place"), tmp_path / "over.duckdb"
    filled(parts, preparation, batches()[:1])
    over(parts, path)
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with Store.open(path) as store, Store.open(path) as second:
        assert len(second.sql("FROM tokens")) == len(store.sql("FROM tokens")) > 0
        for statement in (
            f"FROM read_csv('{tmp_path / 'secret.csv'}')", f"FROM glob('{tmp_path}/*')", "SET enable_external_access = true",
            f"ATTACH '{tmp_path / 'x.duckdb'}'",
        ):  # fmt: skip
            with pytest.raises(StoreError):
                store.sql(statement)


def test_damage_is_noticed(tmp_path: Path, preparation: Preparation) -> None:
    parts, path = Parts(tmp_path / "place"), tmp_path / "over.duckdb"
    filled(parts, preparation, batches()[:2])
    over(parts, path)
    file = tmp_path / "place" / part.file("token_relevance", next(iter(parts.state.parts)))
    content = file.read_bytes()
    file.chmod(0o644)
    for damaged in (content[:50] + bytes([content[50] ^ 1]) + content[51:], content[:-20], b""):
        file.write_bytes(damaged)
        findings = {finding.check: finding for finding in verify(path)}
        assert findings["mirror"].status == "error"
        assert "damaged or not there" in findings["mirror"].message
    file.unlink()
    assert not verify(path).clean
    file.write_bytes(content)
    assert verify(path).clean
    parts.commit([written(parts, preparation, synthetic.batch(NAMES[5:]))])
    assert [finding.status for finding in verify(path) if finding.check == "mirror"] == ["note"]
    parts.commit([], replaces=[next(iter(parts.state.parts))])
    assert [finding.status for finding in verify(path) if finding.check == "mirror"] == ["error", "note"]


def test_failures_come_along_until_they_are_settled(tmp_path: Path, preparation: Preparation) -> None:
    batch = synthetic.batch(NAMES[:1])
    fingerprint, content = batch["explanation"]["fingerprint"][0], batch["document"]["fingerprint"][0]
    row = {"corpus": "posts", "stage": "explain", "error": "too long", "retryable": True, "content": content}
    failed = [row | {"identifier": NAMES[0], "fingerprint": fingerprint}, row | {"identifier": "other", "fingerprint": "of other work"}]
    failure = Batch({"failure": pl.DataFrame(failed, schema=dict(SCHEMAS["failure"]))})
    parts, path = Parts(tmp_path / "place"), tmp_path / "over.duckdb"
    for expected, content_of_run in ((["document-0", "other"], failure), (["document-0", "other"], failure), (["other"], batch)):
        filled(parts, preparation, [content_of_run])
        over(parts, path)
        assert verify(path).clean
        with Store.open(path) as store:
            found = store.sql("SELECT identifier, attempts FROM kept.failure ORDER BY identifier")
            assert found["identifier"].to_list() == expected
    assert found["attempts"][0] == 2
