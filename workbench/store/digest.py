"""Digests of documents and explanations: 64 bits each, added up so that the order of rows never matters and removal is subtraction.

The digest of a document covers its attributes and the fingerprint of its texts; that of an explanation its identity, its ledger and every
token's relevance by value. Internal numbers, times and the order of arrival are not part of it.
"""

from __future__ import annotations

NOTHING = "chr(30)"
LEDGER = ("target_value", "tokens", "token_types", "positions", "biases", "softmax", "nonlinear", "epsilon", "gap", "coverage")


def text(columns: tuple[str, ...], table: str) -> str:
    """SQL for one string of several columns, in which NULL differs from an empty string."""
    return f"concat_ws(chr(31), {', '.join(f'coalesce({table}.{column}::VARCHAR, {NOTHING})' for column in columns)})"


def of_document(table: str) -> str:
    """SQL expression: the digest of one row of documents."""
    return f"md5_number_lower({text(('corpus', 'identifier', 'fingerprint', 'label', 'split', 'language', 'metadata'), table)})"


def of_explanations(explanations: str, relevance: str) -> str:
    """SQL query: (explanation, digest) for a table of explanations and the table of their tokens' relevance."""
    identity = ("fingerprint", "role", "model", "tokenizer", "composite", "target", "label", "precision", *LEDGER)
    return f"""
    SELECT e.explanation, md5_number_lower({text(identity, "e")} || chr(31) || coalesce(r.digest, '')) AS digest
    FROM {explanations} e LEFT JOIN (
        SELECT explanation, md5(string_agg({text(("token", "relevance", "position", "sensitivity"), "t")}, chr(29) ORDER BY token))
               AS digest
        FROM {relevance} t GROUP BY explanation
    ) r ON r.explanation = e.explanation"""
