"""Compacted, a store says what it said, and is a store like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.store.parts.making import batches, filled
from workbench.cli.application import app
from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic, verify
from workbench.store import compact as compacting
from workbench.store.compact import compact
from workbench.store.parts import part
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.parts.taking import take_in
from workbench.store.prepared import Preparation


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    return Preparation()


@pytest.fixture
def parts(tmp_path: Path, preparation: Preparation) -> Parts:
    """Four runs."""
    made = Parts(tmp_path / "place")
    filled(made, preparation, batches())
    return made


def written_to(path: Path) -> int:
    """Whether a store takes further batches; how many documents it has then."""
    with Store.open(path, "write") as store:
        assert store.notices == []
        store.append(synthetic.batch(["one more"]), store.begin_run("later", {}, {}))
        store.end_run(store.begin_run("later", {}, {}), "finished", {})
        found = len(store.sql("FROM documents"))
    assert verify(path).clean
    return found


def test_an_edited_store_loses_its_holes_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "AT_ONCE", 2)
    path = tmp_path / "s.duckdb"
    with Store.open(path, "write") as store:
        for batch in batches():
            run = store.begin_run("test", {}, {})
            store.append(batch, run)
            store.end_run(run, "finished", {})
        before = store.sql("FROM batches"), store.identity
    content = content_hash(path)
    leftover = tmp_path / ".s.duckdb.new-killed"
    leftover.mkdir()
    done = compact(path)
    assert not leftover.exists()
    assert done.rows > 100
    assert content_hash(path) == content
    assert verify(path).clean
    with Store.open(path) as store:
        assert (store.sql("FROM batches").equals(before[0]), store.identity) == (True, before[1])
        numbers = store.connection.execute("SELECT document, role, tokenizer, token FROM kept.token").fetchall()
        assert numbers == sorted(numbers)
    assert written_to(path) == 7


def test_a_store_over_parts_gets_rows_of_its_own(tmp_path: Path, parts: Parts) -> None:
    path, other = tmp_path / "over.duckdb", tmp_path / "folder" / "other.duckdb"
    over(parts, path)
    content = content_hash(path)
    compact(path, other)
    compact(path)
    for store in (path, other):
        assert content_hash(store) == content
        assert verify(store).clean
        assert written_to(store) == 7
    with Store.open(path) as one, Store.open(other) as two:
        assert one.identity != two.identity
    with pytest.raises(StoreError, match="a file there"):
        compact(path, other)


def test_parts_are_taken_in_once(tmp_path: Path, parts: Parts, preparation: Preparation) -> None:
    path, expected = tmp_path / "s.duckdb", tmp_path / "over.duckdb"
    assert (take_in(parts, path), take_in(parts, path)) == (4, 0)
    over(parts, expected)
    assert content_hash(path) == content_hash(expected)
    assert verify(path).clean
    filled(Parts(tmp_path / "place"), preparation, [synthetic.batch(["one more"])])
    assert take_in(parts, path) == 1
    with Store.open(path) as store:
        assert store.sql("SELECT DISTINCT status FROM runs")["status"].to_list() == ["finished"]


def test_damage_stops_compacting_and_leaves_what_is_there(tmp_path: Path, parts: Parts) -> None:
    path = tmp_path / "over.duckdb"
    over(parts, path)
    before = path.read_bytes()
    file = tmp_path / "place" / part.file("word_relevance", next(iter(parts.state.parts)))
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(StoreError, match="compact"):
        compact(path)
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".over*")) == []


def test_the_command_makes_stores_of_parts(tmp_path: Path, parts: Parts) -> None:
    runner, place = CliRunner(), str(tmp_path / "place")

    def said(*arguments: str) -> str:
        answer = runner.invoke(app, ["compact", *arguments])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return " ".join(answer.stdout.split())

    assert "4 parts written to" in said(place, "--out", str(tmp_path / "s.duckdb"))
    assert "0 parts taken into" in said(place, "--out", str(tmp_path / "s.duckdb"))
    assert "stands over 4 parts" in said(place, "--out", str(tmp_path / "v.duckdb"), "--views")
    assert "rows written" in said(str(tmp_path / "v.duckdb"))
    assert content_hash(tmp_path / "v.duckdb") == content_hash(tmp_path / "s.duckdb")
    assert "nothing to remove" in said(place, "--sweep")
    with pytest.raises(StoreError, match="name it"):
        said(place)
    with pytest.raises(StoreError, match="where parts are needed"):
        said(str(tmp_path / "s.duckdb"), "--views")
    with pytest.raises(StoreError, match="no parts there"):
        said(str(tmp_path), "--out", str(tmp_path / "n.duckdb"))
