"""The schema's history: numbered SQL files, each applied once in one transaction and recorded with its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workbench.errors import StoreError
from workbench.store.connection import Connection, explained

FOLDER = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    statements: str

    @property
    def sha256(self) -> str:
        """Hash of the step's SQL, so that a changed history is noticed."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def migrations(folder: Path | None = None) -> list[Migration]:
    """All steps that this version of the workbench knows, in order."""
    files = sorted((folder or FOLDER).glob("[0-9][0-9][0-9]_*.sql"))
    return [Migration(int(file.name[:3]), file.stem[4:], file.read_text("utf-8")) for file in files]


def applied(connection: Connection) -> dict[int, str]:
    """Steps that a store has behind it: number → hash; empty where the file is not a relevance store."""
    tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'kept' AND table_name = 'migration'")
    if tables.fetchall() == [(0,)]:
        return {}
    return dict(connection.execute("SELECT number, sha256 FROM kept.migration ORDER BY number").fetchall())


def compare(connection: Connection, path: Path) -> list[Migration]:
    """Steps that the store still needs; StoreError where it is newer than this workbench, no store of it, or of another history."""
    known, done = migrations(), applied(connection)
    if not done:
        raise StoreError(f"open the store {path}", "a DuckDB file that is no relevance store", "give the path of a store, or of a new file")
    if max(done) > (newest := max(step.number for step in known)):
        found = f"schema version {max(done)}, this workbench knows versions up to {newest}"
        raise StoreError(f"open the store {path}", found, "install the newer workbench that wrote it")
    for step in known:
        if step.number in done and done[step.number] != step.sha256:
            found = f"migration {step.number} ({step.name}) was applied in another form than this workbench has"
            remedy = "open it with the workbench that made it, export, and run again into a new store"
            raise StoreError(f"open the store {path}", found, remedy)
    return [step for step in known if step.number not in done]


def apply(connection: Connection, steps: list[Migration], path: Path) -> None:
    """Take the store through the given steps, one transaction each."""
    for step in steps:
        with explained(f"migrate the store {path} to version {step.number} ({step.name})", path):
            connection.execute("BEGIN")
            try:
                connection.execute("CREATE SCHEMA IF NOT EXISTS kept")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS kept.migration (number INTEGER NOT NULL, name VARCHAR NOT NULL, "
                    "sha256 VARCHAR NOT NULL, applied TIMESTAMP NOT NULL)"
                )
                connection.execute(step.statements)
                moment = datetime.now(UTC).replace(tzinfo=None)
                connection.execute("INSERT INTO kept.migration VALUES (?, ?, ?, ?)", [step.number, step.name, step.sha256, moment])
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
