"""Repair takes out just what is damaged; computed again, the store says what an undisturbed one says."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic, verify
from workbench.store.lock import beside
from workbench.store.parts import part as one_part
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation
from workbench.store.repair import Repaired, repair
from workbench.store.salvage import bounds, ranges
from workbench.store.torture.corrupt import filled, log
from workbench.store.torture.corrupt import parts as over_parts
from workbench.store.torture.damage import HEADERS
from workbench.store.torture.phase import NAMES

GROUPS = [[f"d{number}-{place}" for place in range(4)] for number in range(3)]


def compute(path: Path) -> list[str]:
    """A run: what the store has not got is computed; returns the documents that it took."""
    names = [name for group in GROUPS for name in group]
    with Store.open(path, "write") as store:
        store.register_corpus("posts", "a" * 64, {})
        lacking = store.missing(synthetic.wanted(synthetic.batch(names)))["identifier"].unique()
        annotated = store.sql("SELECT DISTINCT identifier FROM words JOIN documents USING (document)")["identifier"]
        new = [name for name in names if name in set(lacking)]
        bare = [name for name in names if name not in {*lacking, *annotated}]
        if new:
            store.append(synthetic.batch(new), 1)
        if bare:
            store.replace_words(synthetic.batch(bare), 1)
    return [*new, *(f"words of {name}" for name in bare)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed store of three batches."""
    path = tmp_path_factory.mktemp("whole") / "store.duckdb"
    with Store.open(path, "write") as store:
        store.register_corpus("posts", "a" * 64, {})
        for group in GROUPS:
            store.append(synthetic.batch(group), 1)
    return path


@pytest.fixture(scope="module")
def says(whole: Path) -> str:
    return content_hash(whole)


def copied(source: Path, folder: Path) -> Path:
    for file in source.parent.iterdir():
        shutil.copy(file, folder / file.name)
    return folder / source.name


def removed(done: Repaired) -> dict[str, int]:
    return {what: done.removed[f"{what} removed"] for what in ("documents", "explanations") if done.removed[f"{what} removed"]}


#: What is harmed of each document (its number is n, those of its explanations 6n-5 to 6n, in two families of three).
ROWS = [
    "UPDATE kept.token_relevance SET relevance = relevance + 0.5 WHERE explanation = 2 AND token = 1",
    "DELETE FROM kept.token_relevance WHERE explanation = 12",
    "UPDATE kept.explanation SET digest = digest + 1 WHERE explanation = 14",
    "DELETE FROM kept.explanation WHERE explanation = 20",
    "UPDATE kept.component_relevance SET explanation = 777 WHERE explanation = 26",
    "UPDATE kept.segment SET text = text || '!' WHERE document = 6",
    "DELETE FROM kept.segment WHERE document = 7",
    "DELETE FROM kept.token WHERE document = 8 AND token = 1",
    "UPDATE kept.word SET lemma = 'x' WHERE document = 9 AND word = 0",
    "UPDATE kept.word_relevance SET relevance = relevance + 0.5 WHERE document = 10 AND word = 0",
    "INSERT INTO kept.word SELECT * FROM kept.word WHERE document = 11 LIMIT 1",
]


def test_rows(whole: Path, says: str, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    with Store.open(path, "write") as store:
        for statement in ROWS:
            store.connection.execute(statement)
    done = repair(path)
    assert done.removed["documents removed"] == 3
    assert done.removed["explanations removed"] == 3 + 3 + 3 + 2 + 3 + 3 * 6
    assert verify(path).clean
    names = [name for group in GROUPS for name in group]
    assert compute(path) == [*names[:8], *(f"words of {name}" for name in names[8:11])]
    assert content_hash(path) == says
    assert verify(path).clean


@pytest.mark.parametrize(
    ("statement", "computed"),
    [
        ("UPDATE kept.ledger SET explanations = explanations + 1 WHERE batch = 2", GROUPS[1]),
        ("UPDATE kept.ledger SET input_hash = 'x' WHERE batch = 3", GROUPS[2]),
        ("DELETE FROM kept.ledger WHERE batch = 1", GROUPS[0]),
        ("DELETE FROM kept.document WHERE document = 3", GROUPS[0][2:3]),
    ],
    ids=["ledger", "line", "gone", "document"],
)
def test_batches(whole: Path, says: str, tmp_path: Path, statement: str, computed: list[str]) -> None:
    path = copied(whole, tmp_path)
    with Store.open(path, "write") as store:
        store.connection.execute(statement)
    done = repair(path)
    assert done.removed["explanations removed"] == 6 * len(computed)
    assert compute(path) == computed
    assert content_hash(path) == says
    assert verify(path).clean


def harm_block(path: Path, table: str, column: str) -> None:
    """Flip a bit in the first block of a column."""
    with duckdb.connect(str(path), read_only=True) as connection:
        size = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()[0][0]
        block, offset = connection.execute(
            f"SELECT block_id, block_offset FROM pragma_storage_info('{table}') WHERE column_name = '{column}' AND block_id >= 0 LIMIT 1"
        ).fetchall()[0]
    data = bytearray(path.read_bytes())
    data[HEADERS + block * size + offset + 16] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(("table", "column"), [("word", "char_end"), ("component_relevance", "relevance")])
def test_blocks_that_cannot_be_read(whole: Path, says: str, tmp_path: Path, table: str, column: str) -> None:
    path = copied(whole, tmp_path)
    harm_block(path, f"kept.{table}", column)
    assert not verify(path).clean
    done = repair(path)
    assert f"rows of {table} could not be read" in done.done[0]
    assert done.removed["documents removed"] == 0
    assert done.removed["explanations removed"] == (0 if table == "word" else 72)
    names = [name for group in GROUPS for name in group]
    assert compute(path) == ([f"words of {name}" for name in names] if table == "word" else names)
    assert content_hash(path) == says
    assert verify(path).clean


def test_of_a_long_table_only_the_damaged_rows_are_lost(tmp_path: Path) -> None:
    path = tmp_path / "long.duckdb"
    with duckdb.connect(str(path), config={"default_block_size": "32768"}) as connection:
        connection.execute(
            "CREATE SCHEMA kept; CREATE TABLE kept.long AS SELECT i // 10 AS document, hash(i) AS value FROM range(200000) t(i)"
        )
    harm_block(path, "kept.long", "value")
    with duckdb.connect(str(path), read_only=True) as connection:
        found = ranges(connection, "long")
        lost = sum(last - first + 1 for first, last in found.damaged)
        assert 2048 <= lost <= 8192
        assert lost + sum(last - first + 1 for first, last in found.whole) == 200_000
        low, high = bounds(connection, "long", 0, 2047)
        assert low == 0
        assert 204 <= high < 20_000 - 1


def test_a_file_that_cannot_be_opened(whole: Path, says: str, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    done = repair(path)
    assert done.is_gone
    assert not path.exists()
    assert "compute everything again" in done.done[-1]
    assert len(compute(path)) == 12
    assert content_hash(path) == says
    assert beside(path, ".damaged").exists()


def test_the_last_snapshot_takes_the_place(whole: Path, says: str, tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(GROUPS[0]), 1)
    snapshot = path.read_bytes()
    compute(path)
    beside(path, ".snapshot").write_bytes(snapshot)
    path.write_bytes(bytes(8192) + path.read_bytes()[8192:])
    done = repair(path)
    assert "snapshot" in done.done[0]
    assert "lost commits" in done.done[1]
    assert compute(path) == [*GROUPS[1], *GROUPS[2]]
    assert content_hash(path) == says


def test_a_damaged_log_is_kept_up_to_the_damage(tmp_path: Path) -> None:
    intact = log(tmp_path / "store")
    said = content_hash(intact.store)
    file = intact.files[0]
    data = bytearray(file.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    file.write_bytes(data)
    assert not verify(intact.store).clean
    done = repair(intact.store)
    assert "the log beside it is damaged" in done.done[0]
    with Store.open(intact.store) as store:
        assert 3 <= len(store.stored_documents("posts")) < 12
    filled(intact.store)
    assert content_hash(intact.store) == said
    assert verify(intact.store).clean


def test_parts(tmp_path: Path) -> None:
    intact = over_parts(tmp_path / "store")
    said = content_hash(intact.store)
    harmed = next(file for file in intact.files if file.parent.name == "token_relevance")
    harmed.chmod(0o644)
    harmed.write_bytes(harmed.read_bytes()[:-9])
    intact.store.write_bytes(b"nothing")
    with pytest.raises(StoreError, match="--parts"):
        repair(intact.store)
    done = repair(intact.store, parts=str(tmp_path / "store" / "parts"))
    assert done.over is not None
    assert "1 parts had files that were damaged" in done.done[-1]
    with Store.open(intact.store) as store:
        left = set(store.stored_documents("posts")["identifier"])
    assert len(left) == 9
    commit(Parts(done.over), [name for name in NAMES if name not in left], intact.store)
    assert content_hash(intact.store) == said
    assert verify(intact.store).clean


def commit(place: Parts, names: list[str], path: Path) -> None:
    """What a run does: computes documents as a part of its own, and makes the store over all parts."""
    numbers = place.begin_run("again", {}, {}, {"corpora": [], "models": [], "composites": []}, documents=3, explanations=18)
    scratch = Preparation()
    place.commit([one_part.write(place.place, scratch.prepare(synthetic.batch(names)), numbers, "again", {})])
    scratch.close()
    place.end_run(numbers.run, "finished", {})
    over(place, path)


def test_a_sound_store_is_left_alone(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    before = path.read_bytes()
    done = repair(path)
    assert not done.was_damaged
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"name,text\n"])
def test_what_was_never_a_store(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError):
        repair(path)
    assert content is None or path.read_bytes() == content
