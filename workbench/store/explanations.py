"""Writing a batch's explanations: those that are new with all their parts, and what they replace."""

from __future__ import annotations

from workbench.errors import StoreError
from workbench.store import digest
from workbench.store.change import Change, remove
from workbench.store.connection import Connection
from workbench.store.digest import PARTS
from workbench.store.earlier import keep_earlier
from workbench.store.relation import rows

COLUMNS = (
    "explanation", "fingerprint", "document", "role", "model", "tokenizer", "owner_of_member", "composite", "target", "label",
    "target_value", "tokens", "token_types", "positions", "decoder_inputs", "biases", "softmax", "nonlinear", "epsilon", "gap", "precision",
    "coverage",
)  # fmt: skip


def explanations(connection: Connection, change: Change) -> None:
    """Add explanations that are new, drop those whose question they answer anew, link members to their ensembles."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE incoming_explanation AS
    SELECT s.explanation AS local, d.document AS owner, k.explanation IS NULL AS fresh,
           CASE WHEN k.explanation IS NULL THEN (SELECT coalesce(max(explanation), 0) FROM kept.explanation)
                                + row_number() OVER (PARTITION BY k.explanation IS NULL ORDER BY s.explanation)
                ELSE k.explanation END::INTEGER AS explanation,
           k.member_of AS stored_member_of, coalesce(m.parameters ->> 'tokenizer', s.model) AS tokenizer, m.fingerprint AS weights,
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
    for table, (part, _) in PARTS.items():
        connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_{table} AS
        SELECT e.explanation, {", ".join(f"s.{column}" for column in part)}
        FROM src_{table} s JOIN new_explanation e ON e.local = s.explanation""")
    unknown_tokens(connection)
    columns = ", ".join(f"e.{column}" for column in COLUMNS)
    added = connection.execute(f"""
    INSERT INTO kept.explanation SELECT {columns}, x.digest, {change.batch}, e.weights
    FROM new_explanation e JOIN ({digest.of_explanations("new_")}) x USING (explanation)
    ORDER BY e.explanation""")
    change.count("explanation", added.fetchall()[0][0])
    for table, (part, keys) in PARTS.items():
        order = ", ".join(("explanation", *part[:keys]))
        added = connection.execute(f"INSERT INTO kept.{table} SELECT * FROM new_{table} ORDER BY {order}")
        change.count(table, added.fetchall()[0][0])
    connection.execute("CREATE OR REPLACE TEMP TABLE affected AS SELECT explanation FROM new_explanation")
    link_members(connection, change)
    settle(connection, change)


def settle(connection: Connection, change: Change) -> None:
    """Forget the failures of explanations that are there now."""
    connection.execute(f"""
    DELETE FROM kept.failure f USING kept.explanation e, kept.document d
    WHERE e.batch = {change.batch} AND d.document = e.document
      AND f.corpus = d.corpus AND f.identifier = d.identifier AND f.fingerprint = e.fingerprint""")


def replaced(connection: Connection, change: Change) -> None:
    """Delete stored explanations that answer the same question as a new one with another fingerprint.

    Of other weights under the model's name every answer goes, whatever its label, and with it the scores that were measured on them.
    """
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    SELECT DISTINCT k.explanation
    FROM kept.explanation k
    LEFT JOIN kept.explanation kp ON kp.explanation = k.member_of
    JOIN incoming_explanation e ON e.fresh AND k.document = e.owner AND k.role = e.role AND k.model = e.model AND k.composite = e.composite
         AND k.target = e.target AND (k.label IS NOT DISTINCT FROM e.label OR k.weights <> e.weights)
    LEFT JOIN incoming_explanation ep ON ep.local = e.member_of
    WHERE kp.model IS NOT DISTINCT FROM ep.model
    UNION
    SELECT k.explanation
    FROM kept.explanation k
    JOIN kept.explanation kp ON kp.explanation = k.member_of
    JOIN incoming_explanation e ON e.fresh AND kp.document = e.owner AND kp.role = e.role AND kp.model = e.model
         AND kp.composite = e.composite AND kp.target = e.target AND kp.weights <> e.weights
    WHERE k.explanation NOT IN (SELECT explanation FROM incoming_explanation WHERE NOT fresh)""")
    if gone := rows(connection, "gone_explanation"):
        keep_earlier(connection, change)
        remove(connection, change, None, "gone_explanation")
        connection.execute("""
        DELETE FROM kept.score s USING kept.explanation k, incoming_explanation e
        WHERE k.explanation IN (SELECT explanation FROM gone_explanation) AND s.document = k.document AND s.model = k.model
          AND e.owner = k.document AND e.model = k.model AND e.weights <> k.weights""")
        for table in (*PARTS, "word_relevance", "explanation"):
            connection.execute(f"DELETE FROM kept.{table} WHERE explanation IN (SELECT explanation FROM gone_explanation)")
        gone_ones = "(SELECT explanation FROM gone_explanation)"
        connection.execute(f"UPDATE kept.explanation SET member_of = NULL WHERE member_of IN {gone_ones}")
        connection.execute(f"UPDATE incoming_explanation SET stored_member_of = NULL WHERE stored_member_of IN {gone_ones}")
        change.count("replaced", gone)


def unknown_tokens(connection: Connection) -> None:
    """Refuse relevance for tokens that no frame describes: it would vanish when words and relevance meet."""
    stray = connection.execute("""
    SELECT d.identifier, e.model, e.tokenizer, count(*) FROM new_token_relevance r
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
