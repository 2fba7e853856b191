"""A store of any size from arithmetic alone, to time questions on: no model, no text, the same rows on every machine.

Texts of 50 words in sentences of 17, lemmas with frequencies as in Zipf's law, each word one token with relevance, and as many interactions
of pairs as words. It is written past the store's own door and holds no ledger: it is measured, never kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from workbench.errors import InputError
from workbench.store.store import Store

#: Words of a text, and characters from one to the next.
WORDS, WIDE = 50, 9
MODEL, COMPOSITE = "generated", "attnlrp.v1"
UPOS = (
    "CASE WHEN u < 240 THEN 'NOUN' WHEN u < 370 THEN 'VERB' WHEN u < 440 THEN 'ADJ' WHEN u < 560 THEN 'DET' WHEN u < 660 THEN 'ADP' "
    "WHEN u < 760 THEN 'PRON' WHEN u < 870 THEN 'PUNCT' WHEN u < 930 THEN 'ADV' ELSE 'CCONJ' END"
)
LEMMA = "'w' || (exp(z * 10) * 2)::INTEGER"
FORM = f"{LEMMA} || ['', 's', 'ed'][1 + v % 3]"
RELATION = (
    "CASE WHEN u < 240 THEN ['nsubj', 'obj', 'obl', 'nmod'][1 + v % 4] WHEN u < 370 THEN ['root', 'conj', 'advcl'][1 + v % 3] "
    "WHEN u < 440 THEN 'amod' WHEN u < 560 THEN 'det' ELSE ['case', 'punct', 'cc', 'advmod'][1 + v % 4] END"
)
RELEVANCE = "(((v - 500) / 1000.0) * z)::REAL"
LEDGER = "target_value, tokens, token_types, positions, biases, softmax, nonlinear, epsilon, gap"


def generate(path: Path, rows: int) -> Iterator[str]:
    """Make a store of so many words, tokens and interactions; yields what is being written. InputError where there is a file already."""
    if path.exists():
        raise InputError(f"generate the store {path}", "a file of that name", "name another, or delete it")
    temporary = path.with_name(f"{path.name}.generating-{os.getpid()}")
    try:
        Store.open(temporary, "write").close()
        with duckdb.connect(str(temporary)) as connection:
            for stage, statement in statements(rows // WORDS):
                yield stage
                connection.execute(statement)
        temporary.replace(path)
    finally:
        for left in path.parent.glob(f"{temporary.name}*"):
            left.unlink(missing_ok=True)


def statements(texts: int) -> list[tuple[str, str]]:
    """What is written and the SQL that writes it, rows in the order in which the store itself has them."""
    numbers = f"range(1, {texts} + 1) t(i)"

    def explanation(shift: int, role: str, target: str, label: str) -> str:
        zeros = ", ".join("0" for _ in LEDGER.split(","))
        return f"""
        INSERT INTO kept.explanation
            (explanation, fingerprint, document, role, model, tokenizer, composite, target, label, {LEDGER}, digest, batch)
        SELECT i + {shift}, 'f' || i, i, '{role}', '{MODEL}', '{MODEL}', '{COMPOSITE}', '{target}', {label}, {zeros}, 0, 1 FROM {numbers}"""

    documents = f"""
    INSERT INTO kept.document (document, corpus, identifier, fingerprint, label, split, language, metadata, digest, batch)
    SELECT i, 'posts', 'd' || i, 'f' || i, ['political', 'personal'][1 + i % 2], 'test', 'en', '{{}}', 0, 1 FROM {numbers}"""
    number = f"""
    CREATE TEMP TABLE number AS
    SELECT (1 + i // {WORDS})::INTEGER AS document, (i % {WORDS})::INTEGER AS word, (hash(i) % 1000)::INTEGER AS u,
           (hash(i * 7 + 1) % 1000000) / 1e6 AS z, (hash(i * 13 + 5) % 1000)::INTEGER AS v
    FROM range({texts * WORDS}) t(i)"""
    words = f"""
    INSERT INTO kept.word
        (document, role, annotator, word, char_start, char_end, form, lemma, upos, xpos, features, head, relation, sentence)
    SELECT document, 'text', 'generated', word, word * {WIDE}, word * {WIDE} + length({FORM}), {FORM}, {LEMMA}, {UPOS}, {UPOS},
           CASE WHEN v % 3 = 0 THEN 'Number=Plur' END, CASE WHEN v % 10 > 0 THEN least({WORDS - 1}, greatest(0, word + v % 7 - 3)) END,
           {RELATION}, word // 17
    FROM number"""
    tokens = f"""
    INSERT INTO kept.token (document, role, tokenizer, token, char_start, char_end, piece, special)
    SELECT document, 'text', '{MODEL}', word, word * {WIDE}, word * {WIDE} + length({FORM}), {FORM}, false FROM number"""
    of_tokens = f"""
    INSERT INTO kept.token_relevance (explanation, token, relevance, sensitivity) SELECT document, word, {RELEVANCE}, z FROM number"""
    of_words = f"""
    INSERT INTO kept.word_relevance
        (explanation, document, role, model, composite, label, kind, word, form, lemma, upos, relation, sentence, relevance, sensitivity)
    SELECT document, document, 'text', '{MODEL}', '{COMPOSITE}', 'political', 'word', word, {FORM}, {LEMMA}, {UPOS}, {RELATION}, word // 17,
           {RELEVANCE}, z
    FROM number"""
    interactions = f"""
    INSERT INTO kept.interaction (explanation, left_kind, left_word, right_kind, right_word, relevance, matched, left_form, left_lemma,
        left_upos, left_relation, right_form, right_lemma, right_upos, right_relation)
    SELECT document + {texts}, 'word', word, 'word', v % {WORDS}, {RELEVANCE}, 'other', {FORM}, {LEMMA}, {UPOS}, {RELATION},
           {FORM}, {LEMMA}, ['NOUN', 'VERB', 'ADJ', 'DET'][1 + v % 4], {RELATION}
    FROM number"""
    segments = f"""
    INSERT INTO kept.segment (document, role, text)
    SELECT document, 'text', string_agg(rpad({FORM}, {WIDE}, ' '), '' ORDER BY word) FROM number GROUP BY document ORDER BY document"""
    return [
        ("documents", documents),
        ("explanations", explanation(0, "text", "logit", "'political'")),
        ("explanations of pairs", explanation(texts, "text_a~text_b", "cosine", "NULL")),
        ("numbers", number),
        ("texts", segments),
        ("words", words),
        ("tokens", tokens),
        ("token relevance", of_tokens),
        ("word relevance", of_words),
        ("interactions", interactions),
        ("the file", "CHECKPOINT"),
    ]
