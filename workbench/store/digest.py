"""Digests of documents and explanations: 64 bits each, added up so that the order of rows never matters and removal is subtraction.

The digest of a document covers its attributes and the fingerprint of its texts; that of an explanation its identity, its ledger and all its
parts by value (tokens, layers, positions, components, interactions, factors, steps, contributions). Internal numbers, times and the order
of arrival are not in it. What an explanation does not have leaves no trace in its digest, so that those of older stores stay valid.
"""

from __future__ import annotations

NOTHING = "chr(30)"
LEDGER = ("target_value", "tokens", "token_types", "positions", "biases", "softmax", "nonlinear", "epsilon", "gap", "coverage")

#: Tables of an explanation's parts: what is kept of each row, and how many of these columns (the first) identify it.
PARTS: dict[str, tuple[tuple[str, ...], int]] = {
    "token_relevance": (("token", "relevance", "position", "sensitivity"), 1),
    "layer_relevance": (("account", "layer", "relevance"), 2),
    "position_relevance": (("kind", "layer", "position", "relevance"), 3),
    "component_relevance": (("kind", "layer", "token", "unit", "relevance"), 4),
    "interaction": (
        (
            "left_kind", "left_word", "right_kind", "right_word", "relevance", "matched", "left_form", "left_lemma", "left_upos",
            "left_relation", "right_form", "right_lemma", "right_upos", "right_relation",
        ),
        4,
    ),
    "factor": (("kind", "word", "precision", "vector"), 2),
    "step": (
        (
            "step", "likeliest", "target_value", "log_probability", "source", "prefix", "beginning", "positions", "biases", "softmax",
            "nonlinear", "gap", "source_size", "prefix_size", "source_entropy", "prefix_entropy",
        ),
        1,
    ),
    "contribution": (("step", "side", "token", "relevance"), 3),
}  # fmt: skip


def text(columns: tuple[str, ...], table: str) -> str:
    """SQL for one string of several columns, in which NULL differs from an empty string."""
    return f"concat_ws(chr(31), {', '.join(f'coalesce({table}.{column}::VARCHAR, {NOTHING})' for column in columns)})"


def of_document(table: str) -> str:
    """SQL expression: the digest of one row of documents."""
    return f"md5_number_lower({text(('corpus', 'identifier', 'fingerprint', 'label', 'split', 'language', 'metadata'), table)})"


def of_explanations(prefix: str) -> str:
    """SQL query: (explanation, digest) for `<prefix>explanation` and the tables of its parts, `<prefix>token_relevance` and so on."""
    identity = ("fingerprint", "role", "model", "tokenizer", "composite", "target", "label", "precision", *LEDGER)
    decoder = f"'decoder_inputs' || {text(('decoder_inputs',), 'e')}"
    pieces = [
        text(identity, "e"),
        "chr(31) || coalesce(token_relevance.digest, '')",
        f"CASE WHEN e.decoder_inputs IS DISTINCT FROM 0 THEN chr(31) || {decoder} ELSE '' END",
        *(f"coalesce(chr(31) || '{name}' || {name}.digest, '')" for name in PARTS if name != "token_relevance"),
    ]
    joins = [f"LEFT JOIN ({of_rows(prefix, name)}) {name} ON {name}.explanation = e.explanation" for name in PARTS]
    return f"SELECT e.explanation, md5_number_lower({' || '.join(pieces)}) AS digest FROM {prefix}explanation e {' '.join(joins)}"


def of_rows(prefix: str, name: str) -> str:
    """SQL query: (explanation, digest) of the rows of one table of parts."""
    columns, keys = PARTS[name]
    return (
        f"SELECT explanation, md5(string_agg({text(columns, 't')}, chr(29) ORDER BY {', '.join(columns[:keys])})) AS digest "
        f"FROM {prefix}{name} t GROUP BY explanation"
    )
