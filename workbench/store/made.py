"""Texts that a model made of a document (role `hypothesis:MODEL`): no part of its identity, replaced when the model says something else."""

from __future__ import annotations

from workbench.store.change import Change, remove
from workbench.store.connection import Connection
from workbench.store.digest import PARTS
from workbench.store.earlier import keep_earlier
from workbench.store.relation import rows


def made_texts(connection: Connection, change: Change) -> None:
    """Store the texts that models made of known documents; another text than the stored one takes all that hangs on the old one away."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE made AS
    SELECT d.document, s.role, s.text, k.text AS old FROM src_segment s
    JOIN incoming_document d ON d.local = s.document AND NOT d.fresh
    LEFT JOIN kept.segment k ON k.document = d.document AND k.role = s.role
    WHERE contains(s.role, ':') AND k.text IS DISTINCT FROM s.text""")
    if not rows(connection, "made"):
        return
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    SELECT k.explanation FROM kept.explanation k
    JOIN made m ON m.document = k.document AND m.old IS NOT NULL AND m.role IN (k.role, k.label)""")
    if gone := rows(connection, "gone_explanation"):
        keep_earlier(connection, change)
        remove(connection, change, None, "gone_explanation")
        for table in (*PARTS, "word_relevance", "explanation"):
            connection.execute(f"DELETE FROM kept.{table} WHERE explanation IN (SELECT explanation FROM gone_explanation)")
        change.count("replaced", gone)
    for table in ("segment", "token", "word", "annotation", "score"):
        connection.execute(f"DELETE FROM kept.{table} k USING made m WHERE m.document = k.document AND m.role = k.role")
    added = connection.execute("INSERT INTO kept.segment SELECT document, role, text FROM made ORDER BY ALL").fetchall()[0][0]
    change.count("segment", added)
