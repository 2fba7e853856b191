"""A user's SQL is kept in: it reads no other file, changes nothing, and takes no more time and memory than it is given."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.store.attacks import ESCAPES, RESOURCES
from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic
from workbench.store import confined as module
from workbench.store.confined import PATIENCE, Confined, Limits

SECRET = "canary-7c1f"
GENEROUS = Limits(seconds=60, memory=1 << 29)
SECONDS, MEMORY = 0.5, 1 << 28


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a store, a secret and another database."""

    folder: Path
    store: Path

    def fill(self, statement: str) -> str:
        """A statement with the paths of this place."""
        names = {"folder": self.folder, "name": self.folder.name, "store": self.store, "secret": self.folder / "secret.txt"}
        return statement.format(**names, other=self.folder / "other.duckdb")

    def content(self) -> dict[str, bytes]:
        """All files here."""
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("confined")
    store = folder / "relevance.duckdb"
    with Store.open(store, "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(20)]), 1)
    (folder / "secret.txt").write_text(SECRET)
    with duckdb.connect(str(folder / "other.duckdb")) as other:
        other.execute(f"CREATE TABLE secret AS SELECT '{SECRET}' AS text")
    return Place(folder, store)


@pytest.fixture(scope="module")
def confined(place: Place) -> Iterator[Confined]:
    with Confined(place.store, limits=GENEROUS) as opened:
        yield opened


def test_there_are_enough_attempts() -> None:
    assert len(set(ESCAPES)) >= 100
    assert len(RESOURCES) >= 26


def attempts(confined: Confined, place: Place) -> dict[str, str]:
    """What came of each attempt: the complaint, or the rows; the place must be as it was."""
    before, found = place.content(), {}
    for statement in ESCAPES:
        try:
            found[statement] = "\n".join(str(result.frame.rows()) for result in confined.each(place.fill(statement), 100))
        except StoreError as error:
            found[statement] = error.found
        assert SECRET not in found[statement], statement
        assert place.content() == before, statement
        assert confined.ask("SELECT count(*) AS n FROM documents").frame["n"][0] == 20, statement
    return found


def test_no_statement_gets_out(confined: Confined, place: Place) -> None:
    before = content_hash(place.store)
    found = attempts(confined, place)
    assert [statement for statement, text in found.items() if text.startswith("[(")] == []  # an answer without rows says nothing
    assert content_hash(place.store) == before


UNGUARDED = """
import sys
sys.path.insert(0, {folder!r})
import confined_child as child

def statements(connection, text):
    return [statement.query for statement in connection.extract_statements(text)]

child.questions = statements
child.main(sys.argv[1])
"""


def test_the_walls_behind_the_first_one_hold_too(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with every kind of statement let through: the connection and the kernel refuse what the first wall would have."""
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED.format(folder=str(module.CHILD.parent)))
    monkeypatch.setattr(module, "CHILD", script)
    before = content_hash(place.store)
    with Confined(place.store, limits=GENEROUS) as confined:
        attempts(confined, place)
        with pytest.raises(StoreError, match=r"read-only|Read-only"):
            confined.ask("DELETE FROM kept.document")
        with pytest.raises(StoreError, match="configuration has been locked"):
            confined.ask("SET enable_external_access = true")
    assert content_hash(place.store) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of this system are others")
def test_the_process_can_open_no_file(place: Place) -> None:
    with Confined(place.store, limits=GENEROUS) as confined:
        confined.ask("SELECT 1")
        assert confined._process is not None
        limits = Path(f"/proc/{confined._process.pid}/limits").read_text()
        rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
        open_ones = {int(path.name) for path in Path(f"/proc/{confined._process.pid}/fd").iterdir()}
        assert open_ones == set(range(int(rows["Max open files"])))
        assert rows["Max file size"] == rows["Max core file size"] == "0"
        assert rows["Max address space"] != "unlimited"
        environment = Path(f"/proc/{confined._process.pid}/environ").read_text().split("\0")
        assert {entry.split("=")[0] for entry in environment if entry} <= {
            "PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_CTYPE", "HOME", "OMP_NUM_THREADS", "ARROW_DEFAULT_MEMORY_POOL",
        }  # fmt: skip


def test_nothing_takes_more_than_it_is_given(place: Place) -> None:
    """Each ends in one and a half times its limit (and what a busy machine adds), in its memory, and the next question is answered."""
    limits = Limits(seconds=SECONDS, memory=MEMORY, answer=16 << 20, threads=1)
    before, others = place.content(), largest_child()  # other tests of this process had children too
    with Confined(place.store, limits=limits) as confined:
        for name, statement in RESOURCES.items():
            assert served(confined), name
            start = time.monotonic()
            with suppress(StoreError):
                assert len(confined.ask(statement, 10).frame) <= 10, name
            assert time.monotonic() - start < PATIENCE * SECONDS + 5, name
        assert served(confined)
    assert place.content() == before
    if sys.platform == "linux":
        assert largest_child() <= max(others, 3 * MEMORY)  # with the code of Python, DuckDB and Arrow


def largest_child() -> int:
    """The most memory that any child of this process had, in bytes (on Linux)."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def served(confined: Confined) -> bool:
    """Whether a plain question is answered; on a busy machine perhaps at a later try."""
    for _ in range(20):
        try:
            return bool(confined.ask("SELECT count(*) AS n FROM documents").frame["n"][0] == 20)
        except StoreError:
            continue
    return False


def test_time_and_memory_are_said(place: Place) -> None:
    short, small = Limits(seconds=0.3, memory=MEMORY), Limits(seconds=60, memory=MEMORY)
    with Confined(place.store, limits=short) as confined, pytest.raises(StoreError, match=r"no answer within 0\.3 seconds"):
        confined.ask("SELECT sleep_ms(20000)")
    with Confined(place.store, limits=small) as confined, pytest.raises(StoreError, match=r"more memory needed than 0\.25 GiB"):
        confined.ask("SELECT repeat('x', 2000000000)")
    with Confined(place.store, limits=Limits(seconds=60, memory=1 << 29, answer=1 << 20)) as confined:
        with pytest.raises(StoreError, match="an answer of more than 1 MiB"):
            confined.ask("SELECT repeat('x', 1000) FROM range(10000)")
        assert confined.ask("SELECT repeat('x', 1000) FROM range(10000)", 5).total == 10_000


def test_answers_are_those_of_the_store(confined: Confined, place: Place) -> None:
    statement = "SELECT upos, count(*) AS n, avg(relevance::DOUBLE) AS mean FROM word_relevance GROUP BY ALL ORDER BY ALL"
    with Store.open(place.store) as store:
        assert confined.ask(statement).frame.equals(store.sql(statement))
        everything = store.sql("FROM words ORDER BY ALL")
    cut = confined.ask("FROM words ORDER BY ALL -- all of them\n;", 7)
    assert cut.frame.equals(everything.head(7))
    assert cut.total == len(everything)
    assert cut.shown == f"7 of {len(everything):,} rows"
    first, second = confined.each("SELECT 1 AS a; SELECT 2 AS b WHERE false;")
    assert (first.shown, second.shown) == ("1 row", "0 rows")
    assert second.frame.schema == {"b": pl.Int32}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(i)", 3), ("INTERVAL 2 DAY", "2 days"), ("[INTERVAL 2 DAY]", "[2 days]"), ("'101'::BIT", "101"), ("any_value(k)", "word"),
        ("12345678901234567890123", 12345678901234567890123), ("list(i ORDER BY i)", [0, 1, 2]), ("'ক্ষ'", "ক্ষ"),
        ("chr(0)", "\0"), ("NULL", None), ("'nan'::DOUBLE::VARCHAR", "nan"), ("{'a': 1}", {"a": 1}), ("1.5::DECIMAL(4, 2)::DOUBLE", 1.5),
    ],
)  # fmt: skip
def test_every_type_arrives(confined: Confined, expression: str, value: object) -> None:
    result = confined.ask(f"SELECT {expression} AS x FROM range(3) t(i), (SELECT any_value(kind) AS k FROM word_relevance WHERE word = 0)")
    assert result.frame["x"].to_list()[0] == value


def test_other_questions_than_select(confined: Confined) -> None:
    assert "documents" in confined.ask("SHOW TABLES").frame["name"].to_list()
    assert "lemma" in confined.ask("DESCRIBE words").frame["column_name"].to_list()
    assert confined.ask("EXPLAIN ANALYZE SELECT count(*) FROM words").frame.width == 2
    assert confined.ask("EXPLAIN (ANALYZE, FORMAT json) SELECT count(*) FROM words").frame.width == 2
    assert confined.ask("PIVOT documents ON label USING count(*) GROUP BY corpus").total == 1
    assert len(confined.ask("SUMMARIZE words").frame) > 5


def test_mistakes_are_pointed_at(confined: Confined) -> None:
    with pytest.raises(StoreError, match=r"nope[\s\S]*DESCRIBE word_relevance"):
        confined.ask("SELECT nope FROM words")
    with pytest.raises(StoreError, match="Did you mean"):
        confined.ask("FROM document")
    with pytest.raises(StoreError, match="syntax error"):
        confined.ask("SELEC 1")
    for text in ("", " ; ", "-- nothing"):
        with pytest.raises(StoreError, match="no statement"):
            confined.ask(text)
    with pytest.raises(StoreError, match="give one statement"):
        confined.ask("SELECT 1; SELECT 2")
    with pytest.raises(StoreError, match=r"U\+0000"):
        confined.ask("SELECT '\0'")
    assert confined.ask("SELECT 1").total == 1


def test_one_run_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.duckdb", "write") as opened:
        opened.append(synthetic.batch(["a", "b", "c"]), 1)
        opened.append(synthetic.batch(["d"]), 2)
    with Confined(tmp_path / "runs.duckdb", run=2, limits=GENEROUS) as confined:
        assert confined.ask("SELECT identifier FROM documents").frame["identifier"].to_list() == ["d"]
    with pytest.raises(StoreError, match="choose one of 1, 2"):
        Confined(tmp_path / "runs.duckdb", run=7)


def test_what_is_no_store_is_refused_in_our_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no file there"):
        Confined(tmp_path / "nothing.duckdb")
    with duckdb.connect(str(tmp_path / "foreign.duckdb")) as foreign:
        foreign.execute("CREATE TABLE x AS SELECT 1")
    with pytest.raises(StoreError, match="no relevance store"):
        Confined(tmp_path / "foreign.duckdb")


def test_a_store_that_is_being_written_names_its_writer(tmp_path: Path) -> None:
    with Store.open(tmp_path / "busy.duckdb", "write") as opened:
        opened.append(synthetic.batch(["a"]), 1)
    with Confined(tmp_path / "busy.duckdb", limits=GENEROUS) as confined:
        with Store.open(tmp_path / "busy.duckdb", "write"), pytest.raises(StoreError, match=f"open in process {os.getpid()}"):
            confined.ask("SELECT 1")
        assert confined.ask("SELECT 1").total == 1


def test_nobody_who_leaves_early_leaves_a_process(place: Place) -> None:
    confined = Confined(place.store, limits=GENEROUS)
    answers = confined.each("SELECT 1; SELECT 2")
    next(answers)
    process = confined._process
    assert process is not None
    answers.close()
    assert process.poll() is not None
    assert confined.ask("SELECT 3 AS x").frame["x"][0] == 3
    confined.close()
    confined.close()
