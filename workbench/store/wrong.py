"""What a check finds wrong: a sentence for people, and for `repair` the numbers of what is to be made again."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.store.connection import Connection
from workbench.store.digest import PARTS


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong, or only worth a note.

    `numbers` are of one kind: document, explanation, words (documents whose words or word relevance are wrong), batch, ledger (rows of it),
    failure (rows of it) or earlier (superseded explanations).
    """

    said: str
    kind: str = ""
    numbers: tuple[int, ...] = ()
    note: bool = False

    def __str__(self) -> str:
        return self.said


def counted(connection: Connection, *queries: tuple[str, str]) -> list[Wrong]:
    """A thing wrong for each query that finds rows: how many, and what they are; the name of the query's one column is their kind."""
    found = []
    for query, sentence in queries:
        if count := connection.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]:
            cursor = connection.execute(f"SELECT DISTINCT * FROM ({query}) ORDER BY 1")
            kind = cursor.description[0][0]
            found.append(Wrong(f"{count} {sentence}", kind, tuple(row[0] for row in cursor.fetchall() if row[0] is not None)))
    return found


def owner(table: str) -> str:
    """SQL: whose number says what is wrong where a row of a table is."""
    if table in (*PARTS, "explanation"):
        return "explanation"
    if table in ("word", "annotation", "word_relevance"):
        return "document AS words"
    if table == "failure":
        return "rowid AS failure"
    if table.startswith("earlier_"):
        return "earlier"
    return "batch AS ledger" if table == "ledger" else "document"
