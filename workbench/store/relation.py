"""Where relevance meets words: rows of `word_relevance` from the one SQL macro that shares tokens among words."""

from __future__ import annotations

from workbench.store.change import Change
from workbench.store.connection import Connection


def rows(connection: Connection, table: str) -> int:
    """Number of rows of a table."""
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def relevance_of(connection: Connection, change: Change, affected: str) -> None:
    """Make the word relevance of the explanations in a temporary table again."""
    span = connection.execute(
        f"SELECT min(document), max(document) FROM kept.explanation WHERE explanation IN (SELECT explanation FROM {affected})"
    ).fetchall()[0]
    if span[0] is None:
        return
    connection.execute(f"DELETE FROM kept.word_relevance WHERE explanation IN (SELECT explanation FROM {affected})")
    added = connection.execute(f"""
    INSERT INTO kept.word_relevance
    SELECT * FROM kept.word_relevance_between({span[0]}, {span[1]}) WHERE explanation IN (SELECT explanation FROM {affected})
    ORDER BY document, explanation, kind, word""").fetchall()[0][0]
    change.count("word_relevance", added)
