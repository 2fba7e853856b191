"""One run alone: every view of a connection narrowed to what that run explained, by temporary views of the same names in front of them."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import StoreError
from workbench.store.connection import Connection, explained

VIEWS = """
SELECT v.view_name, bool_or(c.column_name = 'explanation') AS by_explanation
FROM duckdb_views() v JOIN duckdb_columns() c
  ON c.database_name = v.database_name AND c.schema_name = v.schema_name AND c.table_name = v.view_name
WHERE v.database_name = current_database() AND v.schema_name = 'main' AND NOT v.internal AND c.column_name IN ('explanation', 'document')
GROUP BY ALL ORDER BY ALL"""


def statements(connection: Connection, run: int, path: Path) -> list[str]:
    """SQL that narrows a connection to a run; nothing where the run explained all there is. StoreError names the runs that there are.

    Views with a column `explanation` keep the run's explanations, those with a column `document` alone its documents; views of runs and
    batches stay whole. Whoever runs the statements sees the run in every view, so that no query need know of it.
    """
    with explained(f"read run {run} of {path}", path):
        counted = dict(
            connection.execute(
                "SELECT b.run, count(*) FROM kept.explanation e JOIN kept.ledger b ON b.batch = e.batch GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        )
        if run not in counted:
            there = ", ".join(str(number) for number in counted) or "none has explained anything yet"
            raise StoreError(f"read run {run} of {path}", "no explanation of that run", f"choose one of {there}")
        if len(counted) == 1:
            return []
        store = '"' + str(connection.execute("SELECT current_database()").fetchall()[0][0]).replace('"', '""') + '"'
        views = connection.execute(VIEWS).fetchall()
    chosen = (
        f"CREATE TEMP TABLE this_run AS SELECT e.explanation, e.document FROM {store}.kept.explanation e "
        f"JOIN {store}.kept.ledger b ON b.batch = e.batch WHERE b.run = {run:d}"
    )
    return [
        chosen,
        *(
            f"CREATE TEMP VIEW {view} AS SELECT * FROM {store}.main.{view} v SEMI JOIN this_run r ON r.{key} = v.{key}"
            for view, by_explanation in views
            for key in ("explanation" if by_explanation else "document",)
        ),
    ]
