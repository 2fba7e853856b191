"""What a store says, as one hash: independent of internal numbers, of the order of arrival and of time.

Every row is digested with its natural key (corpus, identifier, fingerprint) in place of numbers, and the digests of a table are added up.
Relevance counts by value. Runs, the ledger and times are not content; `word_relevance` is derived (verify makes it again and compares).
"""

from __future__ import annotations

import os
from pathlib import Path

from workbench import fingerprint
from workbench.store import digest
from workbench.store.connection import Connection, explained
from workbench.store.store import Store

OWNER = "JOIN kept.document d ON d.document = t.document"
KEY = "d.corpus || chr(31) || d.identifier || chr(31) || "
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "segment": ("role", "text"),
    "word": (
        "role", "annotator", "word", "char_start", "char_end", "form", "lemma", "upos", "xpos", "features", "head", "relation", "entity",
        "sentence",
    ),
    "annotation": ("role", "annotator", "fingerprint"),
    "token": ("role", "tokenizer", "token", "char_start", "char_end", "piece", "special"),
    "prediction": ("role", "model", "label", "logit", "probability", "votes"),
    "score": ("role", "model", "method", "ordering", "metric", "value"),
}  # fmt: skip
PLAIN: dict[str, tuple[str, ...]] = {
    "corpus": ("name", "fingerprint", "parameters"),
    "model": ("name", "fingerprint", "kind", "parameters"),
    "composite": ("name", "fingerprint", "parameters"),
    "failure": ("corpus", "identifier", "fingerprint", "stage", "error", "retryable"),
}


def content_hash(path: str | os.PathLike[str]) -> str:
    """Hash (64 hex digits) of all a store says; equal for stores that were filled in another order or with interruptions."""
    with Store.open(path, "read", itself=True) as store, explained(f"hash the store {path}", Path(path)):
        return hash_of_content(store.connection)


def hash_of_content(connection: Connection) -> str:
    """The same for an open connection."""
    parts = {"document": f"SELECT {digest.of_document('t')} FROM kept.document t"}
    for table, columns in DOCUMENTS.items():
        parts[table] = f"SELECT md5_number_lower({KEY}{digest.text(columns, 't')}) FROM kept.{table} t {OWNER}"
    for table, columns in PLAIN.items():
        parts[table] = f"SELECT md5_number_lower({digest.text(columns, 't')}) FROM kept.{table} t"
    parts["explanation"] = f"""
    SELECT md5_number_lower({KEY} x.digest || chr(31) || coalesce(p.fingerprint, ''))
    FROM kept.explanation t {OWNER} JOIN ({digest.of_explanations("kept.")}) x USING (explanation)
    LEFT JOIN kept.explanation p ON p.explanation = t.member_of"""
    sums = {
        table: connection.execute(f"SELECT count(*)::VARCHAR, coalesce(sum(value), 0)::VARCHAR FROM ({query}) AS rows(value)").fetchall()[0]
        for table, query in parts.items()
    }
    return fingerprint.of_json(sums)
