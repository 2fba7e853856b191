"""The checks of `verify`: each takes a connection and returns a sentence for each thing wrong ("note: …": worth knowing)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from workbench import fingerprint
from workbench.relevance import ACCOUNTS
from workbench.store import digest
from workbench.store.check import KEYS
from workbench.store.connection import Connection
from workbench.store.sums import TOLERANCE, cells, counted, layers, steps, tokens, words

Check: TypeAlias = Callable[[Connection], list[str]]

GAPS = {"float64": 1e-10, "float32": 1e-4}
DOCUMENTS_AT_ONCE = 2000
MEANING = {
    "reads": "every column of every table was read",
    "mirror": "the ledger and its mirror say the same",
    "ledger": "each batch has exactly the documents and explanations that its ledger row says",
    "digests": "every document and explanation has the digest of its rows",
    "texts": "every document's text has its fingerprint",
    "finite": "every number is finite",
    "tokens": "the tokens' relevance sums to the ledger of each explanation",
    "words": "the words' relevance sums to the tokens'",
    "layers": "what the layers absorbed sums to the ledger of each explanation",
    "cells": "the cells of every pair sum to its similarity",
    "steps": "what every step took sums to the ledger of its translation, and its contributions to the step",
    "sharing": "word relevance made again from tokens and words is what is stored",
    "gaps": "every ledger is closed",
    "orphans": "no row without its owner",
    "duplicates": "no row twice",
    "ensembles": "every explanation has tokens, interactions or members",
    "runs": "every run has ended",
}


def tables(connection: Connection) -> list[str]:
    """Names of all tables that are kept, views over parts in place of them included."""
    return [
        row[0]
        for row in connection.execute("""
        SELECT table_name FROM duckdb_tables() WHERE schema_name = 'kept'
        UNION SELECT v.view_name FROM duckdb_views() v JOIN duckdb_tables() t ON t.schema_name = 'parts' AND t.table_name = v.view_name
        WHERE v.schema_name = 'kept' ORDER BY 1""").fetchall()
    ]


def reads(connection: Connection) -> list[str]:
    """Read every value, so that damaged blocks show."""
    for table in tables(connection):
        connection.execute(f"SELECT bit_xor(hash(t)) FROM kept.{table} t").fetchall()
    return []


def ledger(connection: Connection) -> list[str]:
    """Compare additions minus removals with the rows that are there, batch by batch."""
    wrong = connection.execute("""
    WITH booked AS (
        SELECT batch, sum(documents) AS documents, sum(dd) AS dd, sum(explanations) AS explanations, sum(ed) AS ed FROM (
            SELECT batch, documents, document_digest AS dd, explanations, explanation_digest AS ed FROM kept.ledger
            UNION ALL SELECT origin, -documents, -document_digest, -explanations, -explanation_digest FROM kept.removal
        ) GROUP BY batch
    ), there AS (
        SELECT batch, sum(documents) AS documents, sum(dd) AS dd, sum(explanations) AS explanations, sum(ed) AS ed FROM (
            SELECT batch, 1 AS documents, digest::HUGEINT AS dd, 0 AS explanations, 0::HUGEINT AS ed FROM kept.document
            UNION ALL SELECT batch, 0, 0, 1, digest::HUGEINT FROM kept.explanation
        ) GROUP BY batch
    )
    SELECT coalesce(b.batch, t.batch) FROM booked b FULL JOIN there t ON t.batch = b.batch
    WHERE coalesce(b.documents, 0) <> coalesce(t.documents, 0) OR coalesce(b.explanations, 0) <> coalesce(t.explanations, 0)
       OR coalesce(b.dd, 0) <> coalesce(t.dd, 0) OR coalesce(b.ed, 0) <> coalesce(t.ed, 0) OR b.batch IS NULL
    ORDER BY 1""").fetchall()
    sentences = [f"{len(wrong)} batches do not have the rows that the ledger says: {[row[0] for row in wrong][:10]}"] if wrong else []
    for row in connection.execute(
        "SELECT batch, documents, document_digest::VARCHAR, explanations, explanation_digest::VARCHAR, rows, content_hash FROM kept.ledger"
    ).fetchall():
        if fingerprint.of_json([*row[1:5], row[5]]) != row[6]:
            sentences.append(f"ledger row {row[0]} does not have its own hash")
    return sentences


def digests(connection: Connection) -> list[str]:
    """Make every digest again."""
    made = digest.of_explanations("kept.")
    return counted(
        connection,
        (f"SELECT t.document FROM kept.document t WHERE t.digest <> {digest.of_document('t')}", "documents differ from their digest"),
        (
            (f"SELECT 1 FROM kept.explanation t JOIN ({made}) x USING (explanation) WHERE t.digest <> x.digest"),
            "explanations differ from their digest",
        ),
    )


def finite(connection: Connection) -> list[str]:
    """Look for NaN and infinity in every column of floating point."""
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'kept' AND data_type IN ('FLOAT', 'DOUBLE')"
    ).fetchall()
    queries = [
        (f"SELECT 1 FROM kept.{table} WHERE NOT isfinite({column})", f"values of {table}.{column} are not finite")
        for table, column in columns
    ]
    return counted(connection, *queries)


def sharing(connection: Connection) -> list[str]:
    """Make word relevance again and compare row by row, some documents at a time."""
    last = connection.execute("SELECT coalesce(max(document), 0) FROM kept.document").fetchall()[0][0]
    wrong = 0
    for first in range(0, last + 1, DOCUMENTS_AT_ONCE):
        span = f"{first}, {first + DOCUMENTS_AT_ONCE - 1}"
        wrong += connection.execute(f"""
        SELECT count(*) FROM kept.word_relevance_between({span}) a
        FULL JOIN (SELECT * FROM kept.word_relevance WHERE document BETWEEN {first} AND {first + DOCUMENTS_AT_ONCE - 1}) b
          ON b.explanation = a.explanation AND b.kind = a.kind AND b.word IS NOT DISTINCT FROM a.word
        WHERE a.explanation IS NULL OR b.explanation IS NULL OR abs(a.relevance - b.relevance) > {TOLERANCE} * greatest(abs(a.relevance), 1)
           OR (a.form, a.lemma, a.upos, a.relation, a.model, a.label)
              IS DISTINCT FROM (b.form, b.lemma, b.upos, b.relation, b.model, b.label)
        """).fetchall()[0][0]
    return [f"{wrong} rows of word relevance are not what tokens and words give"] if wrong else []


def gaps(connection: Connection) -> list[str]:
    """Compare every gap with the bar of its precision, and with what the accounts leave."""
    accounts = " + ".join(ACCOUNTS)
    queries = [
        (
            f"SELECT 1 FROM kept.explanation WHERE precision = '{precision}' AND abs(gap) / greatest(abs(target_value), 1) > {bar}",
            f"explanations in {precision} with a relative gap above {bar:g}",
        )
        for precision, bar in GAPS.items()
    ]
    queries.append(
        (
            f"SELECT 1 FROM kept.explanation WHERE abs(target_value - ({accounts}) - gap) > {TOLERANCE} * greatest(abs(target_value), 1)",
            "explanations whose gap is not what their accounts leave",
        )
    )
    return counted(connection, *queries)


def orphans(connection: Connection) -> list[str]:
    """Look for rows whose document, explanation, token or word is not there."""
    queries = [
        (f"SELECT 1 FROM kept.{table} ANTI JOIN kept.document USING (document)", f"rows of {table} without a document")
        for table in ("segment", "word", "annotation", "token", "prediction", "explanation", "word_relevance", "score")
    ]
    queries += [
        (f"SELECT 1 FROM kept.{table} ANTI JOIN kept.explanation USING (explanation)", f"rows of {table} without an explanation")
        for table in (*digest.PARTS, "word_relevance")
    ]
    queries.append(
        (
            (
                "SELECT 1 FROM kept.token_relevance r JOIN kept.explanation e USING (explanation) ANTI JOIN kept.token t "
                "ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = r.token"
            ),
            "rows of token_relevance without a token",
        )
    )
    queries.append(
        (
            "SELECT 1 FROM kept.explanation e ANTI JOIN kept.explanation p ON p.explanation = e.member_of WHERE e.member_of IS NOT NULL",
            "members without their ensemble",
        )
    )
    return counted(connection, *queries)


def duplicates(connection: Connection) -> list[str]:
    """Look for two rows where one is due."""
    keys: dict[str, Sequence[Sequence[str]]] = {**KEYS, "word_relevance": (("explanation", "kind", "word"),), "ledger": (("batch",),)}
    return counted(
        connection,
        *(
            (
                f"SELECT 1 FROM kept.{table} GROUP BY {', '.join(key)} HAVING count(*) > 1",
                f"keys of {table} ({', '.join(key)}) are there twice",
            )
            for table, choices in keys.items()
            for key in choices
        ),
    )


def ensembles(connection: Connection) -> list[str]:
    """Look for explanations that have neither tokens nor interactions nor members."""
    return counted(
        connection,
        (
            (
                "SELECT 1 FROM kept.explanation e ANTI JOIN kept.token_relevance r ON r.explanation = e.explanation "
                "ANTI JOIN kept.interaction i ON i.explanation = e.explanation "
                "ANTI JOIN kept.explanation m ON m.member_of = e.explanation"
            ),
            "explanations with neither tokens nor interactions nor members",
        ),
    )


def runs(connection: Connection) -> list[str]:
    """Note runs that never ended."""
    count = connection.execute("SELECT count(*) FROM kept.run WHERE ended IS NULL").fetchall()[0][0]
    return [f"note: {count} runs never ended (interrupted); what they stored is complete"] if count else []


CHECKS: dict[str, Check] = {
    "digests": digests, "finite": finite, "tokens": tokens, "words": words, "layers": layers, "cells": cells,
    "steps": steps, "sharing": sharing, "gaps": gaps,
    "orphans": orphans, "duplicates": duplicates, "ensembles": ensembles, "runs": runs,
}  # fmt: skip
