"""The oldest store reaches the same schema as a new one, keeps its rows, and every column says what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from workbench.errors import StoreError
from workbench.store import Store, audit, migrate, synthetic
from workbench.store.torture.phases import PHASES
from workbench.store.verify import verify

SCHEMA = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE NOT internal
ORDER BY schema_name, table_name, column_index"""
DUMP = Path(__file__).parent / "version_1.sql"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.duckdb"
    connection = duckdb.connect(str(path))
    connection.execute(DUMP.read_text("utf-8"))
    connection.close()
    return path


def test_an_older_store_is_refused_to_readers_and_migrated_by_writers(old: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="an older schema"):
        Store.open(old)
    with Store.open(old, "write") as store, Store.open(tmp_path / "new.duckdb", "write") as new:
        assert store.sql(SCHEMA).equals(new.sql(SCHEMA))
        assert store.sql("SELECT identifier, text FROM documents").rows() == [("old", "দল ভোট")]
        store.append(synthetic.batch(["new"]), 1)
    with Store.open(old) as store:
        assert store.stored_documents("posts")["identifier"].to_list() == ["new", "old"]


def test_what_an_older_store_says_is_said_still(old: Path) -> None:
    """Its explanations keep their digests and close as they did; nothing of them came from decoder inputs."""
    with Store.open(old, "write") as store:
        ledger = store.sql("SELECT target_value, tokens, positions, decoder_inputs, softmax, epsilon, coverage FROM explanations").rows()
        assert ledger == [(1.5, 0.75, 0.25, 0.0, 0.0625, 0.0, 1.0)]
        assert [wrong for wrong in audit.digests(store.connection) if "explanations" in wrong.said] == []
        for check in (audit.tokens, audit.words, audit.sharing, audit.gaps, audit.layers, audit.orphans):
            assert check(store.connection) == []
        for view in ("layer_relevance", "position_layers", "component_relevance"):
            assert store.sql(f"FROM {view}").is_empty()
        with pytest.raises(duckdb.ConstraintException, match="isfinite"):
            store.connection.execute("UPDATE kept.explanation SET decoder_inputs = 'nan'")


def test_every_table_view_and_column_says_what_it_is(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new.duckdb", "write") as store:
        assert store.sql(f"SELECT table_name, column_name FROM ({SCHEMA}) WHERE comment IS NULL").rows() == []
        for kind in ("tables", "views"):
            assert store.sql(f"SELECT * FROM duckdb_{kind}() WHERE NOT internal AND comment IS NULL AND schema_name <> 'temp'").rows() == []


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(["a"]), 1)
    known = migrate.migrations()
    broken = migrate.Migration(known[-1].number + 1, "broken", "CREATE TABLE kept.extra (x INTEGER); SELECT * FROM nowhere;")
    monkeypatch.setattr(migrate, "migrations", lambda folder=None: [*known, broken])
    with pytest.raises(StoreError, match=rf"version {broken.number} \(broken\)"):
        Store.open(path, "write")
    monkeypatch.undo()
    with Store.open(path) as store:
        assert store.sql("SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = 'extra'")["n"][0] == 0
        assert len(store.stored_documents("posts")) == 1
    better = migrate.Migration(known[-1].number + 1, "extra", "CREATE TABLE kept.extra (x INTEGER)")
    monkeypatch.setattr(migrate, "migrations", lambda folder=None: [*known, better])
    with Store.open(path, "write") as store:
        assert store.sql("SELECT max(number) AS n FROM kept.migration")["n"][0] == better.number


def killed_after(path: Path, steps: slice) -> None:
    """Migrations in a process that is killed before it folds its log into the file."""
    program = """
        import os, signal, sys
        from pathlib import Path
        from workbench.store import migrate
        from workbench.store.connection import connect
        connection = connect(Path(sys.argv[1]), read_only=False)
        migrate.apply(connection, migrate.migrations()[slice(*eval(sys.argv[2]))], Path(sys.argv[1]))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    chosen = repr((steps.start, steps.stop))
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(path), chosen], env=environment, check=False)


def test_a_migration_that_is_killed_leaves_a_store_that_can_be_opened(old: Path) -> None:
    """DuckDB cannot replay what the migration wrote to its log when it opens the file by itself."""
    killed_after(old, slice(1, 4))
    with pytest.raises(duckdb.Error, match="replaying WAL"):
        duckdb.connect(str(old))
    with pytest.raises(StoreError, match="a change of the schema that was interrupted"):
        Store.open(old)
    with Store.open(old, "write") as store:
        assert store.sql("SELECT identifier, text FROM documents").rows() == [("old", "দল ভোট")]


def test_a_migration_that_is_killed_after_its_last_step_is_completed_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    PHASES["migration"].prepare(path)
    killed_after(path, slice(1, None))
    assert [finding.check for finding in verify(path) if finding.status == "error"] == ["opens"]
    assert PHASES["migration"].wrong(path) == []
