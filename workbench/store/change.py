"""One change of the store: a transaction with its ledger row, announced in the mirror before the commit, acknowledged after it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from workbench import fingerprint
from workbench.errors import StoreError
from workbench.store import mirror
from workbench.store.connection import Connection


@dataclass(slots=True)
class Change:
    """What one transaction adds and removes; nothing at all means that no ledger row is due."""

    batch: int
    run: int
    action: str
    input_hash: str
    rows: dict[str, int] = field(default_factory=dict)

    def count(self, table: str, rows: int) -> None:
        """Add to the number of rows that this change wrote to a table."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written or removed."""
        return not self.rows


def remove(connection: Connection, change: Change, documents: str | None, explanations: str | None) -> None:
    """Book the removal of documents and explanations (tables of their numbers) against the batches that brought them."""
    gone = []
    if documents:
        gone.append(
            "SELECT batch AS origin, 1 AS documents, digest::HUGEINT AS dd, 0 AS explanations, 0::HUGEINT AS ed "
            f"FROM kept.document WHERE document IN (SELECT document FROM {documents})"
        )
    if explanations:
        gone.append(
            "SELECT batch AS origin, 0 AS documents, 0::HUGEINT AS dd, 1 AS explanations, digest::HUGEINT AS ed "
            f"FROM kept.explanation WHERE explanation IN (SELECT explanation FROM {explanations})"
        )
    connection.execute(
        f"INSERT INTO kept.removal SELECT {change.batch}, origin, sum(documents), sum(dd), sum(explanations), sum(ed) "
        f"FROM ({' UNION ALL '.join(gone)}) GROUP BY origin"
    )


def close(connection: Connection, path: Path, identity: str, inode: tuple[int, int], change: Change) -> None:
    """Write the ledger row, announce it, make sure that the file is still the one at its path, commit, acknowledge."""
    documents, document_digest = connection.execute(
        "SELECT count(*), coalesce(sum(digest), 0)::HUGEINT FROM kept.document WHERE batch = ?", [change.batch]
    ).fetchall()[0]
    explanations, explanation_digest = connection.execute(
        "SELECT count(*), coalesce(sum(digest), 0)::HUGEINT FROM kept.explanation WHERE batch = ?", [change.batch]
    ).fetchall()[0]
    relevance = connection.execute(
        "SELECT coalesce(sum(r.relevance::DOUBLE), 0) FROM kept.token_relevance r "
        "JOIN kept.explanation e USING (explanation) WHERE e.batch = ?",
        [change.batch],
    ).fetchall()[0][0]
    counts = json.dumps(change.rows, sort_keys=True)
    content = fingerprint.of_json([documents, str(document_digest), explanations, str(explanation_digest), counts])
    moment = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        "INSERT INTO kept.ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            change.batch,
            change.run,
            change.action,
            moment,
            change.input_hash,
            content,
            counts,
            documents,
            document_digest,
            explanations,
            explanation_digest,
            relevance,
        ],
    )
    line = announcement(change.batch, change.run, change.action, change.input_hash, content, relevance)
    mirror.append(path, [{**line, "state": "begin", "store": identity}])
    still_there(path, inode)
    connection.execute("COMMIT")
    mirror.append(path, [{"state": "done", "store": identity, "batch": change.batch}])


def announcement(batch: int, run: int, action: str, input_hash: str, content_hash: str, relevance: float) -> dict[str, object]:
    """What the mirror repeats of a ledger row."""
    return {
        "batch": batch,
        "run": run,
        "action": action,
        "input_hash": input_hash,
        "content_hash": content_hash,
        "relevance": repr(relevance),
    }


def announcements(connection: Connection) -> dict[int, dict[str, object]]:
    """What the mirror repeats of each batch of a store."""
    found = connection.execute("SELECT batch, run, action, input_hash, content_hash, relevance FROM kept.ledger").fetchall()
    return {row[0]: announcement(*row) for row in found}


def still_there(path: Path, inode: tuple[int, int]) -> None:
    """Refuse to commit into a file that was deleted or replaced under the writer: its rows would vanish with the process."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise StoreError(f"write the store {path}", "the file was deleted while it was open", "put a copy back, or start again") from None
    if (status.st_dev, status.st_ino) != inode:
        raise StoreError(f"write the store {path}", "the file was replaced by another while it was open", "open the store again")
