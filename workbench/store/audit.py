"""The checks of `verify`: each takes a connection and returns what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from workbench import fingerprint
from workbench.relevance import ACCOUNTS
from workbench.store import digest
from workbench.store.check import KEYS
from workbench.store.connection import Connection
from workbench.store.sums import TOLERANCE, cells, layers, steps, tokens, words
from workbench.store.wrong import Wrong, counted, owner

Check: TypeAlias = Callable[[Connection], list[Wrong]]

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


def reads(connection: Connection) -> list[Wrong]:
    """Read every value, so that damaged blocks show."""
    for table in tables(connection):
        connection.execute(f"SELECT bit_xor(hash(t)) FROM kept.{table} t").fetchall()
    return []


def ledger(connection: Connection) -> list[Wrong]:
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
    numbers = tuple(row[0] for row in wrong)
    found = (
        [Wrong(f"{len(numbers)} batches do not have the rows that the ledger says: {list(numbers[:10])}", "batch", numbers)]
        if wrong
        else []
    )
    for row in connection.execute(
        "SELECT batch, documents, document_digest::VARCHAR, explanations, explanation_digest::VARCHAR, rows, content_hash FROM kept.ledger"
    ).fetchall():
        if fingerprint.of_json([*row[1:5], row[5]]) != row[6]:
            found.append(Wrong(f"ledger row {row[0]} does not have its own hash", "ledger", (row[0],)))
    return found


def digests(connection: Connection) -> list[Wrong]:
    """Make every digest again."""
    made = digest.of_explanations("kept.")
    return counted(
        connection,
        (f"SELECT t.document FROM kept.document t WHERE t.digest <> {digest.of_document('t')}", "documents differ from their digest"),
        (
            (f"SELECT explanation FROM kept.explanation t JOIN ({made}) x USING (explanation) WHERE t.digest <> x.digest"),
            "explanations differ from their digest",
        ),
    )


def finite(connection: Connection) -> list[Wrong]:
    """Look for NaN and infinity in every column of floating point."""
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'kept' AND data_type IN ('FLOAT', 'DOUBLE')"
    ).fetchall()
    queries = [
        (f"SELECT {owner(table)} FROM kept.{table} WHERE NOT isfinite({column})", f"values of {table}.{column} are not finite")
        for table, column in columns
    ]
    return counted(connection, *queries)


def sharing(connection: Connection) -> list[Wrong]:
    """Make word relevance again and compare row by row, some documents at a time."""
    last = connection.execute("SELECT coalesce(max(document), 0) FROM kept.document").fetchall()[0][0]
    rows, documents = 0, set[int]()
    for first in range(0, last + 1, DOCUMENTS_AT_ONCE):
        span = f"{first}, {first + DOCUMENTS_AT_ONCE - 1}"
        wrong = connection.execute(f"""
        SELECT coalesce(a.document, b.document) FROM kept.word_relevance_between({span}) a
        FULL JOIN (SELECT * FROM kept.word_relevance WHERE document BETWEEN {first} AND {first + DOCUMENTS_AT_ONCE - 1}) b
          ON b.explanation = a.explanation AND b.kind = a.kind AND b.word IS NOT DISTINCT FROM a.word
        WHERE a.explanation IS NULL OR b.explanation IS NULL OR abs(a.relevance - b.relevance) > {TOLERANCE} * greatest(abs(a.relevance), 1)
           OR (a.form, a.lemma, a.upos, a.relation, a.model, a.label)
              IS DISTINCT FROM (b.form, b.lemma, b.upos, b.relation, b.model, b.label)
        """).fetchall()
        rows += len(wrong)
        documents.update(row[0] for row in wrong)
    return [Wrong(f"{rows} rows of word relevance are not what tokens and words give", "words", tuple(sorted(documents)))] if rows else []


def gaps(connection: Connection) -> list[Wrong]:
    """Compare every gap with the bar of its precision, and with what the accounts leave."""
    accounts = " + ".join(ACCOUNTS)
    queries = [
        (
            (
                f"SELECT explanation FROM kept.explanation WHERE precision = '{precision}' "
                f"AND abs(gap) / greatest(abs(target_value), 1) > {bar}"
            ),
            f"explanations in {precision} with a relative gap above {bar:g}",
        )
        for precision, bar in GAPS.items()
    ]
    queries.append(
        (
            (
                f"SELECT explanation FROM kept.explanation "
                f"WHERE abs(target_value - ({accounts}) - gap) > {TOLERANCE} * greatest(abs(target_value), 1)"
            ),
            "explanations whose gap is not what their accounts leave",
        )
    )
    return counted(connection, *queries)


def orphans(connection: Connection) -> list[Wrong]:
    """Look for rows whose document, explanation, token or word is not there."""
    queries = [
        (f"SELECT document FROM kept.{table} ANTI JOIN kept.document USING (document)", f"rows of {table} without a document")
        for table in ("segment", "word", "annotation", "token", "prediction", "explanation", "word_relevance", "score")
    ]
    queries += [
        (f"SELECT explanation FROM kept.{table} ANTI JOIN kept.explanation USING (explanation)", f"rows of {table} without an explanation")
        for table in (*digest.PARTS, "word_relevance")
    ]
    queries.append(
        (
            (
                "SELECT e.document FROM kept.token_relevance r JOIN kept.explanation e USING (explanation) ANTI JOIN kept.token t "
                "ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = r.token"
            ),
            "rows of token_relevance without a token",
        )
    )
    queries.append(
        (
            (
                "SELECT explanation FROM kept.explanation e "
                "ANTI JOIN kept.explanation p ON p.explanation = e.member_of WHERE e.member_of IS NOT NULL"
            ),
            "members without their ensemble",
        )
    )
    queries.append(("SELECT document FROM kept.document ANTI JOIN kept.segment USING (document)", "documents without a text"))
    return counted(connection, *queries)


def duplicates(connection: Connection) -> list[Wrong]:
    """Look for two rows where one is due."""
    keys: dict[str, Sequence[Sequence[str]]] = {**KEYS, "word_relevance": (("explanation", "kind", "word"),), "ledger": (("batch",),)}
    looks = []
    for table, choices in keys.items():
        number, kind = owner(table).split()[0], owner(table).split()[-1]
        for key in choices:
            twice = f"SELECT list({number}) AS owners FROM kept.{table} GROUP BY {', '.join(key)} HAVING count(*) > 1"
            looks.append((f"SELECT unnest(owners) AS {kind} FROM ({twice})", f"rows of {table} share their key ({', '.join(key)})"))
    return counted(connection, *looks)


def ensembles(connection: Connection) -> list[Wrong]:
    """Look for explanations that have neither tokens nor interactions nor members."""
    return counted(
        connection,
        (
            (
                "SELECT explanation FROM kept.explanation e ANTI JOIN kept.token_relevance r ON r.explanation = e.explanation "
                "ANTI JOIN kept.interaction i ON i.explanation = e.explanation "
                "ANTI JOIN kept.explanation m ON m.member_of = e.explanation"
            ),
            "explanations with neither tokens nor interactions nor members",
        ),
    )


def runs(connection: Connection) -> list[Wrong]:
    """Note runs that never ended."""
    count = connection.execute("SELECT count(*) FROM kept.run WHERE ended IS NULL").fetchall()[0][0]
    return [Wrong(f"{count} runs never ended (interrupted); what they stored is complete", note=True)] if count else []


CHECKS: dict[str, Check] = {
    "digests": digests, "finite": finite, "tokens": tokens, "words": words, "layers": layers, "cells": cells,
    "steps": steps, "sharing": sharing, "gaps": gaps,
    "orphans": orphans, "duplicates": duplicates, "ensembles": ensembles, "runs": runs,
}  # fmt: skip
