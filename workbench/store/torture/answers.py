"""Every answer that a store can give, as one hash: all rows of all tables, those of runs and ledgers included."""

from __future__ import annotations

from pathlib import Path

from workbench import fingerprint
from workbench.store import audit
from workbench.store.store import Store


def answers(path: Path) -> str:
    """Hash over every row of every table; StoreError or DuckDB's error for a store that cannot be read."""
    with Store.open(path, "read", itself=True) as store:
        found = {
            table: store.connection.execute(
                f"SELECT count(*)::VARCHAR, coalesce(sum(md5_number_lower(t::VARCHAR)::HUGEINT), 0)::VARCHAR FROM kept.{table} t"
            ).fetchall()
            for table in audit.tables(store.connection)
        }
    return fingerprint.of_json(found)
