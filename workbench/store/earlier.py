"""What superseded explanations said word by word: kept apart from what people ask, so that two runs can be compared."""

from __future__ import annotations

from workbench.store.change import Change
from workbench.store.connection import Connection


def keep_earlier(connection: Connection, change: Change) -> None:
    """Copy the explanations of `gone_explanation` with their word relevance before they are deleted; members' are their ensemble's share.

    What the same run made and superseded again leaves no trace.
    """
    connection.execute(f"""
    CREATE OR REPLACE TEMP TABLE going AS
    SELECT e.explanation,
           (SELECT coalesce(max(earlier), 0) FROM kept.earlier_explanation) + row_number() OVER (ORDER BY e.explanation) AS earlier,
           d.corpus, d.identifier, d.fingerprint AS document_fingerprint, e.fingerprint, e.role, e.model, e.weights, e.composite, e.target,
           e.label, e.target_value, l.run AS made, {change.run} AS gone
    FROM kept.explanation e
    JOIN kept.document d ON d.document = e.document
    JOIN kept.ledger l ON l.batch = e.batch
    WHERE e.explanation IN (SELECT explanation FROM gone_explanation) AND e.member_of IS NULL AND l.run <> {change.run}""")
    connection.execute("INSERT INTO kept.earlier_explanation SELECT * EXCLUDE (explanation) FROM going ORDER BY earlier")
    connection.execute("""
    INSERT INTO kept.earlier_word
    SELECT g.earlier, r.kind, r.word, w.char_start, w.char_end, r.form, r.lemma, r.upos, r.relation, r.relevance
    FROM kept.word_relevance r
    JOIN going g ON g.explanation = r.explanation
    LEFT JOIN kept.word w ON w.document = r.document AND w.role = r.role AND w.word = r.word
    ORDER BY g.earlier, r.kind, r.word""")
