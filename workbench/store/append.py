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
from workbench.errors import StoreError
from workbench.store import digest
from workbench.store.change import Change, remove
from workbench.store.connection import Connection
from workbench.store.relation import relevance_of, rows

COLUMNS = (
    "explanation", "fingerprint", "document", "role", "model", "tokenizer", "owner_of_member", "composite", "target", "label",
    "target_value", "tokens", "token_types", "positions", "biases", "softmax", "nonlinear", "epsilon", "gap", "precision", "coverage",
)  # fmt: skip


def write(connection: Connection, batch: Batch, change: Change) -> None:
    """All rows of a checked batch, within the open transaction; `change` counts what was written."""
    names = [f"src_{table}" for table in SCHEMAS]
    for table in SCHEMAS:
        connection.register(f"src_{table}", batch[table])
    try:
        documents(connection, change)
        segments_and_tokens(connection, change)
        explanations(connection, change)
        words(connection, change)
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
    remove(connection, change, "gone_document", "gone_explanation")
    connection.execute("DELETE FROM kept.token_relevance WHERE explanation IN (SELECT explanation FROM gone_explanation)")
    for table in ("word_relevance", "explanation", "prediction", "score", "token", "word", "segment", "document"):
        connection.execute(f"DELETE FROM kept.{table} WHERE document IN (SELECT document FROM gone_document)")
    connection.execute("DELETE FROM kept.failure f USING gone_document g WHERE f.corpus = g.corpus AND f.identifier = g.identifier")


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


def explanations(connection: Connection, change: Change) -> None:
    """Add explanations that are new, drop those whose question they answer anew, link members to their ensembles."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE incoming_explanation AS
    SELECT s.explanation AS local, d.document AS owner, k.explanation IS NULL AS fresh,
           CASE WHEN k.explanation IS NULL THEN (SELECT coalesce(max(explanation), 0) FROM kept.explanation)
                                + row_number() OVER (PARTITION BY k.explanation IS NULL ORDER BY s.explanation)
                ELSE k.explanation END::INTEGER AS explanation,
           k.member_of AS stored_member_of, coalesce(m.parameters ->> 'tokenizer', s.model) AS tokenizer,
           s.* EXCLUDE (explanation, document)
    FROM src_explanation s
    JOIN incoming_document d ON d.local = s.document
    LEFT JOIN kept.explanation k ON k.document = d.document AND k.fingerprint = s.fingerprint
    LEFT JOIN kept.model m ON m.name = s.model""")
    replaced(connection, change)
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE new_explanation AS
    SELECT e.explanation, e.owner AS document, e.tokenizer, p.explanation AS owner_of_member, e.* EXCLUDE (explanation, tokenizer, owner)
    FROM incoming_explanation e LEFT JOIN incoming_explanation p ON p.local = e.member_of WHERE e.fresh""")
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE new_relevance AS
    SELECT e.explanation, s.token, s.relevance, s.position, s.sensitivity
    FROM src_token_relevance s JOIN new_explanation e ON e.local = s.explanation""")
    unknown_tokens(connection)
    columns = ", ".join(f"e.{column}" for column in COLUMNS)
    added = connection.execute(f"""
    INSERT INTO kept.explanation SELECT {columns}, x.digest, {change.batch}
    FROM new_explanation e JOIN ({digest.of_explanations("new_explanation", "new_relevance")}) x USING (explanation)
    ORDER BY e.explanation""")
    change.count("explanation", added.fetchall()[0][0])
    added = connection.execute("INSERT INTO kept.token_relevance SELECT * FROM new_relevance ORDER BY explanation, token")
    change.count("token_relevance", added.fetchall()[0][0])
    connection.execute("CREATE OR REPLACE TEMP TABLE affected AS SELECT explanation FROM new_explanation")
    link_members(connection, change)
    connection.execute("""
    DELETE FROM kept.failure f USING new_explanation e, kept.document d
    WHERE d.document = e.document AND f.corpus = d.corpus AND f.identifier = d.identifier AND f.fingerprint = e.fingerprint""")


def replaced(connection: Connection, change: Change) -> None:
    """Delete stored explanations that answer the same question as a new one with another fingerprint."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    SELECT DISTINCT k.explanation
    FROM kept.explanation k
    LEFT JOIN kept.explanation kp ON kp.explanation = k.member_of
    JOIN incoming_explanation e ON e.fresh AND k.document = e.owner AND k.role = e.role AND k.model = e.model AND k.composite = e.composite
         AND k.target = e.target AND k.label IS NOT DISTINCT FROM e.label
    LEFT JOIN incoming_explanation ep ON ep.local = e.member_of
    WHERE kp.model IS NOT DISTINCT FROM ep.model""")
    if gone := rows(connection, "gone_explanation"):
        remove(connection, change, None, "gone_explanation")
        for table in ("token_relevance", "word_relevance", "explanation"):
            connection.execute(f"DELETE FROM kept.{table} WHERE explanation IN (SELECT explanation FROM gone_explanation)")
        gone_ones = "(SELECT explanation FROM gone_explanation)"
        connection.execute(f"UPDATE kept.explanation SET member_of = NULL WHERE member_of IN {gone_ones}")
        connection.execute(f"UPDATE incoming_explanation SET stored_member_of = NULL WHERE stored_member_of IN {gone_ones}")
        change.count("replaced", gone)


def unknown_tokens(connection: Connection) -> None:
    """Refuse relevance for tokens that no frame describes: it would vanish when words and relevance meet."""
    stray = connection.execute("""
    SELECT d.identifier, e.model, e.tokenizer, count(*) FROM new_relevance r
    JOIN new_explanation e ON e.explanation = r.explanation JOIN kept.document d ON d.document = e.document
    ANTI JOIN kept.token t ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = r.token
    GROUP BY ALL LIMIT 1""").fetchall()
    if stray:
        identifier, model, tokenizer, count = stray[0]
        found = f"{count} rows of relevance by model {model} for tokens of tokenizer {tokenizer} that are not there (document {identifier})"
        remedy = "give token rows whose tokenizer is the model's name, or register the model with parameters {'tokenizer': …}"
        raise StoreError("store a batch", found, remedy)


def link_members(connection: Connection, change: Change) -> None:
    """Give explanations that were stored alone, or under a replaced ensemble, to the ensemble they come with now."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE relinked AS
    SELECT e.explanation, p.explanation AS ensemble, e.stored_member_of
    FROM incoming_explanation e JOIN incoming_explanation p ON p.local = e.member_of
    WHERE NOT e.fresh AND e.stored_member_of IS DISTINCT FROM p.explanation""")
    if not (count := rows(connection, "relinked")):
        return
    if connection.execute("SELECT 1 FROM relinked WHERE stored_member_of IS NOT NULL").fetchall():
        found = "an explanation that belongs to another ensemble already"
        raise StoreError("store a batch", found, "let the fingerprints of members name their ensemble")
    connection.execute("UPDATE kept.explanation k SET member_of = r.ensemble FROM relinked r WHERE k.explanation = r.explanation")
    connection.execute(
        "INSERT INTO affected SELECT DISTINCT ensemble FROM relinked WHERE ensemble NOT IN (SELECT explanation FROM affected)"
    )
    change.count("linked", count)


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


def failures(connection: Connection, change: Change) -> None:
    """Replace the stored failures of each (corpus, identifier, fingerprint, stage) that differ."""
    connection.execute("CREATE OR REPLACE TEMP TABLE incoming_failure AS SELECT *, false AS fresh FROM src_failure")
    replace_differing(connection, change, "failure", ("corpus", "identifier", "fingerprint", "stage"))
