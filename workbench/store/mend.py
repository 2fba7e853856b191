"""Taking what is damaged out of an open store, in one transaction with its line in the ledger, so that the next run makes just that again.

Explanations go with the ensemble that they belong to, documents with all that hangs on them. Words that disagree with word relevance go
alone: relevance by token stands as it is, and the annotator is asked again; those of a damaged explanation are looked at when it is gone.
What a batch has lost is booked as removed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl

from workbench import fingerprint
from workbench.store import audit
from workbench.store.change import Change
from workbench.store.connection import Connection, registered
from workbench.store.digest import PARTS
from workbench.store.relation import relevance_of, rows
from workbench.store.store import Store
from workbench.store.wrong import Wrong

#: What hangs on a document by its number.
OF_DOCUMENT = ("word_relevance", "prediction", "score", "token", "word", "annotation", "segment", "explanation", "document")


def mend(store: Store, wrong: Sequence[Wrong]) -> tuple[dict[str, int], set[int]]:
    """Remove what checks found wrong in a store that is open to write; returns how much of what went, and the runs that had made it.

    Raises StoreError.
    """
    run = store.connection.execute("SELECT coalesce(max(run), 0) FROM kept.run").fetchall()[0][0]
    with store.changing("repair", run, fingerprint.of_json([one.said for one in wrong])) as this:
        made_by = take_out(store.connection, wrong, this)
    return this.rows, made_by


def take_out(connection: Connection, wrong: Iterable[Wrong], change: Change) -> set[int]:
    """Remove what is wrong, within the open transaction; `change` counts what went. Returns the runs that had made it."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for one in wrong:
        numbers[one.kind].update(one.numbers)
    for kind in ("document", "explanation", "words", "ledger", "failure", "earlier"):
        frame = pl.DataFrame({"number": sorted(numbers[kind])}, schema={"number": pl.Int64})
        with registered(connection, "src_wrong", frame):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE wrong_{kind} AS SELECT number FROM src_wrong")
    connection.execute("""
    DELETE FROM wrong_words WHERE number IN (SELECT document FROM kept.explanation WHERE explanation IN (FROM wrong_explanation))""")
    connection.execute("CREATE OR REPLACE TEMP TABLE gone_batch AS FROM wrong_ledger")
    remove(connection, change)
    connection.execute("INSERT INTO gone_batch SELECT batch FROM (" + SURPLUS + ")")
    if rows(connection, "gone_batch"):
        connection.execute("INSERT INTO wrong_document SELECT document FROM kept.document WHERE batch IN (FROM gone_batch)")
        connection.execute("INSERT INTO wrong_explanation SELECT explanation FROM kept.explanation WHERE batch IN (FROM gone_batch)")
        remove(connection, change)
    made_by = connection.execute(f"""
    SELECT DISTINCT run FROM kept.ledger WHERE batch IN (SELECT batch FROM ({LACK}) UNION FROM gone_batch
        UNION SELECT batch FROM kept.document WHERE document IN (FROM wrong_words))""").fetchall()
    ledger_rows = connection.execute("DELETE FROM kept.ledger WHERE batch IN (FROM wrong_ledger)").fetchall()[0][0]
    connection.execute("DELETE FROM kept.removal WHERE origin IN (FROM wrong_ledger)")
    change.count("rows of the ledger removed", ledger_rows)
    booked = connection.execute(f"INSERT INTO kept.removal SELECT {change.batch}, * FROM ({LACK})").fetchall()[0][0]
    change.count("batches booked anew", booked)
    return {run for (run,) in made_by}


#: Batch by batch: what its ledger row says and later ones took away, less what is there.
BALANCE = """
SELECT batch, sum(d)::BIGINT AS documents, sum(dd)::HUGEINT AS document_digest, sum(e)::BIGINT AS explanations,
       sum(ed)::HUGEINT AS explanation_digest FROM (
    SELECT batch, documents AS d, document_digest AS dd, explanations AS e, explanation_digest AS ed FROM kept.ledger
    UNION ALL SELECT origin, -documents, -document_digest, -explanations, -explanation_digest FROM kept.removal
    UNION ALL SELECT batch, -1, -digest::HUGEINT, 0, 0 FROM kept.document
    UNION ALL SELECT batch, 0, 0, -1, -digest::HUGEINT FROM kept.explanation
) GROUP BY batch"""
#: Batches of which rows are gone, and what is to be booked.
LACK = f"FROM ({BALANCE}) WHERE (documents, document_digest, explanations, explanation_digest) <> (0, 0, 0, 0)"
#: Batches that have more than their ledger row says, or as much but something else, or no ledger row: nobody knows which rows are right.
SURPLUS = f"""
SELECT batch FROM ({BALANCE}) WHERE documents < 0 OR explanations < 0
   OR (documents = 0 AND document_digest <> 0) OR (explanations = 0 AND explanation_digest <> 0)"""


def remove(connection: Connection, change: Change) -> None:
    """Delete documents, explanations with their families, words, failures and superseded results that are wrong."""
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE gone_document AS SELECT DISTINCT number AS document FROM wrong_document;
    CREATE OR REPLACE TEMP TABLE gone_explanation AS
    WITH family AS (SELECT explanation, coalesce(member_of, explanation) AS head FROM kept.explanation)
    SELECT explanation FROM family WHERE head IN (SELECT head FROM family WHERE explanation IN (FROM wrong_explanation))
    UNION SELECT explanation FROM kept.explanation WHERE document IN (FROM gone_document)
    UNION SELECT number FROM wrong_explanation""")
    gone = connection.execute("SELECT count(*) FROM kept.document WHERE document IN (FROM gone_document)").fetchall()[0][0]
    change.count("documents removed", gone)
    gone = connection.execute("SELECT count(*) FROM kept.explanation WHERE explanation IN (FROM gone_explanation)").fetchall()[0][0]
    change.count("explanations removed", gone)
    taken = 0
    for table in (*PARTS, "word_relevance", "explanation"):
        taken += deleted(connection, f"kept.{table} WHERE explanation IN (FROM gone_explanation)")
    for table in OF_DOCUMENT:
        taken += deleted(connection, f"kept.{table} WHERE document IN (FROM gone_document)")
    change.count("rows removed", taken)
    for table in ("word", "annotation", "word_relevance"):
        change.count("words removed", deleted(connection, f"kept.{table} WHERE document IN (FROM wrong_words)"))
    connection.execute("""
    CREATE OR REPLACE TEMP TABLE affected AS SELECT explanation FROM kept.explanation WHERE document IN (FROM wrong_words)""")
    relevance_of(connection, change, "affected")
    change.count("failures removed", deleted(connection, "kept.failure WHERE rowid IN (FROM wrong_failure)"))
    for table in ("earlier_word", "earlier_explanation"):
        change.count("superseded results removed", deleted(connection, f"kept.{table} WHERE earlier IN (FROM wrong_earlier)"))


def deleted(connection: Connection, which: str) -> int:
    """Delete rows; how many."""
    return int(connection.execute(f"DELETE FROM {which}").fetchall()[0][0])


def everything_wrong(connection: Connection) -> list[Wrong]:
    """What the checks over rows find, notes left out."""
    return [one for check in (audit.ledger, *audit.CHECKS.values()) for one in check(connection) if not one.note]
