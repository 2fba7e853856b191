"""Trust, but verify: reads all of a store and compares what must agree.

DuckDB notices a damaged block only when it reads it, drops commits silently when a write-ahead log is damaged in one particular way,
and knows nothing of conservation. So everything is read, the ledger is compared with its mirror and with the rows, and every sum is made
again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from workbench import fingerprint
from workbench.errors import StoreError
from workbench.store import audit, mirror
from workbench.store.change import announcements
from workbench.store.connection import Connection, explain, stands_over
from workbench.store.lock import beside
from workbench.store.parts.audit import compare_parts
from workbench.store.store import Store
from workbench.store.wrong import Wrong

Status = Literal["ok", "note", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check: "ok", "note" (worth knowing, nothing wrong) or "error"."""

    check: str
    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All checks of one store, in the order in which they were made."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether no check found an error."""
        return all(finding.status != "error" for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """0 for a clean store, 1 otherwise."""
        return 0 if self.clean else 1

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __str__(self) -> str:
        return "\n".join(f"{finding.status:5}  {finding.check}: {finding.message}" for finding in self.findings)


def verify(path: str | os.PathLike[str]) -> Findings:
    """Check all of a store; StoreError only where there is nothing to check (no file, a directory, in use by a writer)."""
    target = Path(path)
    found: list[Finding] = []
    try:
        store = Store.open(target, "read", itself=True)
    except StoreError as error:
        if error.retryable or not target.is_file():
            raise
        return Findings(target, (Finding("opens", "error", f"{error.found}; {error.remedy}"),))
    with store:
        found.append(Finding("opens", "ok", "a relevance store of the schema that this workbench knows"))
        for check, query in (("reads", audit.reads), ("mirror", None), ("ledger", audit.ledger)):
            found += protected(check, store, query)
        if all(finding.status != "error" for finding in found if finding.check == "reads"):
            for name, again in audit.CHECKS.items():
                found += protected(name, store, again)
    return Findings(target, tuple(found))


def protected(check: str, store: Store, query: audit.Check | None) -> list[Finding]:
    """The findings of one check; damage that stops the check is an error of that check."""
    try:
        wrong = compare_mirror(store) if query is None else query(store.connection)
    except (duckdb.Error, OSError) as error:
        return [Finding(check, "error", explain(error, "verify", store.path).found)]
    if not wrong:
        return [Finding(check, "ok", audit.MEANING[check])]
    return [Finding(check, "note" if one.note else "error", one.said) for one in wrong]


def compare_mirror(store: Store) -> list[Wrong]:
    """Differences between the ledger in the database and its mirror beside it, or the manifest of the parts that it stands over."""
    if (location := stands_over(store.connection)) is not None:
        return compare_parts(store.connection, location)
    lines = mirror.read(store.path, store.identity)
    kept = announcements(store.connection)
    name = beside(store.path, mirror.SUFFIX).name
    if not lines.exists:
        return [Wrong(f"{name} is not there; it belongs to the store, copy both") if kept else Wrong("no batch yet", note=True)]
    found = []
    if damaged := sorted(set(lines.damaged + lines.foreign) - lines.known_damage):
        found.append(Wrong(f"{len(damaged)} lines of {name} are damaged or another store's: {damaged[:10]}"))
    if lost := sorted(lines.done - set(kept) - lines.lost):
        found.append(Wrong(f"{len(lost)} acknowledged batches are not in the store: {lost[:10]}; run again to compute them anew"))
    if unannounced := sorted(set(kept) - set(lines.begun)):
        found.append(Wrong(f"{len(unannounced)} batches of the store have no line in {name}: {unannounced[:10]}"))
    for batch in mirror.differing(lines, kept):
        found.append(Wrong(f"batch {batch} differs between the store and {name}", "ledger", (batch,)))
    if lines.lost or lines.known_damage:
        said = f"earlier damage is on record ({len(lines.lost)} lost batches, {len(lines.known_damage)} damaged lines)"
        found.append(Wrong(said, note=True))
    return found


def text_fingerprints(connection: Connection) -> list[Wrong]:
    """Documents whose fingerprint is not that of their texts; what models made of them (role:model) is no part of it."""
    cursor = connection.execute("""
    SELECT d.identifier, d.document, d.fingerprint, list(s.role ORDER BY s.role), list(s.text ORDER BY s.role)
    FROM kept.document d JOIN kept.segment s ON s.document = d.document AND NOT contains(s.role, ':')
    WHERE regexp_full_match(d.fingerprint, '[0-9a-f]{64}') GROUP BY d.document, d.identifier, d.fingerprint""")
    wrong = []
    while rows := cursor.fetchmany(2000):
        wrong += [row[:2] for row in rows if fingerprint.of_json(dict(zip(*row[3:], strict=True))) != row[2]]
    if not wrong:
        return []
    said = f"{len(wrong)} documents whose text is not that of their fingerprint, first {wrong[0][0]}"
    return [Wrong(said, "document", tuple(number for _, number in wrong))]


audit.CHECKS["texts"] = text_fingerprints
