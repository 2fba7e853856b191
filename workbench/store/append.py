"""Writing one batch inside a transaction: what is there already stays, what is newer replaces, words and relevance meet.

1. Documents are matched by (corpus, identifier): new, known (same fingerprint) or superseded (another fingerprint: all old rows go).
2. Explanations are matched by fingerprint within their document; a new one also replaces an older answer to the same question
   (document, role, model, composite, target, label, ensemble).
3. Words, predictions, scores and failures replace those they differ from; equal rows change nothing.
4. Word relevance is made again for every explanation that is new or whose words or members changed.
"""

from __future__ import annotations

from contextlib import suppress

import duckdb

from workbench.batch import SCHEMAS, Batch
from workbench.store import digest
from workbench.store.change import Change, remove
from workbench.store.connection import Connection
from workbench.store.digest import PARTS
from workbench.store.earlier import keep_earlier
from workbench.store.explanations import explanations
from workbench.store.failures import failures
from workbench.store.made import made_texts
from workbench.store.relation import relevance_of, rows


def write(connection: Connection, batch: Batch, change: Change) -> None:
    """All rows of a checked batch, within the open transaction; `change` counts what was written."""
    names = [f"src_{table}" for table in SCHEMAS]
    for table in SCHEMAS:
        connection.register(f"src_{table}", batch[table])
    try:
        documents(connection, change)
        made_texts(connection, change)
        segments_and_tokens(connection, change)
        explanations(connection, change)
        words(connection, change)
        annotated(connection, change)
        differing(connection, change, "prediction", ("document", "role", "model"))
        differing(connection, change, "score", ("document", "role", "model", "method", "ordering", "metric"))
        failures(connection, change)
        relevance_of(connection, change, "affected")
    finally:
        with suppress(duckdb.Error):  # after an error the first error counts
            for name in names:
                connection.unregister(name)


def documents(connection: Connection, change: Change) -> None:
    """Number the batch's documents, drop superseded ones with all their rows, add new ones, refresh changed attributes."""
    connection.execute(f"""
    CREATE OR REPLACE TEMP TABLE incoming_document AS
    SELECT s.document AS local, k.document AS stored, k.document IS NULL OR k.fingerprint <> s.fingerprint AS fresh,
           CASE WHEN fresh THEN (SELECT coalesce(max(document), 0) FROM kept.document)
                                + row_number() OVER (PARTITION BY fresh ORDER BY s.document)
                ELSE k.document END::INTEGER AS document,
           s.corpus, s.identifier, s.fingerprint, s.label, s.split, s.language, s.metadata, {digest.of_document("s")} AS digest,
           k.digest AS old_digest
    FROM src_document s LEFT JOIN kept.document k ON k.corpus = s.corpus AND k.identifier = s.identifier""")
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_document AS
    SELECT stored AS document, corpus, identifier FROM incoming_document WHERE fresh AND stored IS NOT NULL""")
    if gone := rows(connection, "gone_document"):
        drop_documents(connection, change)
        change.count("superseded", gone)
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE renewed_document AS
    SELECT * FROM incoming_document WHERE NOT fresh AND digest <> old_digest""")
    if renewed := rows(connection, "renewed_document"):
        remove(connection, change, "renewed_document", None)
        connection.execute("DELETE FROM kept.document WHERE document IN (SELECT document FROM renewed_document)")
        change.count("renewed", renewed)
    columns = "document, corpus, identifier, fingerprint, label, split, language, metadata, digest"
    added = connection.execute(f"""
    INSERT INTO kept.document SELECT {columns}, {change.batch} FROM incoming_document
    WHERE fresh OR digest <> old_digest ORDER BY document""").fetchall()[0][0]
    change.count("document", added)


def drop_documents(connection: Connection, change: Change) -> None:
    """Delete the documents of `gone_document` with everything that hangs on them."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    SELECT explanation FROM kept.explanation WHERE document IN (SELECT document FROM gone_document)""")
    keep_earlier(connection, change)
    remove(connection, change, "gone_document", "gone_explanation")
    for table in PARTS:
        connection.execute(f"DELETE FROM kept.{table} WHERE explanation IN (SELECT explanation FROM gone_explanation)")
    for table in ("word_relevance", "explanation", "prediction", "score", "token", "word", "annotation", "segment", "document"):
        connection.execute(f"DELETE FROM kept.{table} WHERE document IN (SELECT document FROM gone_document)")


def segments_and_tokens(connection: Connection, change: Change) -> None:
    """Add the texts of new documents, and tokens where their tokenizer has not been there yet."""
    added = connection.execute("""
    INSERT INTO kept.segment SELECT d.document, s.role, s.text FROM src_segment s JOIN incoming_document d ON d.local = s.document
    WHERE d.fresh ORDER BY ALL""").fetchall()[0][0]
    change.count("segment", added)
    added = connection.execute("""
    INSERT INTO kept.token
    SELECT d.document, s.* EXCLUDE (document) FROM src_token s JOIN incoming_document d ON d.local = s.document
    WHERE d.fresh OR NOT EXISTS (
        SELECT 1 FROM kept.token k WHERE k.document = d.document AND k.role = s.role AND k.tokenizer = s.tokenizer)
    ORDER BY d.document, s.role, s.tokenizer, s.token""").fetchall()[0][0]
    change.count("token", added)


def words(connection: Connection, change: Change) -> None:
    """Replace the words of every text for which the batch brings other words than are stored."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE incoming_word AS
    SELECT d.document, d.fresh, s.* EXCLUDE (document) FROM src_word s JOIN incoming_document d ON d.local = s.document""")
    changed_texts(connection, "word", ("document", "role"))
    replaced_words = connection.execute(
        "DELETE FROM kept.word w USING changed c WHERE w.document = c.document AND w.role = c.role"
    ).fetchall()[0][0]
    added = connection.execute("""
    INSERT INTO kept.word SELECT w.* EXCLUDE (fresh) FROM incoming_word w SEMI JOIN changed c ON c.document = w.document AND c.role = w.role
    ORDER BY w.document, w.role, w.word""").fetchall()[0][0]
    change.count("replaced_words", replaced_words)
    change.count("word", added)
    connection.execute("""
    INSERT INTO affected SELECT k.explanation FROM kept.explanation k SEMI JOIN changed c ON c.document = k.document AND c.role = k.role
    WHERE k.explanation NOT IN (SELECT explanation FROM affected)""")


def annotated(connection: Connection, change: Change) -> None:
    """Keep which version of which annotator looked at each text, also where it found no words; without a row of its own the words tell."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE incoming_annotation AS
    SELECT d.document, d.fresh, s.role, s.annotator, s.fingerprint FROM src_annotation s JOIN incoming_document d ON d.local = s.document
    UNION SELECT w.document, w.fresh, w.role, w.annotator, NULL FROM incoming_word w
    WHERE (w.document, w.role) NOT IN (
        SELECT (d.document, s.role) FROM src_annotation s JOIN incoming_document d ON d.local = s.document)""")
    replace_differing(connection, change, "annotation", ("document", "role"))


def differing(connection: Connection, change: Change, table: str, key: tuple[str, ...]) -> None:
    """Replace the stored rows of each key for which the batch brings other rows."""
    connection.execute(f"""
    CREATE OR REPLACE TEMP TABLE incoming_{table} AS
    SELECT d.document, d.fresh, s.* EXCLUDE (document) FROM src_{table} s JOIN incoming_document d ON d.local = s.document""")
    replace_differing(connection, change, table, key)


def replace_differing(connection: Connection, change: Change, table: str, key: tuple[str, ...]) -> None:
    """The same for rows that stand in `incoming_<table>` with the store's document numbers."""
    changed_texts(connection, table, key)
    matches = " AND ".join(f"k.{column} = c.{column}" for column in key)
    connection.execute(f"DELETE FROM kept.{table} k USING changed c WHERE {matches}")
    rows_now = f"SELECT k.* EXCLUDE (fresh) FROM incoming_{table} k SEMI JOIN changed c ON {matches} ORDER BY ALL"
    added = connection.execute(f"INSERT INTO kept.{table} {rows_now}")
    change.count(table, added.fetchall()[0][0])


def changed_texts(connection: Connection, table: str, key: tuple[str, ...]) -> None:
    """Fill `changed` with the keys whose incoming rows are not exactly the stored ones."""
    columns, names = ", ".join(key), f"SELECT * EXCLUDE (fresh) FROM incoming_{table}"
    matches = " AND ".join(f"k.{column} = i.{column}" for column in key)
    stored = f"SELECT k.* FROM kept.{table} k SEMI JOIN incoming_{table} i ON {matches}"
    connection.execute(f"""
    CREATE OR REPLACE TEMP TABLE changed AS
    SELECT DISTINCT {columns} FROM incoming_{table} WHERE fresh
    UNION SELECT DISTINCT {columns} FROM (({names} EXCEPT ({stored})) UNION ALL (({stored}) EXCEPT {names}))""")
